"""The Dask cluster: up, map partitions, down. The only file that imports Dask.

Partitions are plain Dask futures of a pure function; workers know nothing of flows. Each worker is a
process with one thread, so that a partition that hangs or kills its worker takes nothing else with it.
"""

import logging
import os
import queue
import signal
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dask
import pandas as pd
import psutil
from distributed import CancelledError, Client, Future, LocalCluster, get_worker
from distributed.scheduler import KilledWorker
from distributed.security import Security

from forecasting.batch import Batch, Failure, Outcome, Task
from forecasting.errors import RunError
from forecasting.partition import Partition
from forecasting.spec import ClusterSpec

logger = logging.getLogger(__name__)

PartitionFunction = Callable[..., pd.DataFrame]
OWN_LOGGER = "forecasting"
STARTED = "partition-started"
SPAWNED = "multiprocessing.spawn"  # in the command line of every worker process
START_TIMEOUT = 60.0
STOP_TIMEOUT = 10.0
SECONDS_TO_SEND = 0.01  # twice the interval at which a worker sends its messages

_SETTINGS = {
    # A lost worker is answered by `forecasting.batch`, which knows how often to try again.
    "distributed.scheduler.allowed-failures": 0,
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


@dataclass
class ClusterReceipt:
    """What a cluster was and did, in seconds; `seconds_cpu` is that of the models alone;
    `left_over` names worker processes that survived its end.
    """

    workers: int
    worker_pids: list[int] = field(default_factory=list)
    seconds_starting: float = 0.0
    seconds_up: float = 0.0
    seconds_busy: float = 0.0
    seconds_cpu: float = 0.0
    tasks: int = 0
    lost_tasks: int = 0
    left_over: list[int] = field(default_factory=list)

    @property
    def worker_seconds_provisioned(self) -> float:
        return self.workers * self.seconds_up

    @property
    def worker_seconds_idle(self) -> float:
        return max(self.worker_seconds_provisioned - self.seconds_busy, 0.0)


class Cluster:
    """A running cluster; `map_partitions` is all that a run needs of it."""

    def __init__(self, client: Client, receipt: ClusterReceipt) -> None:
        self._client = client
        self.receipt = receipt

    @property
    def dashboard(self) -> str:
        return str(self._client.dashboard_link)

    def map_partitions(
        self,
        function: PartitionFunction,
        batch: Batch,
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
            RunError: no worker takes up work any more.
        """
        return _Mapping(self._client, self.receipt, function, batch, args, timeout).run(on_outcome)


@contextmanager
def dask_cluster(spec: ClusterSpec, scratch: Path) -> Iterator[Cluster]:
    """A local cluster that lives as long as the `with` block: TLS, loopback only, one thread a worker.

    Args:
        spec: how many workers.
        scratch: folder for what workers spill; emptied at the end.
    """
    receipt = ClusterReceipt(workers=spec.n_workers)
    before, began = _spawned(), time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="dask-", dir=scratch, ignore_cleanup_errors=True) as local_directory,
        dask.config.set(_SETTINGS),
        _quiet_dask(),
        LocalCluster(
            n_workers=spec.n_workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            local_directory=local_directory,
            security=Security.temporary(),
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, timeout=START_TIMEOUT) as client,
    ):
        try:
            client.wait_for_workers(spec.n_workers, timeout=START_TIMEOUT)
        except TimeoutError as error:
            raise RunError(
                f"The cluster's {spec.n_workers} workers did not start within {START_TIMEOUT:.0f} s",
                "see whether the machine is overloaded, or ask for fewer with --max-concurrency-per-instance",
            ) from error
        # What models log on workers is handled here, as if it had been logged here.
        client.forward_logging(OWN_LOGGER)
        up = time.monotonic()
        receipt.seconds_starting = up - began
        workers = _spawned() - before
        try:
            yield Cluster(client, receipt)
        finally:
            receipt.seconds_up = time.monotonic() - up
            workers |= _spawned() - before
            receipt.worker_pids = sorted(process.pid for process in workers)
    _, alive = psutil.wait_procs(workers | (_spawned() - before), timeout=STOP_TIMEOUT)
    receipt.left_over = sorted(process.pid for process in alive)


@contextmanager
def _quiet_dask() -> Iterator[None]:
    """What goes wrong on the cluster is told by our own log; Dask's tells every connection."""
    dask_logger = logging.getLogger("distributed")
    level = dask_logger.level
    dask_logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        dask_logger.setLevel(level)


def _spawned() -> set[psutil.Process]:
    """The worker processes that this process has spawned and that still run."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE and SPAWNED in " ".join(process.cmdline()):
                found.add(process)
    return found


def _kill_worker(dask_worker: Any) -> None:
    """Runs on a nanny: end its worker at once, also where that holds the interpreter's lock; another is started."""
    if dask_worker.process and dask_worker.process.pid:
        os.kill(dask_worker.process.pid, signal.SIGKILL)


def _run_task(function: PartitionFunction, task_id: int, partition: Partition, args: tuple[Any, ...]) -> Any:
    """Runs on a worker: say that the task has begun, compute it, tell how long it took."""
    worker = get_worker()
    worker.log_event(STARTED, {"task": task_id, "worker": worker.address})
    # The message must have left before the function can take the process down with it.
    time.sleep(SECONDS_TO_SEND)
    began, began_cpu = time.monotonic(), time.thread_time()
    with warnings.catch_warnings(record=True) as caught:
        rows = function(partition, *args)
    warned = list(dict.fromkeys(f"{warning.category.__name__}: {warning.message}" for warning in caught))
    return rows, warned, time.monotonic() - began, time.thread_time() - began_cpu


@dataclass
class _Flight:
    """A task that has been submitted; `began` and `worker` are known once a worker has taken it up."""

    task: Task
    future: Future[Any]
    began: float | None = None
    worker: str | None = None


class _Mapping:
    """One call of `map_partitions`: keeps the workers supplied, and ends tasks that pass their deadline."""

    def __init__(
        self,
        client: Client,
        receipt: ClusterReceipt,
        function: PartitionFunction,
        batch: Batch,
        args: tuple[Any, ...],
        timeout: float,
    ) -> None:
        self._client = client
        self._receipt = receipt
        self._function = function
        self._batch = batch
        self._args = args
        self._timeout = timeout
        self._flights: dict[int, _Flight] = {}
        self._events: queue.SimpleQueue[tuple[str, int, str]] = queue.SimpleQueue()
        self._warned: set[str] = set()
        self._last_sign_of_life = time.monotonic()

    def run(self, on_outcome: Callable[[Outcome], None] | None) -> list[Outcome]:
        outcomes: list[Outcome] = []
        self._client.subscribe_topic(STARTED, self._on_started)
        try:
            self._submit()
            while self._flights:
                for outcome in self._step():
                    outcomes.append(outcome)
                    for (store, brand), why in outcome.reasons.items():
                        logger.warning("Store %s brand %s failed (%s) and gets a fallback", store, brand, why)
                    if on_outcome:
                        on_outcome(outcome)
                self._submit()
        finally:
            self._client.unsubscribe_topic(STARTED)
            if under_way := [flight.future for flight in self._flights.values()]:
                self._client.cancel(under_way)
        return outcomes

    def _submit(self) -> None:
        """Keep as many tasks under way as there are workers, so that none waits behind one that hangs."""
        while len(self._flights) < self._receipt.workers and (task := self._batch.next_task()):
            task_id = self._receipt.tasks
            self._receipt.tasks += 1
            future = self._client.submit(
                _run_task, self._function, task_id, task.partition, self._args, pure=False, key=f"partition-{task_id}"
            )
            self._flights[task_id] = _Flight(task, future)
            future.add_done_callback(lambda _, task_id=task_id: self._events.put(("done", task_id, "")))

    def _on_started(self, event: Any) -> None:
        _, message = event
        self._events.put(("started", message["task"], message["worker"]))

    def _step(self) -> list[Outcome]:
        """Wait shortly for an event; gives the partitions that ended by it."""
        ended: list[Outcome | None] = []
        try:
            kind, task_id, worker = self._events.get(timeout=0.2)
        except queue.Empty:
            pass
        else:
            self._last_sign_of_life = time.monotonic()
            flight = self._flights.get(task_id)
            if flight and kind == "started":
                flight.began, flight.worker = time.monotonic(), worker
            elif flight:
                ended.append(self._land(task_id))
        ended += [self._end_overdue(task_id) for task_id in self._overdue()]
        self._require_life()
        return [outcome for outcome in ended if outcome]

    def _land(self, task_id: int) -> Outcome | None:
        """Take the result of a task that is done. Its future is released, so that it is never computed again."""
        flight = self._flights.pop(task_id)
        try:
            rows, warned, seconds, cpu = flight.future.result()
        except (KilledWorker, CancelledError) as error:
            return self._failed(flight.task, "worker_lost" if flight.began else "never_began", error)
        except Exception as error:  # whatever the partition's function raised on its worker
            return self._failed(flight.task, "raised", error)
        finally:
            flight.future.release()
        self._receipt.seconds_busy += seconds
        self._receipt.seconds_cpu += cpu
        self._tell_warnings(flight.task, warned)
        return self._batch.succeeded(flight.task, rows)

    def _tell_warnings(self, task: Task, warned: list[str]) -> None:
        """Each text once: a model warns of the same thing in many partitions."""
        for text in warned:
            if text not in self._warned:
                self._warned.add(text)
                logger.warning("Partition %s was the first to warn: %s", task.partition.name, text)

    def _overdue(self) -> list[int]:
        now = time.monotonic()
        return [
            task_id
            for task_id, flight in self._flights.items()
            if flight.began is not None and now - flight.began > self._timeout
        ]

    def _end_overdue(self, task_id: int) -> Outcome | None:
        """A task cannot be interrupted from outside: its worker is ended, and its nanny starts another."""
        flight = self._flights.pop(task_id)
        self._receipt.seconds_busy += self._timeout
        flight.future.cancel(force=True)
        self._client.run(_kill_worker, workers=[flight.worker or ""], nanny=True, on_error="ignore")
        return self._failed(flight.task, "timed_out", TimeoutError(f"took longer than {self._timeout:g} s"))

    def _failed(self, task: Task, failure: Failure, error: Exception) -> Outcome | None:
        self._receipt.lost_tasks += 1
        series = task.partition.series
        first = series.iloc[0]
        where = f"store {first['store']} brand {first['brand']}" if len(series) == 1 else f"{len(series)} series"
        # Only a series that stands alone is known to be the cause; the steps to it are a search.
        level = logging.WARNING if len(series) == 1 else logging.INFO
        logger.log(level, "Partition %s (%s) %s: %r", task.partition.name, where, failure, error)
        return self._batch.failed(task, failure)

    def _require_life(self) -> None:
        """Workers that neither begin nor end anything, with none running, will not come back by themselves."""
        waiting = all(flight.began is None for flight in self._flights.values())
        silent = time.monotonic() - self._last_sign_of_life
        if self._flights and waiting and silent > self._timeout + START_TIMEOUT:
            raise RunError(
                f"No worker has taken up a partition for {silent:.0f} s",
                "see the machine's memory and the logs of the run, then run again: finished partitions are kept",
            )
