"""Partitions over workers: one task a worker, a deadline for each, and its outcome reported to the retry queue."""

import logging
import queue
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from distributed import CancelledError, Client, Future, get_worker
from distributed.scheduler import KilledWorker

from forecasting.compute import workers
from forecasting.compute.transfer import PartitionUnreadable, StoredPartition, store
from forecasting.compute.usage import UsageMeter
from forecasting.contracts.errors import RunError
from forecasting.contracts.panel_definition import readable
from forecasting.core.forecast_checks import keys_of
from forecasting.core.partition import Partition
from forecasting.core.retry_queue import Failure, PartitionOutcome, RetryQueue, Task

logger = logging.getLogger(__name__)

PartitionFunction = Callable[..., pd.DataFrame]
STARTED = "partition-started"
SECONDS_TO_SEND = 0.01  # twice the interval at which a worker sends its messages
SECONDS_OF_SILENCE = 60.0


def _run_task(
    function: PartitionFunction, task_id: int, partition: Partition | StoredPartition, args: tuple[Any, ...]
) -> Any:
    """On a worker: report that the task has begun, compute it, and return its rows, warnings, wall and CPU seconds."""
    worker = get_worker()
    worker.log_event(STARTED, {"task": task_id, "worker": worker.address})
    # The message must have left before the function can take the process down with it.
    time.sleep(SECONDS_TO_SEND)
    began, began_cpu = time.monotonic(), time.thread_time()
    if isinstance(partition, StoredPartition):
        partition = partition.load()
    with warnings.catch_warnings(record=True) as caught:
        rows = function(partition, *args)
    warned = list(dict.fromkeys(f"{warning.category.__name__}: {warning.message}" for warning in caught))
    return rows, warned, time.monotonic() - began, time.thread_time() - began_cpu


@dataclass
class _Flight:
    """A task that has been submitted; `began` and `worker` are None until a worker has taken it up."""

    task: Task
    future: Future[Any]
    began: float | None = None
    worker: str | None = None


