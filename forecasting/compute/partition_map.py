"""Partitions over workers: a few tasks a worker, a deadline for each, and its outcome reported to the retry queue.

A task costs the driver little: tasks are sent and their results fetched many at a time, and nothing is reported when
one begins. How long a task has run that may be late, the scheduler is asked: it knows it from its workers' heartbeats.

If a worker is lost, each task that was on it may be the cause. They are tried again as suspects: a suspect reports that
it begins, and no worker has two of them, so that the next loss has one cause.
"""

import logging
import pickle
import queue
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cloudpickle
from distributed import CancelledError, Client, Future, get_worker
from distributed.scheduler import KilledWorker

from forecasting.compute import workers
from forecasting.compute.transfer import RowsUnreadable
from forecasting.compute.usage import UsageMeter
from forecasting.contracts.errors import RunError
from forecasting.contracts.panel_definition import readable
from forecasting.core.forecast_checks import keys_of
from forecasting.core.partition import Partition, PartitionData
from forecasting.core.retry_queue import Failure, Part, PartitionOutcome, RetryQueue, Task

logger = logging.getLogger(__name__)

# Called on a worker with a partition, or with its rows where it cannot read them, and further arguments.
PartitionFunction = Callable[..., Part]
Rows = Callable[[Partition], PartitionData]

STARTED = "partition-started"
TASKS_A_WORKER = 8  # so many are under way for each worker: one that is done has the next at hand
SECONDS_TO_SEND = 0.01  # twice the interval at which a worker sends its messages
SECONDS_BETWEEN_CHECKS = 0.5  # at which workers report what they do, too
SECONDS_OF_SILENCE = 60.0


def _run_task(job: bytes, task_id: int, partition: Partition | PartitionData, is_suspect: bool) -> Any:
    """On a worker: compute a task, and return its part, warnings, wall and CPU seconds."""
    if is_suspect:
        worker = get_worker()
        worker.log_event(STARTED, {"task": task_id, "worker": worker.address})
        # The message must have left before the function can take the process down with it.
        time.sleep(SECONDS_TO_SEND)
    function, args = _unpacked(job)
    began, began_cpu = time.monotonic(), time.thread_time()
    with warnings.catch_warnings(record=True) as caught:
        part = function(partition, *args)
    warned = list(dict.fromkeys(f"{warning.category.__name__}: {warning.message}" for warning in caught))
    return part, warned, time.monotonic() - began, time.thread_time() - began_cpu


@lru_cache(maxsize=1)
def _unpacked(job: bytes) -> tuple[PartitionFunction, tuple[Any, ...]]:
    """On a worker: return function and arguments, which are the same for all tasks of a map."""
    found: tuple[PartitionFunction, tuple[Any, ...]] = pickle.loads(job)  # noqa: S301 - as all that Dask sends
    return found


