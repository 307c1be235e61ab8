"""Which partition to try next: retries, and the search for the series that brings its partition down.

Decisions only, without a cluster: `forecasting.compute` submits what `next_task` gives and reports how it ended. A
series that raises, hangs or kills its worker costs itself only: its partition is halved until it stands alone. A pooled
model is then run once more on the partition without it, as it learns from all series of a partition together.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from forecasting.contracts.panel_definition import Series
from forecasting.core.partition import Partition, PartitionData
from forecasting.core.pool import Pool

Failure = Literal["raised", "timed_out", "worker_lost", "never_began"]

# A task that only waited on a lost worker has not caused the loss, but its waits are limited.
WAITS_IN_VAIN = 5


@dataclass(frozen=True)
class Part:
    """What one task has computed.

    name: of the task's partition, and of the file where the worker has written the rows itself.
    rows: the forecasts; None where the worker has written them.
    pool: what it has learnt, where it was to learn and not to forecast.
    reasons: why rows of a series cannot be used.
    """

    name: str
    rows: pd.DataFrame | None = None
    pool: Pool | None = None
    reasons: Mapping[Series, str] = field(default_factory=dict)


@dataclass(eq=False)
class Task:
    """One try at some series of a partition.

    suspect: whether it may bring its worker down, as one like it was lost: it must be known whether it has begun.
    """

    partition: Partition | PartitionData
    root: "_Root"
    tries: int = 0
    waits_in_vain: int = 0
    final: bool = False
    suspect: bool = False


@dataclass(eq=False)
class _Root:
    """A partition of the batch, and what the search in it has found so far."""

    partition: Partition | PartitionData
    open_tasks: int = 1
    parts: list[Part] = field(default_factory=list)
    reasons: dict[Series, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PartitionOutcome:
    """How a partition ended: what its tasks computed, and the reason of every series whose rows cannot be used."""

    partition: Partition | PartitionData
    parts: list[Part]
    reasons: dict[Series, str]


class RetryQueue:
    """The partitions still to be computed, and the rule that says what follows a failure."""

    def __init__(
        self,
        partitions: Sequence[Partition | PartitionData],
        *,
        max_retries: int,
        pooled: bool,
        error_threshold: int,
    ) -> None:
        """
        Args:
            max_retries: how often a lost or overdue task is tried again.
            pooled: whether the model learns from the series of a partition together.
            error_threshold: most series that may fail before the batch is given up; -1 allows any number.
        """
        self._max_retries = max_retries
        self._pooled = pooled
        self._error_threshold = error_threshold
        self.reasons: dict[Series, str] = {}
        self._waiting = deque(Task(partition, _Root(partition)) for partition in partitions)

    @property
    def refused(self) -> bool:
        """Whether more series have failed than may; what is still waiting is then not computed."""
        return 0 <= self._error_threshold < len(self.reasons)

    def next_task(self) -> Task | None:
        """The next task to submit; none where all are under way, or the batch is refused."""
        return self._waiting.popleft() if self._waiting and not self.refused else None

    def succeeded(self, task: Task, part: Part) -> PartitionOutcome | None:
        """Take what a task computed; gives the partition's outcome where this was its last task."""
        if task.final:
            task.root.parts.clear()
        task.root.parts.append(part)
        self._give_up(task, part.reasons)
        return self._closed(task)

    def failed(self, task: Task, failure: Failure) -> PartitionOutcome | None:
        """Decide what follows: another try, a search by halves, or giving up on a single series."""
        task.suspect = True
        if self._is_worth_another_try(task, failure):
            self._waiting.append(task)
            return None
        if task.final:
            # The halves have succeeded without it: their rows stand.
            return self._closed(task)
        series = task.partition.series
        if len(series) == 1:
            (key,) = series.itertuples(index=False, name=None)
            self._give_up(task, {key: "worker_lost" if failure == "never_began" else failure})
            return self._closed(task)
        half = len(series) // 2
        for number, part in enumerate((series.iloc[:half], series.iloc[half:]), 1):
            # A half is a new suspect, and has all its retries before it.
            name = f"{task.partition.name}-{number}"
            self._waiting.appendleft(Task(task.partition.only(part, name), task.root, suspect=True))
        task.root.open_tasks += 1
        return None

    def _give_up(self, task: Task, reasons: Mapping[Series, str]) -> None:
        task.root.reasons |= reasons
        self.reasons |= reasons

    def _is_worth_another_try(self, task: Task, failure: Failure) -> bool:
        """A partition function is pure: what raised once will raise again, what was lost may not be."""
        if failure == "never_began":
            task.waits_in_vain += 1
            return task.waits_in_vain <= WAITS_IN_VAIN
        task.tries += 1
        return failure != "raised" and task.tries <= self._max_retries

    def _closed(self, task: Task) -> PartitionOutcome | None:
        root = task.root
        root.open_tasks -= 1
        if root.open_tasks:
            return None
        good = root.partition.series
        if root.reasons:
            good = good[~pd.MultiIndex.from_frame(good).isin(list(root.reasons))]
        found_by_halves = len(root.parts) > 1
        if self._pooled and found_by_halves and not task.final and len(good):
            root.open_tasks = 1
            together = root.partition.only(good, f"{root.partition.name}-good")
            self._waiting.appendleft(Task(together, root, final=True, suspect=True))
            return None
        return PartitionOutcome(root.partition, list(root.parts), dict(root.reasons))
