"""The life of a cluster: it exists for the length of a `with` block."""

import logging
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import dask
from distributed import Client

from forecasting.clock import now
from forecasting.compute import tls, workers
from forecasting.compute.cluster_class import cluster_of_class, require_class
from forecasting.compute.existing import existing_scheduler
from forecasting.compute.local import local_cluster
from forecasting.compute.partition_map import PartitionFunction, PartitionMap, Rows
from forecasting.compute.register import reap_orphans
from forecasting.compute.scratch_cleanup import scratch_folder
from forecasting.compute.transfer import is_lake_reached
from forecasting.compute.usage import ClusterUsage, UsageMeter
from forecasting.contracts.errors import RunError
from forecasting.contracts.spec import ClusterSpec
from forecasting.core.retry_queue import PartitionOutcome, RetryQueue
from forecasting.storage.lake import Lake

OWN_LOGGER = "forecasting"
ALL_EVENTS = "all"  # Dask's topic on which workers are announced as they come and go

_SETTINGS = {
    # `forecasting.core.retry_queue` decides how often a task is tried again after its worker was lost.
    "distributed.scheduler.allowed-failures": 0,
    # So long after it lost a worker, Dask gives it up for good, unless it is back at that moment; it is not if it is
    # just being restarted after another loss. Nannies restart workers, so none is to be given up.
    "distributed.deploy.lost-worker-timeout": "1 day",
    # To workers that do not reach the lake, rows travel with their tasks; Dask warns of more than 10 MB.
    "distributed.admin.large-graph-warning-threshold": "10GB",
    # A frozen worker is noticed after a minute instead of five.
    "distributed.scheduler.worker-ttl": "60s",
    # Dask's HTTP pages have no authentication.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # Threads of BLAS and OpenMP would fight over the cores that the workers already share. With Dask's own
    # MALLOC_TRIM_THRESHOLD_ memory is asked of the system anew for each array: the default model takes half as much
    # CPU again.
    "distributed.nanny.pre-spawn-environ": {
        "OMP_NUM_THREADS": 1,
        "OPENBLAS_NUM_THREADS": 1,
        "MKL_NUM_THREADS": 1,
        "MALLOC_TRIM_THRESHOLD_": None,
    },
}


class Cluster:
    """A running cluster. A run needs `map_partitions` and `usage` of it."""

    def __init__(self, client: Client, spec: ClusterSpec, meter: UsageMeter, name: str) -> None:
        self._client = client
        self._spec = spec
        self._meter = meter
        self._name = name
        self._version_mismatches: queue.SimpleQueue[RunError] = queue.SimpleQueue()

    @property
    def usage(self) -> ClusterUsage:
        """What the cluster has provided, done and cost up to now, or up to its end."""
        self._meter.change(time.monotonic())
        return self._meter.usage()

    def map_partitions(
        self,
        function: PartitionFunction,
        batch: RetryQueue,
        *args: Any,
        timeout: float,
        on_outcome: Callable[[PartitionOutcome], None] | None = None,
        rows: Rows | None = None,
    ) -> list[PartitionOutcome]:
        """Compute every partition of `batch` as `function(partition, *args)`.

        Args:
            timeout: seconds that one task may take once a worker has begun it.
            on_outcome: called for each partition as it ends.
            rows: reads the rows of a partition, which are sent in its place to workers that do not reach the lake.

        Returns:
            The outcome of every partition, in the order in which they ended.

        Raises:
            RunError: no worker takes up work any more, or one of another version has joined.
        """
        partition_map = PartitionMap(
            self._client,
            self._meter,
            function,
            batch,
            args,
            timeout,
            n_workers=self._n_workers,
            version_mismatches=self._version_mismatches,
            rows=rows,
            prefix=self._name,
        )
        self._meter.change(time.monotonic(), phase="computing")
        try:
            return partition_map.run(on_outcome)
        finally:
            self._meter.change(time.monotonic(), phase="waiting")

    def _n_workers(self) -> int:
        """Return how many workers to keep busy: of an adaptive cluster the most, or it would not grow."""
        return self._spec.most_workers if self._spec.is_adaptive else max(self._meter.workers, 1)

    def set_up(self, lake: Lake) -> None:
        """Count workers as they come and go, check their versions, and whether they reach the lake."""
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
                workers.require_same(event[1]["worker"], event[1]["versions"])
            except RunError as error:
                self._version_mismatches.put(error)

        self._client.subscribe_topic(ALL_EVENTS, on_event)
        present |= self._client.scheduler_info(n_workers=-1)["workers"].keys()
        self._meter.change(self._meter.since, workers=len(present))
        # What models log on workers is handled here, as if it had been logged here.
        self._client.forward_logging(OWN_LOGGER)
        if self._spec.kind == "local":
            self._meter.transfer = "shared storage"
            return  # its workers run this very Python and these very files
        workers.require_same_versions(self._client)
        self._client.subscribe_topic(workers.VERSIONS, on_versions)
        self._client.register_plugin(workers.ReportVersions(), name=self._name)
        if is_lake_reached(self._client, lake):
            self._meter.transfer = "shared storage"

    def tear_down(self) -> None:
        """Take back what `set_up` asked of the scheduler."""
        self._client.unsubscribe_topic(ALL_EVENTS)
        if self._spec.kind == "existing":
            with suppress(OSError, ValueError, RuntimeError, TimeoutError):
                self._client.unforward_logging(OWN_LOGGER)
                self._client.unregister_worker_plugin(self._name)


