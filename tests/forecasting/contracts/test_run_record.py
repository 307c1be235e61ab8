"""Tests of the run record: it takes the result of any stage, and is read as it was written."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts.run_record import Outcome, RunFailure, RunRecord, result_name
from forecasting.contracts.spec import ForecastSpec

RECORD = RunRecord(ForecastSpec(date(1992, 4, 16)), datetime(2026, 1, 1, 12, tzinfo=UTC))


@dataclass(frozen=True)
class Part:
    """A nested part of a result."""

    week: date
    when: datetime | None


@dataclass(frozen=True)
class StageResult:
    """A stage's result with values of every kind that a result may have."""

    rows: int
    share: float
    words: str
    outcome: Outcome
    parts: tuple[Part, ...]
    by_store: Mapping[int, str]
    missing: str | None = None


@dataclass(frozen=True)
class Published:
    """A result with a run id."""

    run_id: str | None


dates = st.dates(date(1900, 1, 1), date(2100, 1, 1))
moments = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
finite = st.floats(allow_nan=False, allow_infinity=False)
words = st.text(st.characters(codec="utf-8"))
results = st.one_of(
    st.builds(Published, st.none() | words),
    st.builds(
        StageResult,
        rows=st.integers(-(2**60), 2**60),
        share=finite,
        words=words,
        outcome=st.sampled_from(Outcome),
        parts=st.lists(st.builds(Part, dates, st.none() | moments), max_size=3).map(tuple),
        by_store=st.dictionaries(st.integers(0, 999), words, max_size=3),
        missing=st.none() | words,
    ),
)


@given(
    st.lists(results, max_size=3),
    st.sampled_from(Outcome),
    moments,
    st.dictionaries(words, st.floats(0, 1e6), max_size=3),
    st.none() | st.builds(RunFailure, words, words),
)
def test_a_record_is_read_as_it_was_written(
    given_results: list[object],
    outcome: Outcome,
    started: datetime,
    seconds: dict[str, float],
    error: RunFailure | None,
) -> None:
    """Whatever the results: of each class the last one, the same as before."""
    record = replace(RECORD, outcome=outcome, started=started, seconds_by_stage=seconds, error=error)
    for result in given_results:
        record = record.with_result(result)

    found = RunRecord.from_json(record.to_json())

    assert found == record
    for kind, result in {type(result): result for result in given_results}.items():
        assert found.result(kind) == record.result(kind) == result


def test_a_result_that_is_not_there_is_none() -> None:
    """The run did not get so far."""
    assert RECORD.result(Published) is None
    assert RECORD.with_result(Published("a")).result(StageResult) is None


def test_a_record_is_frozen() -> None:
    """`with_result` leaves the record before it as it was."""
    after = RECORD.with_result(Published("a"))
    assert (RECORD.run_id, after.run_id) == (None, "a")
    assert after.with_result(Published("b")).run_id == "b"
    assert after.with_result(Published(None)).run_id is None


def test_the_week_is_the_cutoff_of_the_spec() -> None:
    """A record has no week of its own."""
    assert RECORD.week == RECORD.spec.cutoff


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"spec": 1}', RECORD.to_json().replace("running", "walking")])
def test_a_text_that_is_no_record_raises(text: str) -> None:
    """Cut off, of another kind, or with an outcome that does not exist."""
    with pytest.raises(ValueError, match="RunRecord"):
        RunRecord.from_json(text)


def test_a_result_is_named_after_its_class() -> None:
    """The key under which other tools find it in the JSON."""
    assert result_name(StageResult) == "stage_result"
    assert set(RECORD.with_result(Published("a")).results) == {"published"}
