"""The life of a cluster: it exists for the length of a `with` block."""

import logging
import queue
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import dask
from distributed import Client

from forecasting.clock import now
from forecasting.compute import on_worker
from forecasting.compute.by_class import cluster_class, cluster_of_class
from forecasting.compute.existing import existing_scheduler
from forecasting.compute.local import local_cluster
from forecasting.compute.meter import Meter
from forecasting.compute.partition_map import PartitionFunction, PartitionMapping
from forecasting.compute.reap import reap_orphans
from forecasting.compute.scratch_cleanup import scratch_folder
from forecasting.compute.tls import for_existing
from forecasting.compute.transfer import sees_lake
from forecasting.compute.usage import ClusterUsage
from forecasting.compute.versions import require_same, require_same_versions
from forecasting.contracts.errors import RunError
from forecasting.contracts.spec import ClusterSpec
from forecasting.core.retry_queue import Outcome, RetryQueue
from forecasting.storage.lake import Lake

OWN_LOGGER = "forecasting"
ALL_EVENTS = "all"  # Dask's topic that tells of workers that come and go

_SETTINGS = {
    # A lost worker is answered by `forecasting.core.retry_queue`, which knows how often to try again.
    "distributed.scheduler.allowed-failures": 0,
    # Dask looks so long after a loss whether the worker is back, and else gives it up for good: also where it was, and
    # is just restarting because of another loss. Workers that are restarted by their nannies are not to be given up.
    "distributed.deploy.lost-worker-timeout": "1 day",
    # A frozen worker is noticed after a minute instead of five.
    "distributed.scheduler.worker-ttl": "60s",
    # Threads of BLAS and OpenMP would fight over the cores that the workers already share.
    "distributed.nanny.pre-spawn-environ": {
        "OMP_NUM_THREADS": 1,
        "OPENBLAS_NUM_THREADS": 1,
        "MKL_NUM_THREADS": 1,
        "MALLOC_TRIM_THRESHOLD_": 65536,
    },
}


class Cluster:
    """A running cluster; `map_partitions` is all that a run needs of it."""

    def __init__(self, client: Client, spec: ClusterSpec, usage: ClusterUsage, meter: Meter, folder: Path) -> None:
        self._client = client
        self._spec = spec
        self._meter = meter
        self._folder = folder
        self._strangers: queue.SimpleQueue[RunError] = queue.SimpleQueue()
        self.usage = usage

    def map_partitions(
        self,
        function: PartitionFunction,
        batch: RetryQueue,
        *args: Any,
        timeout: float,
        on_outcome: Callable[[Outcome], None] | None = None,
    ) -> list[Outcome]:
        """Compute every partition of `batch` as `function(partition, *args)`.

        Args:
            timeout: seconds that one task may take once a worker has begun it.
            on_outcome: called for each partition as it ends.

        Returns:
            The outcome of every partition, in the order in which they ended.

        Raises:
            RunError: no worker takes up work any more, or one of another version has come.
        """
        mapping = PartitionMapping(
            self._client,
            self.usage,
            function,
            batch,
            args,
            timeout,
            capacity=self._capacity,
            version_mismatches=self._strangers,
            folder=self._folder,
        )
        self._meter.change(time.monotonic(), stage="computing")
        try:
            return mapping.run(on_outcome)
        finally:
            self._meter.change(time.monotonic(), stage="waiting")

    def _capacity(self) -> int:
        """How many tasks to have under way: one a worker, so that none waits behind one that hangs.

        A cluster that grows with its work must see what it could grow for.
        """
        return self._spec.most_workers if self._spec.is_adaptive else max(self._meter.workers, 1)

    def watch(self) -> None:
        """Count workers as they come and go, and look at the version of each that comes."""
        present: set[str] = set()

        def on_event(event: Any) -> None:
            message = event[1]
            if message.get("action") == "add-worker":
                present.add(message["worker"])
            elif message.get("action") == "remove-worker":
                present.discard(message["worker"])
            self._meter.change(time.monotonic(), workers=len(present))

        def on_versions(event: Any) -> None:
            try:
                require_same(event[1]["worker"], event[1]["versions"])
            except RunError as error:
                self._strangers.put(error)

        self._client.subscribe_topic(ALL_EVENTS, on_event)
        present |= self._client.scheduler_info(n_workers=-1)["workers"].keys()
        self._meter.change(self._meter.since, workers=len(present))
        # What models log on workers is handled here, as if it had been logged here.
        self._client.forward_logging(OWN_LOGGER)
        if self._spec.kind == "local":
            return  # its workers are this very Python and these very files
        require_same_versions(self._client)
        on_worker.by_value()
        self._client.subscribe_topic(on_worker.VERSIONS, on_versions)
        self._client.register_plugin(on_worker.TellVersions(), name=self._folder.name)
        if sees_lake(self._client, self._folder):
            self.usage.handed_over = "by path"

    def leave(self) -> None:
        """Take back what was asked of the scheduler."""
        self._client.unsubscribe_topic(ALL_EVENTS)
        if self._spec.kind == "existing":
            with suppress(OSError, ValueError, RuntimeError, TimeoutError):
                self._client.unforward_logging(OWN_LOGGER)
                self._client.unregister_worker_plugin(self._folder.name)