@contextmanager
def dask_cluster(spec: ClusterSpec, lake: Lake, run: str = "") -> Iterator[Cluster]:
    """Start a cluster, and end it with the `with` block; or connect to one that runs already, and leave it.

    Args:
        lake: where workers spill, and where clusters that could outlive this process are registered.
        run: what the cluster works for, in words.

    Raises:
        OptionError, RunError: it cannot be had, or its workers run another version; nothing is left of it.
    """
    reap_orphans(lake)
    began = time.monotonic()
    meter = UsageMeter(
        spec.max_concurrency_per_instance,
        since=began,
        kind=spec.cluster,
        price_per_instance_hour=spec.price_per_instance_hour,
    )
    try:
        with scratch_folder(lake.scratch()) as folder, dask.config.set(_SETTINGS), _quiet_dask():
            with _opened(spec, lake, run, folder, meter) as client:
                up = time.monotonic()
                if spec.kind == "existing":
                    meter.change(up)  # its workers are used from now on; they were not asked for before
                cluster = Cluster(client, spec, meter, folder.name)
                cluster.set_up(lake)
                meter.change(up, phase="waiting")
                try:
                    yield cluster
                finally:
                    meter.change(time.monotonic(), phase="ending")
                    cluster.tear_down()
            if spec.kind != "existing":
                meter.last_worker_gone = now()
    finally:
        meter.change(time.monotonic(), workers=0)


def require_possible(spec: ClusterSpec) -> None:
    """Refuse a cluster that could not be had anyway, before anything is started for it.

    Raises:
        OptionError: a class or a certificate is missing.
    """
    if spec.kind == "existing":
        tls.for_existing(spec.cluster)
    elif spec.kind == "class":
        require_class(spec)


def _opened(spec: ClusterSpec, lake: Lake, run: str, folder: Path, meter: UsageMeter) -> AbstractContextManager[Client]:
    if spec.kind == "local":
        return local_cluster(spec, folder, meter)
    if spec.kind == "existing":
        return existing_scheduler(spec)
    return cluster_of_class(spec, lake, run)


@contextmanager
def _quiet_dask() -> Iterator[None]:
    """Silence Dask's own log: it reports every lost connection, and the end of a run as critical. Ours says why."""
    loud = [logging.getLogger(name) for name in ("distributed", "distributed.client", "tornado.application")]
    levels = [each.level for each in loud]
    for each in loud:
        each.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for each, level in zip(loud, levels, strict=True):
            each.setLevel(level)
