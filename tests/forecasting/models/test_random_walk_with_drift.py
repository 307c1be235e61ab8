"""Tests of the random walk with drift: worked by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.models.naive import PROBABILITIES
from forecasting.models.random_walk_with_drift import DAMPING, STILL_WEEKS
from tests.forecasting.models.series import forecast_of

# Doubling every week in 1 + units: 1, 2, 4, 8, 16.
DOUBLING: list[int | None] = [0, 1, 3, 7, 15]


def medians(units: list[int | None], **options: int) -> np.ndarray:
    return np.median(forecast_of("random_walk_with_drift", units, **options).samples, axis=1)


def test_the_mean_weekly_change_goes_on_and_fades() -> None:
    """Four doublings in 4 + 13 weeks: ln 2 · 4/17 a week, of which 0.9 is left in the week after."""
    change = 4 * np.log(2) / (4 + STILL_WEEKS)

    expected = 16 * np.exp(change * np.array([1, 1 + DAMPING, 1 + DAMPING + DAMPING**2])) - 1

    assert medians(DOUBLING, horizon=3) == pytest.approx(expected)


def test_weeks_before_the_horizon_drift_too() -> None:
    """Step 3 is the same whether the steps before it are asked for or not."""
    assert medians(DOUBLING, horizon=1, gap=2) == pytest.approx(medians(DOUBLING, horizon=3)[-1:])


def test_a_gap_does_not_change_the_drift() -> None:
    """The first and the last observation decide it, and weeks count whether they were observed or not."""
    assert medians([0, None, 3, None, 15]) == pytest.approx(medians(DOUBLING))


def test_what_ends_where_it_began_does_not_drift() -> None:
    """5, 80, 5 is expected at 5."""
    assert medians([5, 80, 5], horizon=3) == pytest.approx([5, 5, 5])


@pytest.mark.parametrize("units", [[12], [12, 12, 12, 12]])
def test_what_never_changed_goes_on_without_doubt(units: list[int | None]) -> None:
    """A constant series stays, at every step; so does a single week."""
    assert forecast_of("random_walk_with_drift", units, horizon=3).samples == pytest.approx(np.full((3, 99), 12.0))


def test_the_spread_is_that_of_the_changes_and_the_doubt_about_their_mean() -> None:
    """10, 20, 40: two changes of the log, spread by half their distance times √(1 + 1/15) around the centre."""
    (samples,) = np.log1p(forecast_of("random_walk_with_drift", [10, 20, 40], horizon=1).samples)

    changes = np.log([21 / 11, 41 / 21])
    weeks = 2 + STILL_WEEKS
    offsets = np.quantile(changes, PROBABILITIES, method="hazen") - changes.mean()
    centre = np.log(41) + np.log(41 / 11) / weeks
    assert samples == pytest.approx(centre + np.sqrt(1 + 1 / weeks) * offsets)


def test_the_spread_grows_with_the_step() -> None:
    """No interval is narrower, on the log scale, than a step before; where changes go on it is wider."""
    walk = np.exp(4 + np.random.default_rng(5).normal(0, 0.2, 60).cumsum()).round().astype(int).tolist()

    logs = np.log1p(forecast_of("random_walk_with_drift", walk, horizon=8).samples)

    assert (np.diff(logs[:, 94] - logs[:, 4]) >= -1e-9).all()
    assert logs[7, 94] - logs[7, 4] > 1.5 * (logs[0, 94] - logs[0, 4])


def test_a_dying_series_is_not_forecast_below_zero() -> None:
    """Falling towards nothing, the median stays at nothing."""
    assert medians([4000, 300, 0], horizon=3) == pytest.approx([0, 0, 0])


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(0, 10**9)), max_size=30),
    st.integers(0, 10**9),
    st.integers(1, 3),
    st.integers(0, 26),
)
def test_samples_ascend_are_finite_and_never_negative(
    units: list[int | None], first: int, horizon: int, gap: int
) -> None:
    """Any series with any gaps has usable samples at every step, and the same ones when asked again."""
    found = forecast_of("random_walk_with_drift", [first, *units], horizon=horizon, gap=gap)

    assert found.samples.shape == (horizon, 99)
    assert np.isfinite(found.samples).all()
    assert (found.samples >= 0).all()
    assert (np.diff(found.samples, axis=1) >= 0).all()
    assert (
        forecast_of("random_walk_with_drift", [first, *units], horizon=horizon, gap=gap).samples == found.samples
    ).all()
