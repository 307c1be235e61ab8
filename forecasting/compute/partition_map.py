"""Partitions over workers: one task a worker, a deadline for each, and what became of it told to the batch."""

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

from forecasting.compute import on_worker
from forecasting.compute.transfer import PartitionOutOfReach, StoredPartition, store
from forecasting.compute.usage import ClusterUsage
from forecasting.contracts.errors import RunError
from forecasting.core.partition import Partition
from forecasting.core.retry_queue import Failure, Outcome, RetryQueue, Task

logger = logging.getLogger(__name__)

PartitionFunction = Callable[..., pd.DataFrame]
STARTED = "partition-started"
SECONDS_TO_SEND = 0.01  # twice the interval at which a worker sends its messages
SECONDS_OF_SILENCE = 60.0


def _run_task(
    function: PartitionFunction, task_id: int, partition: Partition | StoredPartition, args: tuple[Any, ...]
) -> Any:
    """Runs on a worker: say that the task has begun, compute it, tell how long it took."""
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
    """A task that has been submitted; `began` and `worker` are known once a worker has taken it up."""

    task: Task
    future: Future[Any]
    began: float | None = None
    worker: str | None = None


class PartitionMapping:
    """One call of `map_partitions`: keeps the workers supplied, and ends tasks that pass their deadline."""

    def __init__(
        self,
        client: Client,
        usage: ClusterUsage,
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
            strangers: errors that tell of workers of another version, as these come.
            folder: for partitions that are handed over by path.
        """
        self._client = client
        self._usage = usage
        self._function = function
        self._batch = batch
        self._args = args
        self._timeout = timeout
        self._capacity = capacity
        self._strangers = version_mismatches
        self._folder = folder
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
                    for (store, product), why in outcome.reasons.items():
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
            task_id = self._usage.tasks
            self._usage.tasks += 1
            future = self._client.submit(
                _run_task,
                self._function,
                task_id,
                self._handed_over(task.partition, task_id),
                self._args,
                pure=False,
                # On a scheduler of somebody else's, other runs have a task of that number too.
                key=f"partition-{self._folder.name}-{task_id}",
            )
            self._flights[task_id] = _Flight(task, future)
            future.add_done_callback(lambda _, task_id=task_id: self._events.put(("done", task_id, "")))

    def _handed_over(self, partition: Partition, task_id: int) -> Partition | StoredPartition:
        if self._usage.handed_over == "by value":
            return partition
        return store(partition, self._folder / f"partition-{task_id}")

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
            self._require_scheduler()
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
        except PartitionOutOfReach as error:
            self._usage.handed_over = "by value"
            return self._failed(flight.task, "never_began", error)
        except Exception as error:  # whatever the partition's function raised on its worker
            return self._failed(flight.task, "raised", error)
        finally:
            flight.future.release()
        self._usage.seconds_busy += seconds
        self._usage.seconds_cpu += cpu
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
        self._usage.seconds_busy += self._timeout
        flight.future.cancel(force=True)
        self._end_worker(flight.worker or "")
        return self._failed(flight.task, "timed_out", TimeoutError(f"took longer than {self._timeout:g} s"))

    def _end_worker(self, address: str) -> None:
        """Through its nanny; a worker that has none ends itself, and does not come back unless somebody starts it."""
        on_worker.by_value()
        with suppress(KeyError):  # it is gone already
            answers = self._client.run(on_worker.end_worker, workers=[address], nanny=True, on_error="ignore")
            if not answers:
                self._client.run(on_worker.end_worker, workers=[address], on_error="ignore")

    def _failed(self, task: Task, failure: Failure, error: Exception) -> Outcome | None:
        self._usage.lost_tasks += 1
        series = task.partition.series
        first = series.iloc[0]
        where = f"store {first['store']} product {first['product']}" if len(series) == 1 else f"{len(series)} series"
        # Only a series that stands alone is known to be the cause; the steps to it are a search.
        level = logging.WARNING if len(series) == 1 else logging.INFO
        logger.log(level, "Partition %s (%s) %s: %r", task.partition.name, where, failure, error)
        return self._batch.failed(task, failure)

    def _require_scheduler(self) -> None:
        """Without its scheduler a client cancels every task, which says nothing of the tasks."""
        with suppress(queue.Empty):
            raise self._strangers.get_nowait()
        if self._client.status != "running":
            raise RunError(
                "The connection to the cluster's scheduler is lost",
                "see the logs of its host, then run again: finished partitions are kept",
            )

    def _require_life(self) -> None:
        """Workers that neither begin nor end anything, with none running, will not come back by themselves."""
        waiting = all(flight.began is None for flight in self._flights.values())
        silent = time.monotonic() - self._last_sign_of_life
        if self._flights and waiting and silent > self._timeout + SECONDS_OF_SILENCE:
            raise RunError(
                f"No worker has taken up a partition for {silent:.0f} s",
                "see the machine's memory and the logs of the run, then run again: finished partitions are kept",
            )