@contextmanager
def dask_cluster(spec: ClusterSpec, lake: Lake, run: str = "") -> Iterator[Cluster]:
    """A cluster that lives as long as the `with` block; one that runs already is used that long.

    Args:
        lake: where workers spill, and where clusters that would outlive this process are registered.
        run: what it works for, in words.

    Raises:
        OptionError, RunError: it cannot be had, or its workers run another version; nothing is left of it.
    """
    reap_orphans(lake)
    usage = ClusterUsage(kind=spec.cluster, price_per_instance_hour=spec.price_per_instance_hour)
    began = time.monotonic()
    existing = spec.kind == "existing"
    meter = Meter(spec.max_concurrency_per_instance, since=began)
    try:
        with scratch_folder(lake.scratch()) as folder, dask.config.set(_SETTINGS), _quiet_dask():
            with _opened(spec, lake, run, folder, usage) as client:
                up = time.monotonic()
                if existing:
                    meter.change(up)  # its workers are used from now on; they were not asked for before
                cluster = Cluster(client, spec, usage, meter, folder)
                cluster.watch()
                usage.seconds_starting = up - began
                meter.change(up, stage="waiting")
                try:
                    yield cluster
                finally:
                    usage.seconds_up = time.monotonic() - up
                    meter.change(time.monotonic(), stage="ending")
                    cluster.leave()
            if existing:
                meter.change(time.monotonic(), workers=0)
            else:
                usage.last_worker_gone = now()
    finally:
        meter.change(time.monotonic())
        usage.metered(meter)


def require_possible(spec: ClusterSpec) -> None:
    """Refuse what could not be had anyway, before anything is started for it.

    Raises:
        OptionError: a class or a certificate is missing.
    """
    if spec.kind == "existing":
        for_existing(spec.cluster)
    elif spec.kind == "class":
        cluster_class(spec)


def _opened(
    spec: ClusterSpec, lake: Lake, run: str, folder: Path, usage: ClusterUsage
) -> AbstractContextManager[Client]:
    if spec.kind == "local":
        return local_cluster(spec, folder, usage)
    if spec.kind == "existing":
        return existing_scheduler(spec)
    return cluster_of_class(spec, lake, secrets.token_hex(8), run)


@contextmanager
def _quiet_dask() -> Iterator[None]:
    """What goes wrong on the cluster is told by our own log; Dask's tells every connection, a run's end as critical."""
    loud = [logging.getLogger(name) for name in ("distributed", "distributed.client", "tornado.application")]
    levels = [each.level for each in loud]
    for each in loud:
        each.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for each, level in zip(loud, levels, strict=True):
            each.setLevel(level)
