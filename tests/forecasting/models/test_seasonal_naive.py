"""Tests of the seasonal naive model: worked by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.models.naive import PROBABILITIES
from forecasting.models.seasonal_naive import FEWEST_CHANGES, NEAR, YEAR
from tests.forecasting.models.series import forecast_of

# Units that say their own place: 100 in the first week, 101 in the second.
COUNTED: list[int | None] = list(range(100, 160))


def medians(units: list[int | None], **options: int) -> list[float]:
    found = forecast_of("seasonal_naive", units, **options)
    return [round(float(median), 6) for median in np.median(found.samples, axis=1)]


def without(*places: int) -> list[int | None]:
    """The counted weeks with gaps at these places."""
    return [None if place in places else units for place, units in enumerate(COUNTED)]


def test_the_median_is_the_week_52_weeks_before_the_target() -> None:
    """Of 60 weeks the last is week 59: the weeks 60 and 61 repeat the weeks 8 and 9; after a gap of one, 9 and 10."""
    assert medians(COUNTED, horizon=2) == [108, 109]
    assert medians(COUNTED, horizon=2, gap=1) == [109, 110]


def test_the_same_holds_at_the_furthest_step() -> None:
    """A year ahead the same week of the last year is the last week itself; a week later its year before."""
    assert medians(COUNTED, horizon=1, gap=YEAR - 1) == [159]
    assert medians(COUNTED, horizon=1, gap=YEAR) == [108]


def test_a_gap_in_that_week_is_filled_by_the_nearest_week() -> None:
    """Week 8 is missing: week 7, the earlier neighbour, stands in; where 6 and 7 lack too, it is week 9."""
    assert medians(without(8), horizon=1) == [107]
    assert medians(without(6, 7, 8), horizon=1) == [109]


def test_a_long_gap_there_leaves_the_last_observation() -> None:
    """Nothing observed within `NEAR` weeks of the week wanted says nothing of the season."""
    assert medians(without(*range(8 - NEAR, 8 + NEAR + 1)), horizon=1) == [159]
    assert medians(without(*range(8 - NEAR, 8 + NEAR)), horizon=1) == [100 + 8 + NEAR]


@pytest.mark.parametrize("weeks", [1, 2, YEAR - 2])
def test_less_than_a_year_of_history_repeats_the_last_observation(weeks: int) -> None:
    """The week 52 weeks before the target lies before the first sale."""
    units = [*range(10, 10 + weeks), None]

    assert medians(units, horizon=1) == [10 + weeks - 1]


def test_few_yearly_changes_leave_the_spread_of_the_step() -> None:
    """54 weeks know two changes over a year: the 53 weekly changes, all of nothing but two, spread the samples."""
    units = [40] * 51 + [20, 10, 40]

    (samples,) = forecast_of("seasonal_naive", units, horizon=1).samples

    changes = np.diff(np.log1p(units))
    expected = 41 * np.exp(np.quantile(changes, PROBABILITIES, method="hazen")) - 1
    assert samples == pytest.approx(expected)


def test_enough_yearly_changes_are_the_spread() -> None:
    """Eight weeks of 10, eight of 20, a year later 20 and 80: changes of ln(21/11) and ln(81/21) alike often."""
    units = [10] * 8 + [20] * 8 + [15] * 36 + [20] * 8 + [80] * 8

    (samples,) = forecast_of("seasonal_naive", units, horizon=1).samples

    low, high = np.log(21 / 11), np.log(81 / 21)
    changes = np.repeat([low, high], FEWEST_CHANGES)
    offsets = np.quantile(changes, PROBABILITIES, method="hazen") - (low + high) / 2
    assert samples == pytest.approx(16 * np.exp(offsets) - 1)


def test_a_single_week_is_repeated_without_spread() -> None:
    """A series of one week has a forecast nevertheless."""
    assert forecast_of("seasonal_naive", [12], horizon=2).samples == pytest.approx(np.full((2, 99), 12.0))


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(0, 3000)), max_size=70),
    st.integers(0, 3000),
    st.integers(1, 3),
    st.integers(0, 52),
)
def test_samples_ascend_are_finite_and_never_negative(
    units: list[int | None], first: int, horizon: int, gap: int
) -> None:
    """Any series with any gaps has usable samples at every step, and the same ones when asked again."""
    found = forecast_of("seasonal_naive", [first, *units], horizon=horizon, gap=gap)

    assert found.samples.shape == (horizon, 99)
    assert np.isfinite(found.samples).all()
    assert (found.samples >= 0).all()
    assert (np.diff(found.samples, axis=1) >= 0).all()
    again = forecast_of("seasonal_naive", [first, *units], horizon=horizon, gap=gap)
    assert (again.samples == found.samples).all()
