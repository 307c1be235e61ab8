"""Tests of exponential smoothing."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.panel import build_panel, series_of
from forecasting.models.ets import Ets

CUTOFF = date(1991, 1, 31)
NOISY = [30, 42, 35, 51, 28, 40, 90, 75, 80, 66, 91, 70, 85, 60, 77]


def forecast_of(units: Sequence[int | None], horizon: int = 1) -> PredictiveDistribution:
    """The model's answer for one series that ends with the cutoff; None is a gap."""
    weeks = pd.date_range(end=pd.Timestamp(CUTOFF), periods=len(units), freq="7D", unit="us")
    frame = pd.DataFrame({"store": 2, "product": 1, "week": weeks, "units": units})
    sales = orange_juice.SALES.cast(frame.dropna())
    promotions = orange_juice.PROMOTIONS.empty()
    panel = build_panel(sales, promotions, series_of(sales), CUTOFF)
    return Ets().forecast(panel, promotions, ForecastSpec(CUTOFF, horizon=horizon, model="ets"))


def spreads(found: PredictiveDistribution) -> np.ndarray:
    """Distance of the outermost samples on the log scale, by step."""
    log_samples = np.log1p(found.samples)
    return log_samples[:, -1] - log_samples[:, 0]


@pytest.mark.parametrize("level", [0, 1, 64])
def test_a_constant_series_goes_on_without_doubt(level: int) -> None:
    """What never changed is expected to stay, at every step."""
    found = forecast_of([level] * 12, horizon=3)

    assert found.samples == pytest.approx(np.full((3, 99), float(level)))


def test_all_steps_have_the_same_median() -> None:
    """Without trend the expected level is the last one, within what was sold lately."""
    medians = np.median(forecast_of(NOISY, horizon=3).samples, axis=1)

    assert medians == pytest.approx(np.full(3, medians[0]))
    assert 60 <= medians[0] <= 91


def test_the_variance_grows_linearly_with_the_step() -> None:
    """σ²(1 + (k − 1)α²): the squared spread of step 3 exceeds that of step 1 twice as far as that of step 2 does."""
    first, second, third = spreads(forecast_of(NOISY, horizon=3)) ** 2

    assert first <= second <= third
    assert third - first == pytest.approx(2 * (second - first), abs=1e-9)


def test_the_spread_is_symmetric_around_the_median_on_the_log_scale() -> None:
    """Errors of the log are normal: as far up as down."""
    (log_samples,) = np.log1p(forecast_of(NOISY).samples)

    assert log_samples[49] - log_samples[0] == pytest.approx(log_samples[98] - log_samples[49])
    assert log_samples[49] - log_samples[20] == pytest.approx(log_samples[78] - log_samples[49])


def test_gaps_are_passed_over() -> None:
    """A series with gaps is smoothed as though its observed weeks stood side by side."""
    with_gaps = [*NOISY[:4], None, *NOISY[4:9], None, None, *NOISY[9:]]

    assert (forecast_of(with_gaps).samples == forecast_of(list(NOISY)).samples).all()


def test_a_short_series_is_refused_by_name() -> None:
    """Too few weeks raise, which costs the series its model and nothing else."""
    with pytest.raises(
        ValueError, match=rf"\(2, 1\).* has {Ets.min_weeks - 1} observed weeks, ets needs {Ets.min_weeks}"
    ):
        forecast_of([7] * (Ets.min_weeks - 1))


def test_samples_ascend_and_are_never_negative() -> None:
    """A nearly dead series with a wide spread is cut off at zero, and stays in order."""
    found = forecast_of([0, 0, 900, 0, 0, 0, 3, 0, 0, 700, 0, 0], horizon=2)

    assert (found.samples >= 0).all()
    assert (np.diff(found.samples, axis=1) >= 0).all()
    assert np.isfinite(found.samples).all()
