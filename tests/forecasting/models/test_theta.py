"""Tests of the Theta method."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.forecasting.theta import ThetaModel

from forecasting.core.distribution import PredictiveDistribution
from forecasting.models.theta import Theta, _one_step_errors
from tests.forecasting.models.series import forecast_of

NOISY: list[int | None] = [30, 42, 35, 51, 28, 40, 90, 75, 80, 66, 91, 70, 85, 60, 77]


def spreads(found: PredictiveDistribution) -> np.ndarray:
    """Distance of the outermost samples on the log scale, by step."""
    log_samples = np.log1p(found.samples)
    return log_samples[:, -1] - log_samples[:, 0]


@pytest.mark.parametrize("level", [0, 1, 64])
def test_a_constant_series_goes_on_without_doubt(level: int) -> None:
    """What never changed is expected to stay, at every step."""
    assert forecast_of("theta", [level] * 12, horizon=3).samples == pytest.approx(np.full((3, 99), float(level)))


def test_the_median_is_that_of_statsmodels() -> None:
    """Of the log units, undone; after a gap the later steps of the same forecast."""
    expected = ThetaModel(np.log1p(np.array(NOISY, dtype=float)), deseasonalize=False).fit().forecast(4).to_numpy()

    median = np.median(forecast_of("theta", NOISY, horizon=3, gap=1).samples, axis=1)

    assert np.log1p(median) == pytest.approx(expected[1:])


def test_a_steady_growth_goes_on_by_half_its_trend_at_least() -> None:
    """Doubling every week grows on by more than half a doubling a week: smoothing follows, the trend adds half."""
    doubling: list[int | None] = [2**week - 1 for week in range(12)]

    first, second = np.log1p(np.median(forecast_of("theta", doubling, horizon=2).samples, axis=1))

    assert first > np.log(2**11)
    assert second - first == pytest.approx(np.log(2) / 2, rel=1e-3)


def test_the_errors_of_one_step_by_hand() -> None:
    """1, 3, 2 smoothed by 1/2 has the levels 1, 2; half a slope of 1/5 trails by 1 week, then by 1.5."""
    errors = _one_step_errors(np.array([1.0, 3.0, 2.0]), 0.5, 0.2)

    assert errors == pytest.approx([3 - (1 + 0.1), 2 - (2 + 0.15)])


def test_the_last_of_the_forecasts_in_sample_is_the_forecast() -> None:
    """What the next week would miss is its value minus the one-step forecast of statsmodels."""
    log_units = np.log1p(np.array(NOISY, dtype=float))
    fitted = ThetaModel(log_units, deseasonalize=False).fit()

    errors = _one_step_errors(np.append(log_units, 0.0), fitted.params["alpha"], fitted.params["b0"])

    assert -errors[-1] == pytest.approx(fitted.forecast(1).iloc[0], rel=1e-6)


def test_the_variance_grows_linearly_with_the_step() -> None:
    """σ²(1 + (k − 1)α²): the squared spread of step 3 exceeds that of step 1 twice as far as that of step 2 does."""
    first, second, third = spreads(forecast_of("theta", NOISY, horizon=3)) ** 2

    assert first < second < third
    assert third - first == pytest.approx(2 * (second - first))


def test_gaps_are_passed_over() -> None:
    """A series with gaps is forecast as though its observed weeks stood side by side."""
    with_gaps = [*NOISY[:4], None, *NOISY[4:9], None, None, *NOISY[9:], None]

    assert (forecast_of("theta", with_gaps).samples == forecast_of("theta", NOISY).samples).all()


def test_a_short_series_is_refused_by_name() -> None:
    """Too few weeks raise, which costs the series its model and nothing else."""
    with pytest.raises(
        ValueError, match=rf"\(2, 1\).* has {Theta.min_weeks - 1} observed weeks, theta needs {Theta.min_weeks}"
    ):
        forecast_of("theta", [7] * (Theta.min_weeks - 1))


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=Theta.min_weeks, max_size=30), st.integers(1, 3), st.integers(0, 26))
def test_samples_ascend_are_finite_and_never_negative(units: list[int | None], horizon: int, gap: int) -> None:
    """Any series that is long enough has usable samples at every step, and the same ones when asked again."""
    found = forecast_of("theta", units, horizon=horizon, gap=gap)

    assert found.samples.shape == (horizon, 99)
    assert np.isfinite(found.samples).all()
    assert (found.samples >= 0).all()
    assert (np.diff(found.samples, axis=1) >= 0).all()
    assert (forecast_of("theta", units, horizon=horizon, gap=gap).samples == found.samples).all()
