"""Tests of what follows a failure, driven without a cluster."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Series
from forecasting.core.partition import Partition
from forecasting.core.retry_queue import Failure, Part, PartitionOutcome, RetryQueue, Task

FOUR = ((2, 1), (2, 2), (5, 1), (5, 2))


def partition_of(*series: Series, name: str = "part-0000") -> Partition:
    return Partition(name, pd.DataFrame(sorted(series), columns=schemas.SERIES))


def keys(frame: pd.DataFrame) -> tuple[Series, ...]:
    return tuple(
        (int(store), int(product)) for store, product in frame[schemas.SERIES].itertuples(index=False, name=None)
    )


@dataclass
class Computer:
    """Stands for cluster and model: computes one task at a time, and fails as its series make it fail.

    poison: series that bring every task down they are in. useless: series whose rows cannot be used.
    flaky: how many tasks are lost before the first one is not, whatever is in them.
    tried: the series of every task, in the order of the tasks.
    """

    poison: Mapping[Series, Failure] = field(default_factory=dict)
    useless: frozenset[Series] = frozenset()
    flaky: int = 0
    tried: list[tuple[Series, ...]] = field(default_factory=list)

    def run(
        self, *partitions: Partition, pooled: bool = False, max_retries: int = 2, error_threshold: int = -1
    ) -> list[PartitionOutcome]:
        batch = RetryQueue(
            list(partitions),
            max_retries=max_retries,
            pooled=pooled,
            error_threshold=error_threshold,
        )
        outcomes: list[PartitionOutcome] = []
        while (task := batch.next_task()) is not None:
            assert len(self.tried) < 1000, "the batch does not end"
            outcome = self._compute(batch, task)
            if outcome:
                outcomes.append(outcome)
        return outcomes

    def _compute(self, batch: RetryQueue, task: Task) -> PartitionOutcome | None:
        series = keys(task.partition.series)
        self.tried.append(series)
        if self.flaky:
            self.flaky -= 1
            return batch.failed(task, "worker_lost")
        failures = [self.poison[key] for key in series if key in self.poison]
        if failures:
            return batch.failed(task, failures[0])
        reasons = {key: "negative" for key in series if key in self.useless}
        return batch.succeeded(task, part_of(task, reasons))


def batch_of_four(*, max_retries: int, pooled: bool = False) -> RetryQueue:
    """One partition of four series, to be driven by hand."""
    return RetryQueue(
        [partition_of(*FOUR)],
        max_retries=max_retries,
        pooled=pooled,
        error_threshold=-1,
    )


def next_of(batch: RetryQueue) -> Task:
    task = batch.next_task()
    assert task is not None
    return task


def part_of(task: Task, reasons: Mapping[Series, str] | None = None) -> Part:
    rows = task.partition.series.assign(learnt_from=len(task.partition.series))
    return Part(task.partition.name, rows, reasons=reasons or {})


def frames(outcome: PartitionOutcome) -> list[pd.DataFrame]:
    return [part.rows for part in outcome.parts if part.rows is not None]


def usable(outcome: PartitionOutcome) -> list[Series]:
    return sorted(key for rows in frames(outcome) for key in keys(rows) if key not in outcome.reasons)


@pytest.mark.parametrize("pooled", [False, True])
def test_a_partition_that_succeeds_is_tried_once(pooled: bool) -> None:
    """One task, one outcome, no reasons; and no task where there is no partition."""
    computer = Computer()

    (outcome,) = computer.run(partition_of(*FOUR), pooled=pooled)

    assert computer.tried == [FOUR]
    assert usable(outcome) == list(FOUR)
    assert outcome.reasons == {}
    assert outcome.partition.name == "part-0000"
    assert Computer().run() == []


def test_what_raised_is_not_tried_again_but_halved_until_the_culprit_stands_alone() -> None:
    """One series of four raises: its half, then itself are found; the others keep the rows of their halves."""
    computer = Computer(poison={(5, 1): "raised"})

    (outcome,) = computer.run(partition_of(*FOUR))

    assert sorted(computer.tried) == sorted([FOUR, FOUR[:2], FOUR[2:], ((5, 1),), ((5, 2),)])
    assert outcome.reasons == {(5, 1): "raised"}
    assert usable(outcome) == [(2, 1), (2, 2), (5, 2)]


@pytest.mark.parametrize("failure", ["worker_lost", "timed_out"])
def test_what_was_lost_is_tried_again_and_then_halved(failure: Failure) -> None:
    """A series that always takes its worker along costs max_retries more tries at every size, and itself only."""
    computer = Computer(poison={(2, 2): failure})

    (outcome,) = computer.run(partition_of(*FOUR), max_retries=2)

    tries = Counter(computer.tried)
    assert tries == {FOUR: 3, FOUR[:2]: 3, FOUR[2:]: 1, ((2, 1),): 1, ((2, 2),): 3}
    assert outcome.reasons == {(2, 2): failure}
    assert usable(outcome) == [(2, 1), (5, 1), (5, 2)]


def test_a_worker_that_is_lost_by_chance_costs_nothing() -> None:
    """As many losses as there are retries are forgotten."""
    computer = Computer(flaky=2)

    (outcome,) = computer.run(partition_of(*FOUR), max_retries=2)

    assert computer.tried == [FOUR] * 3
    assert outcome.reasons == {}
    assert usable(outcome) == list(FOUR)


def test_without_retries_a_lost_task_is_halved_at_once() -> None:
    """One loss beyond the retries leads to two halves, which then succeed."""
    computer = Computer(flaky=1)

    (outcome,) = computer.run(partition_of(*FOUR), max_retries=0)

    assert sorted(computer.tried) == sorted([FOUR, FOUR[:2], FOUR[2:]])
    assert usable(outcome) == list(FOUR)


def test_a_pooled_model_runs_once_more_without_the_culprit() -> None:
    """The rows that stand come from one run on all good series together, not from the halves."""
    computer = Computer(poison={(5, 1): "raised"})

    (outcome,) = computer.run(partition_of(*FOUR), pooled=True)

    good = ((2, 1), (2, 2), (5, 2))
    assert computer.tried[-1] == good
    assert computer.tried.count(good) == 1
    assert len(outcome.parts) == 1
    assert keys(frames(outcome)[0]) == good
    assert set(frames(outcome)[0]["learnt_from"]) == {3}
    assert outcome.reasons == {(5, 1): "raised"}


def test_the_halves_stand_where_the_last_run_of_a_pooled_model_fails() -> None:
    """If all good series together cannot be computed, what the halves gave is kept."""
    batch = batch_of_four(max_retries=0, pooled=True)
    batch.failed(next_of(batch), "raised")
    for _ in range(2):
        half = next_of(batch)
        assert batch.succeeded(half, part_of(half)) is None
    last = next_of(batch)
    assert last.final

    outcome = batch.failed(last, "raised")

    assert outcome is not None
    assert usable(outcome) == list(FOUR)
    assert batch.next_task() is None


@pytest.mark.parametrize("pooled", [False, True])
def test_rows_that_cannot_be_used_cost_their_series_only(pooled: bool) -> None:
    """The partition is not computed again, and the other series keep their rows."""
    computer = Computer(useless=frozenset({(2, 2)}))

    (outcome,) = computer.run(partition_of(*FOUR), pooled=pooled)

    assert computer.tried == [FOUR]
    assert outcome.reasons == {(2, 2): "negative"}
    assert usable(outcome) == [(2, 1), (5, 1), (5, 2)]


def test_a_failure_in_one_partition_leaves_the_others_alone() -> None:
    """Each partition has its own outcome, under its own name."""
    computer = Computer(poison={(2, 1): "raised"})
    bad, good = partition_of(*FOUR[:2], name="bad"), partition_of(*FOUR[2:], name="good")

    outcomes = {outcome.partition.name: outcome for outcome in computer.run(bad, good)}

    assert outcomes["good"].reasons == {}
    assert computer.tried.count(FOUR[2:]) == 1
    assert usable(outcomes["good"]) == list(FOUR[2:])
    assert usable(outcomes["bad"]) == [(2, 2)]


def test_a_partition_of_nothing_but_culprits_ends_without_rows() -> None:
    """Every series has its own reason."""
    (outcome,) = Computer(poison={(2, 1): "raised", (2, 2): "timed_out"}).run(partition_of(*FOUR[:2]), pooled=True)

    assert outcome.parts == []
    assert outcome.reasons == {(2, 1): "raised", (2, 2): "timed_out"}


def test_a_task_that_only_waited_on_a_lost_worker_is_tried_again_without_suspicion() -> None:
    """It was not under way: it comes again whole, even where no retry is allowed."""
    batch = batch_of_four(max_retries=0)

    assert batch.failed(next_of(batch), "never_began") is None

    assert keys(next_of(batch).partition.series) == FOUR


def test_waiting_in_vain_does_not_use_up_the_retries_of_a_task() -> None:
    """After some waits in vain the task's first real loss is forgiven as it would be without them."""
    batch = batch_of_four(max_retries=2)
    for _ in range(3):
        batch.failed(next_of(batch), "never_began")

    batch.failed(next_of(batch), "worker_lost")

    assert keys(next_of(batch).partition.series) == FOUR


