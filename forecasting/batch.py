"""Which partition to try next: retries, and the search for the series that brings its partition down.

The decisions alone, with no cluster in sight: `forecasting.adapters.cluster` submits what `next_task` gives
and tells how it ended. A series that raises, hangs or kills its worker costs itself only: its partition is
halved until it stands alone. A pooled model is then run once more on the partition without it, as it
learns from all the series of a partition together.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from forecasting.partition import Partition

Series = tuple[int, int]
Failure = Literal["raised", "timed_out", "worker_lost"]

# A partition function is pure: what raised once will raise again, what was lost may not be.
WORTH_RETRYING: frozenset[Failure] = frozenset({"timed_out", "worker_lost"})


@dataclass(eq=False)
class Task:
    """One try at some series of a partition."""

    partition: Partition
    root: "_Root"
    tries: int = 0
    final: bool = False


@dataclass(eq=False)
class _Root:
    """A partition of the batch, and what the search in it has found so far."""

    partition: Partition
    open_tasks: int = 1
    frames: list[pd.DataFrame] = field(default_factory=list)
    reasons: dict[Series, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a partition ended: its rows, and the reason of every series whose rows cannot be used."""

    partition: Partition
    frames: list[pd.DataFrame]
    reasons: dict[Series, str]


class Batch:
    """The partitions still to be computed, and the rule that says what follows a failure."""

    def __init__(
        self,
        partitions: list[Partition],
        *,
        max_retries: int,
        pooled: bool,
        unusable: Callable[[pd.DataFrame, pd.DataFrame], dict[Series, str]],
    ) -> None:
        """
        Args:
            max_retries: how often a lost or overdue task is tried again.
            pooled: whether the model learns from the series of a partition together.
            unusable: names the series, among those asked for, whose rows cannot be used.
        """
        self._max_retries = max_retries
        self._pooled = pooled
        self._unusable = unusable
        self._waiting = deque(Task(partition, _Root(partition)) for partition in partitions)

    def next_task(self) -> Task | None:
        """The next task to submit; none where all are under way."""
        return self._waiting.popleft() if self._waiting else None

    def succeeded(self, task: Task, rows: pd.DataFrame) -> Outcome | None:
        """Take a task's rows; gives the partition's outcome where this was its last task."""
        unusable = self._unusable(rows, task.partition.series)
        if task.final:
            task.root.frames.clear()
        task.root.frames.append(rows)
        task.root.reasons.update(unusable)
        return self._closed(task)

    def failed(self, task: Task, failure: Failure) -> Outcome | None:
        """Decide what follows: another try, a search by halves, or giving up on a single series."""
        task.tries += 1
        if failure in WORTH_RETRYING and task.tries <= self._max_retries:
            self._waiting.append(task)
            return None
        if task.final:
            # The halves have succeeded without it: their rows stand.
            return self._closed(task)
        series = task.partition.series
        if len(series) == 1:
            ((store, brand),) = series.itertuples(index=False, name=None)
            task.root.reasons[int(store), int(brand)] = failure
            return self._closed(task)
        half = len(series) // 2
        for part in (series.iloc[:half], series.iloc[half:]):
            # A half is a new suspect, and has all its retries before it.
            self._waiting.appendleft(Task(task.partition.only(part), task.root))
        task.root.open_tasks += 1
        return None

    def _closed(self, task: Task) -> Outcome | None:
        root = task.root
        root.open_tasks -= 1
        if root.open_tasks:
            return None
        good = root.partition.series
        if root.reasons:
            good = good[~pd.MultiIndex.from_frame(good).isin(list(root.reasons))]
        found_by_halves = len(root.frames) > 1
        if self._pooled and found_by_halves and not task.final and len(good):
            root.open_tasks = 1
            self._waiting.appendleft(Task(root.partition.only(good), root, final=True))
            return None
        return Outcome(root.partition, list(root.frames), dict(root.reasons))
