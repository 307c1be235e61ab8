"""Tests of the folds: the protocols of the benchmark by their weeks, and folds of one's own."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import OptionError
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.folds import PROTOCOLS, PUBLISHED_MAPE, Folds, choose_folds


def number(week: date) -> int:
    """The number that the benchmark gives this week."""
    return (week - dominicks_week(0)) // WEEK


def weeks_of(protocol: str) -> tuple[list[int], list[int]]:
    """The numbers of a protocol's cutoffs, and of the weeks forecast, fold by fold."""
    folds = choose_folds(protocol, None, None, every=1, horizon=5, gap=3)
    specs = [ForecastSpec(cutoff, folds.horizon, folds.gap) for cutoff in folds.cutoffs]
    tested = [number(week) for spec in specs for week in spec.weeks]
    return [number(cutoff) for cutoff in folds.cutoffs], tested


def test_protocol_a_is_that_of_the_benchmark() -> None:
    """Twelve rounds: train up to week 135 + 2r, forecast weeks 137 + 2r and 138 + 2r, so 137 to 160 once each."""
    cutoffs, tested = weeks_of("A")

    assert cutoffs == [135, 137, 139, 141, 143, 145, 147, 149, 151, 153, 155, 157]
    assert tested == list(range(137, 161))


def test_protocol_b_is_the_first_ten_rounds_of_a() -> None:
    """Test weeks 137 to 156, once each."""
    cutoffs, tested = weeks_of("B")

    assert cutoffs == weeks_of("A")[0][:10]
    assert tested == list(range(137, 157))


def test_nothing_was_chosen_on_weeks_that_are_reported() -> None:
    """The folds of the choices test weeks 105 to 136, and no later one."""
    cutoffs, tested = weeks_of("tune")

    assert (cutoffs[0], cutoffs[-1], len(cutoffs)) == (103, 133, 16)
    assert tested == list(range(105, 137))
    assert not set(tested) & set(weeks_of("A")[1])


@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_a_protocol_forecasts_steps_two_and_three(protocol: str) -> None:
    """Whatever horizon and gap are asked for beside it."""
    folds = choose_folds(protocol, None, None, every=4, horizon=8, gap=0)

    assert list(ForecastSpec(folds.cutoffs[0], folds.horizon, folds.gap).steps) == [2, 3]


def test_published_scores_belong_to_protocols() -> None:
    """Every published score stands beside one that can be run."""
    assert set(PUBLISHED_MAPE) <= set(PROTOCOLS)


def test_own_folds_take_every_second_week() -> None:
    """From week 100 to week 106 by two: both ends are hit."""
    found = choose_folds(None, dominicks_week(100), dominicks_week(106), every=2, horizon=3, gap=1)

    assert found == Folds(tuple(dominicks_week(n) for n in (100, 102, 104, 106)), horizon=3, gap=1)


def test_own_folds_do_not_pass_the_last_cutoff() -> None:
    """From week 100 to week 106 by four: 104 is the last."""
    found = choose_folds(None, dominicks_week(100), dominicks_week(106), every=4, horizon=2, gap=0)

    assert found.cutoffs == (dominicks_week(100), dominicks_week(104))


def test_the_first_cutoff_may_be_the_last() -> None:
    """One fold is a backtest too."""
    assert choose_folds(None, dominicks_week(100), dominicks_week(100), 1, 2, 0).cutoffs == (dominicks_week(100),)


@given(st.integers(40, 160), st.integers(0, 60), st.integers(1, 20))
def test_own_folds_are_weeks_apart_and_within_their_bounds(first: int, span: int, every: int) -> None:
    """They begin with the first, keep their distance, and one more would pass the last."""
    found = choose_folds(None, dominicks_week(first), dominicks_week(first + span), every, 2, 0).cutoffs

    assert found[0] == dominicks_week(first)
    assert {after - before for before, after in pairwise(found)} <= {WEEK * every}
    assert found[-1] <= dominicks_week(first + span) < found[-1] + WEEK * every


THURSDAY = dominicks_week(100)


@pytest.mark.parametrize(
    ("protocol", "first", "last", "says"),
    [
        ("C", None, None, "protocol=C is unknown; choose one of A, B, tune"),
        ("A", THURSDAY, None, "protocol=A brings its own cutoffs"),
        ("A", None, THURSDAY, "protocol=A brings its own cutoffs"),
        (None, None, None, "The folds are not chosen; name --protocol A, or both --first-cutoff and --last-cutoff"),
        (None, THURSDAY, None, "The folds are not chosen"),
        (None, None, THURSDAY, "The folds are not chosen"),
        (None, THURSDAY, THURSDAY - WEEK, f"last-cutoff={THURSDAY - WEEK} lies before first-cutoff={THURSDAY}"),
        (None, THURSDAY, date(1991, 8, 7), "name 1991-08-08 or a later week"),
    ],
)
def test_folds_that_cannot_be_are_refused(
    protocol: str | None, first: date | None, last: date | None, says: str
) -> None:
    """The error names the option and the remedy."""
    with pytest.raises(OptionError, match=says):
        choose_folds(protocol, first, last, every=1, horizon=2, gap=0)