def test_a_series_that_never_begins_ends_as_lost() -> None:
    """Nothing waits for ever: in the end every series has the reason that people know."""
    computer = Computer(dict.fromkeys(FOUR, "never_began"))

    (outcome,) = computer.run(partition_of(*FOUR), max_retries=0)

    assert outcome.reasons == dict.fromkeys(FOUR, "worker_lost")


@pytest.mark.parametrize(("error_threshold", "tasks"), [(-1, 4), (0, 1), (1, 2), (4, 4)])
def test_a_batch_stops_once_more_series_failed_than_may(error_threshold: int, tasks: int) -> None:
    """What cannot be published any more is not computed any more; -1 allows any number."""
    computer = Computer(dict.fromkeys(FOUR, "raised"))

    computer.run(*(partition_of(key) for key in FOUR), error_threshold=error_threshold)

    assert len(computer.tried) == tasks


def test_a_refused_batch_knows_what_failed() -> None:
    """Exactly as many failures as allowed are no refusal; one more is, and each has its reason."""
    one, two = partition_of(FOUR[0]), partition_of(FOUR[1])
    batch = RetryQueue([one, two], max_retries=0, pooled=False, error_threshold=1)

    batch.failed(next_of(batch), "raised")
    assert not batch.refused
    batch.failed(next_of(batch), "timed_out")

    assert batch.refused
    assert batch.reasons == {FOUR[0]: "raised", FOUR[1]: "timed_out"}