@dataclass
class _Flight:
    """A task that has been submitted; `began` and `worker` are None until a suspect has reported that it begins."""

    task: Task
    future: Future[Any]
    submitted: float
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
        n_workers: Callable[[], int],
        version_mismatches: "queue.SimpleQueue[RunError]",
        rows: Rows | None,
        prefix: str,
    ) -> None:
        """
        Args:
            n_workers: how many workers there may be just now.
            version_mismatches: an error for each worker of another version, put there when it joins.
            rows: reads the rows of a partition here, for workers that cannot; None where partitions carry theirs.
            prefix: of the names of tasks; other runs on the scheduler have another one.
        """
        self._client = client
        self._meter = meter
        self._job = cloudpickle.dumps((function, args))
        self._batch = batch
        self._timeout = timeout
        self._n_workers = n_workers
        self._version_mismatches = version_mismatches
        self._rows = rows
        self._prefix = f"partition-{prefix}"
        self._flights: dict[int, _Flight] = {}
        self._held_back: Task | None = None
        self._events: queue.SimpleQueue[tuple[str, int, str]] = queue.SimpleQueue()
        self._warned: set[str] = set()
        self._last_sign_of_life = self._last_check = time.monotonic()

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
        """Send more tasks, many at a time, once half of those that may be under way are done."""
        n_workers = self._n_workers()
        suspects = sum(flight.task.suspect for flight in self._flights.values())
        most = n_workers * (1 if suspects or self._held_back else TASKS_A_WORKER)
        if len(self._flights) > most // 2:
            return
        tasks: list[Task] = []
        while len(self._flights) + len(tasks) < most and (task := self._next_task()):
            if task.suspect:
                most = n_workers
                if len(self._flights) + len(tasks) >= most:
                    self._held_back = task  # until no other task has to share the suspicion
                    break
            tasks.append(task)
        if tasks:
            self._send(tasks)

    def _next_task(self) -> Task | None:
        task, self._held_back = self._held_back, None
        return self._batch.next_task() if task is None or self._batch.refused else task

    def _send(self, tasks: list[Task]) -> None:
        first = self._meter.tasks
        self._meter.tasks += len(tasks)
        ids = list(range(first, first + len(tasks)))
        futures = self._client.map(
            _run_task,
            [self._job] * len(tasks),
            ids,
            [self._payload(task.partition) for task in tasks],
            [task.suspect for task in tasks],
            pure=False,
            # On an existing scheduler, other runs have a task of that number too.
            key=[f"{self._prefix}-{task_id}" for task_id in ids],
        )
        now = time.monotonic()
        for task_id, task, future in zip(ids, tasks, futures, strict=True):
            self._flights[task_id] = _Flight(task, future, now)
            future.add_done_callback(lambda _, task_id=task_id: self._events.put(("done", task_id, "")))

    def _payload(self, partition: Partition | PartitionData) -> Partition | PartitionData:
        """Return what is sent: the partition itself, or the rows that the workers cannot read."""
        if self._rows and self._meter.transfer == "message" and isinstance(partition, Partition):
            return self._rows(partition)
        return partition

    def _on_started(self, event: Any) -> None:
        _, message = event
        self._events.put(("started", message["task"], message["worker"]))

    def _step(self) -> list[PartitionOutcome]:
        """Wait shortly for events, and return the partitions that ended by them."""
        done = self._take_events()
        ended = [self._land(flight, result) for flight, result in self._fetched(done)]
        ended += [self._end_overdue(task_id, worker) for task_id, worker in self._overdue().items()]
        self._require_progress()
        return [outcome for outcome in ended if outcome]

    def _take_events(self) -> list[int]:
        """Return the tasks that are done, and note which have begun."""
        done = []
        with suppress(queue.Empty):
            event = self._events.get(timeout=SECONDS_BETWEEN_CHECKS)
            self._require_scheduler()
            self._last_sign_of_life = time.monotonic()
            while True:
                kind, task_id, worker = event
                flight = self._flights.get(task_id)
                if flight and kind == "started":
                    flight.began, flight.worker = time.monotonic(), worker
                elif flight:
                    done.append(task_id)
                event = self._events.get_nowait()
        return done

    def _fetched(self, done: list[int]) -> list[tuple[_Flight, Any]]:
        """Return the flights that are done with their result or error; their futures are released.

        So that they are never computed again.
        """
        flights = [self._flights.pop(task_id) for task_id in done]
        finished = [flight.future for flight in flights if flight.future.status == "finished"]
        try:
            results = dict(zip(finished, self._client.gather(finished), strict=True)) if finished else {}
        except Exception:  # one of them was lost with its worker just now; `result` says which
            results = {}
        landed = []
        for flight in flights:
            try:
                result = results[flight.future] if flight.future in results else flight.future.result()
            except (Exception, CancelledError) as error:  # whatever the partition's function raised on its worker
                result = error
            flight.future.release()
            landed.append((flight, result))
        return landed

    def _land(self, flight: _Flight, result: Any) -> PartitionOutcome | None:
        """Report a task that is done to the retry queue."""
        if isinstance(result, KilledWorker | CancelledError):
            return self._failed(flight.task, "worker_lost" if flight.began else "never_began", result)
        if isinstance(result, RowsUnreadable):
            self._meter.transfer = "message"
            return self._failed(flight.task, "never_began", result)
        if isinstance(result, BaseException):
            return self._failed(flight.task, "raised", result)
        part, warned, seconds, cpu = result
        self._meter.seconds_busy += seconds
        self._meter.seconds_cpu += cpu
        self._log_warnings(flight.task, warned)
        return self._batch.succeeded(flight.task, part)

    def _log_warnings(self, task: Task, warned: list[str]) -> None:
        """Log each text once: a model warns of the same thing in many partitions."""
        for text in warned:
            if text not in self._warned:
                self._warned.add(text)
                logger.warning("Partition %s was the first to warn: %s", task.partition.name, text)

    def _overdue(self) -> dict[int, str]:
        """Return the tasks that have passed their deadline, with their workers."""
        now = time.monotonic()
        if now - self._last_check < SECONDS_BETWEEN_CHECKS:
            return {}
        self._last_check = now
        overdue = {
            task_id: flight.worker or ""
            for task_id, flight in self._flights.items()
            if flight.began is not None and now - flight.began > self._timeout
        }
        # A task has not run for longer than it has been under way.
        if any(now - flight.submitted > self._timeout for flight in self._flights.values()):
            for key, (worker, seconds) in workers.running(self._client, self._prefix).items():
                task_id = int(key.rpartition("-")[2])
                if task_id in self._flights and seconds > self._timeout:
                    overdue[task_id] = worker
        return overdue

    def _end_overdue(self, task_id: int, worker: str) -> PartitionOutcome | None:
        """End the worker of a task: a task cannot be interrupted from outside. Its nanny starts another."""
        flight = self._flights.pop(task_id)
        self._last_sign_of_life = time.monotonic()
        self._meter.seconds_busy += self._timeout
        flight.future.cancel(force=True)
        with suppress(KeyError):  # it is gone already
            workers.end_worker(self._client, worker)
        return self._failed(flight.task, "timed_out", TimeoutError(f"took longer than {self._timeout:g} s"))

    def _failed(self, task: Task, failure: Failure, error: BaseException) -> PartitionOutcome | None:
        self._meter.lost_tasks += 1
        series = task.partition.series
        first, *others = keys_of(series)
        where = f"{len(series)} series" if others else "store {} product {}".format(*map(readable, first))
        # A series that failed alone is the cause; a larger partition is a step of the search for it.
        level = logging.WARNING if len(series) == 1 and failure != "never_began" else logging.INFO
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
        """Raise if no task runs and none has begun or ended for long: the workers will not come back by themselves.

        One that runs would have been ended at its deadline.
        """
        silent = time.monotonic() - self._last_sign_of_life
        if self._flights and silent > self._timeout + SECONDS_OF_SILENCE:
            raise RunError(
                f"No worker has taken up a partition for {silent:.0f} s",
                "see the machine's memory and the logs of the run, then run again: finished partitions are kept",
            )