class PartitionMap:
    """One call of `map_partitions`: keeps the workers supplied, and ends tasks that pass their deadline."""

    def __init__(
        self,
        client: Client,
        meter: UsageMeter,
        function: PartitionFunction,
        batch: RetryQueue,
        args: tuple[Any, ...],
        timeout: float,
        *,
        capacity: Callable[[], int],
        version_mismatches: "queue.SimpleQueue[RunError]",
        folder: Path,
    ) -> None:
        """
        Args:
            capacity: how many tasks may be under way just now.
            version_mismatches: an error for each worker of another version, put there when it joins.
            folder: for partitions that are transferred by shared storage.
        """
        self._client = client
        self._meter = meter
        self._function = function
        self._batch = batch
        self._args = args
        self._timeout = timeout
        self._capacity = capacity
        self._version_mismatches = version_mismatches
        self._folder = folder
        self._flights: dict[int, _Flight] = {}
        self._events: queue.SimpleQueue[tuple[str, int, str]] = queue.SimpleQueue()
        self._warned: set[str] = set()
        self._last_sign_of_life = time.monotonic()

    def run(self, on_outcome: Callable[[PartitionOutcome], None] | None) -> list[PartitionOutcome]:
        outcomes: list[PartitionOutcome] = []
        self._client.subscribe_topic(STARTED, self._on_started)
        try:
            self._submit()
            while self._flights:
                for outcome in self._step():
                    outcomes.append(outcome)
                    for key, why in outcome.reasons.items():
                        store, product = map(readable, key)
                        logger.warning("Store %s product %s failed (%s) and gets a fallback", store, product, why)
                    if on_outcome:
                        on_outcome(outcome)
                self._submit()
        finally:
            self._client.unsubscribe_topic(STARTED)
            if under_way := [flight.future for flight in self._flights.values()]:
                self._client.cancel(under_way)
        return outcomes

    def _submit(self) -> None:
        while len(self._flights) < self._capacity() and (task := self._batch.next_task()):
            task_id = self._meter.tasks
            self._meter.tasks += 1
            future = self._client.submit(
                _run_task,
                self._function,
                task_id,
                self._transferred(task.partition, task_id),
                self._args,
                pure=False,
                # On an existing scheduler, other runs have a task of that number too.
                key=f"partition-{self._folder.name}-{task_id}",
            )
            self._flights[task_id] = _Flight(task, future)
            future.add_done_callback(lambda _, task_id=task_id: self._events.put(("done", task_id, "")))

    def _transferred(self, partition: Partition, task_id: int) -> Partition | StoredPartition:
        if self._meter.transfer == "message":
            return partition
        return store(partition, self._folder / f"partition-{task_id}")

    def _on_started(self, event: Any) -> None:
        _, message = event
        self._events.put(("started", message["task"], message["worker"]))

    def _step(self) -> list[PartitionOutcome]:
        """Wait shortly for an event, and return the partitions that ended by it."""
        ended: list[PartitionOutcome | None] = []
        try:
            kind, task_id, worker = self._events.get(timeout=0.2)
        except queue.Empty:
            pass
        else:
            self._require_scheduler()
            self._last_sign_of_life = time.monotonic()
            flight = self._flights.get(task_id)
            if flight and kind == "started":
                flight.began, flight.worker = time.monotonic(), worker
            elif flight:
                ended.append(self._land(task_id))
        ended += [self._end_overdue(task_id) for task_id in self._overdue()]
        self._require_progress()
        return [outcome for outcome in ended if outcome]

    def _land(self, task_id: int) -> PartitionOutcome | None:
        """Take the result of a task that is done, and release its future, so that it is never computed again."""
        flight = self._flights.pop(task_id)
        try:
            rows, warned, seconds, cpu = flight.future.result()
        except (KilledWorker, CancelledError) as error:
            return self._failed(flight.task, "worker_lost" if flight.began else "never_began", error)
        except PartitionUnreadable as error:
            self._meter.transfer = "message"
            return self._failed(flight.task, "never_began", error)
        except Exception as error:  # whatever the partition's function raised on its worker
            return self._failed(flight.task, "raised", error)
        finally:
            flight.future.release()
        self._meter.seconds_busy += seconds
        self._meter.seconds_cpu += cpu
        self._log_warnings(flight.task, warned)
        return self._batch.succeeded(flight.task, rows)

    def _log_warnings(self, task: Task, warned: list[str]) -> None:
        """Log each text once: a model warns of the same thing in many partitions."""
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

    def _end_overdue(self, task_id: int) -> PartitionOutcome | None:
        """End the worker of a task: a task cannot be interrupted from outside. Its nanny starts another."""
        flight = self._flights.pop(task_id)
        self._meter.seconds_busy += self._timeout
        flight.future.cancel(force=True)
        with suppress(KeyError):  # it is gone already
            workers.end_worker(self._client, flight.worker or "")
        return self._failed(flight.task, "timed_out", TimeoutError(f"took longer than {self._timeout:g} s"))

    def _failed(self, task: Task, failure: Failure, error: Exception) -> PartitionOutcome | None:
        self._meter.lost_tasks += 1
        series = task.partition.series
        first, *others = keys_of(series)
        where = f"{len(series)} series" if others else "store {} product {}".format(*map(readable, first))
        # A series that failed alone is the cause; a larger partition is a step of the search for it.
        level = logging.WARNING if len(series) == 1 else logging.INFO
        logger.log(level, "Partition %s (%s) %s: %r", task.partition.name, where, failure, error)
        return self._batch.failed(task, failure)

    def _require_scheduler(self) -> None:
        """Raise if the scheduler is lost: its client then cancels every task, which says nothing of the tasks.

        Raise also if a worker of another version has joined.
        """
        with suppress(queue.Empty):
            raise self._version_mismatches.get_nowait()
        if self._client.status != "running":
            raise RunError(
                "The connection to the cluster's scheduler is lost",
                "see the logs of its host, then run again: finished partitions are kept",
            )

    def _require_progress(self) -> None:
        """Raise if no task runs and none has begun or ended for long: the workers will not come back by themselves."""
        waiting = all(flight.began is None for flight in self._flights.values())
        silent = time.monotonic() - self._last_sign_of_life
        if self._flights and waiting and silent > self._timeout + SECONDS_OF_SILENCE:
            raise RunError(
                f"No worker has taken up a partition for {silent:.0f} s",
                "see the machine's memory and the logs of the run, then run again: finished partitions are kept",
            )