failures: st.SearchStrategy[Failure] = st.sampled_from(["raised", "timed_out", "worker_lost", "never_began"])
series_sets = st.sets(st.tuples(st.integers(1, 20), st.integers(1, 11)), min_size=1, max_size=16)


@settings(max_examples=25, deadline=None)
@given(series_sets, st.data(), st.integers(1, 3), st.booleans(), st.integers(0, 2))
def test_every_series_ends_with_a_row_or_a_reason(
    series: set[Series], data: st.DataObject, n_partitions: int, pooled: bool, max_retries: int
) -> None:
    """Whichever series fail in whichever way, they and no others have a reason, and the others one row each."""
    ordered = sorted(series)
    poison = data.draw(st.dictionaries(st.sampled_from(ordered), failures))
    useless = frozenset(data.draw(st.sets(st.sampled_from(ordered))) - set(poison))
    computer = Computer(poison, useless, flaky=data.draw(st.integers(0, max_retries)))
    cuts = [ordered[start::n_partitions] for start in range(n_partitions)]
    partitions = [partition_of(*cut, name=str(number)) for number, cut in enumerate(cuts) if cut]

    outcomes = computer.run(*partitions, pooled=pooled, max_retries=max_retries)

    reasons = {key: reason for outcome in outcomes for key, reason in outcome.reasons.items()}
    rows = [key for outcome in outcomes for key in usable(outcome)]
    assert len(outcomes) == len(partitions)
    known = {key: "worker_lost" if failure == "never_began" else failure for key, failure in poison.items()}
    assert reasons == {**known, **dict.fromkeys(useless, "negative")}
    assert sorted(rows) == sorted(series - set(reasons))
