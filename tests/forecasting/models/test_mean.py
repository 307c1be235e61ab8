"""Tests of the climatology: worked by hand."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution, point_of
from forecasting.core.panel import build_panel, series_of
from forecasting.models.mean import Mean

CUTOFF = date(1991, 1, 31)


def forecast_of(units: Mapping[tuple[int, int], Sequence[int | None]], horizon: int = 1) -> PredictiveDistribution:
    """The model's answer for series that end with the cutoff; None is a gap."""
    frames = []
    for (store, product), sold in units.items():
        weeks = pd.date_range(end=pd.Timestamp(CUTOFF), periods=len(sold), freq="7D", unit="us")
        frames.append(pd.DataFrame({"store": store, "product": product, "week": weeks, "units": sold}))
    sales = orange_juice.SALES.cast(pd.concat(frames).dropna())
    promotions = orange_juice.PROMOTIONS.empty()
    panel = build_panel(sales, promotions, series_of(sales), CUTOFF)
    return Mean().forecast(panel, promotions, ForecastSpec(CUTOFF, horizon=horizon, model="mean"))


def test_the_median_of_the_samples_is_the_median_of_the_past() -> None:
    """Of 4, 100, gap, 6, 8 the median is 7; each series has its own."""
    found = forecast_of({(2, 1): [4, 100, None, 6, 8], (5, 1): [3]})

    assert point_of(found.samples, "median") == pytest.approx([7, 3])


@pytest.mark.parametrize("units", [[3, 3, 3], [0, 100], [0, 0, 99], [1, 2, 3, 1000], [5, 6, 7, 8, 9, 400]])
def test_the_mean_of_the_samples_is_the_mean_of_the_past(units: list[int]) -> None:
    """Every observed week is as probable as every other, the biggest one included: its `mean` point is their mean."""
    found = forecast_of({(2, 1): units})

    assert point_of(found.samples, "mean") == pytest.approx([np.mean(units)], rel=0.03)


def test_the_mean_point_of_the_real_series_is_their_mean(real_sales: pd.DataFrame) -> None:
    """Over all series of the data the mean point is not biased by more than half a percent."""
    panel = real_sales.astype({"units": "float64"})
    found = Mean().forecast(
        panel, orange_juice.PROMOTIONS.empty(), ForecastSpec(date(1992, 10, 1), horizon=1, model="mean")
    )

    expected = panel.groupby(schemas.SERIES)["units"].mean()

    assert point_of(found.samples, "mean").sum() / expected.sum() == pytest.approx(1, abs=0.005)


def test_every_step_is_alike() -> None:
    """The climatology does not know how far ahead it looks."""
    found = forecast_of({(2, 1): [4, 6, 8], (5, 1): [1, 2]}, horizon=3)

    assert found.frame["step"].tolist() == [1, 2, 3, 1, 2, 3]
    assert (found.samples[0] == found.samples[1]).all()
    assert (found.samples[0] == found.samples[2]).all()
    assert (found.samples[3] == found.samples[5]).all()


def test_no_draw_lies_outside_what_was_ever_sold() -> None:
    """The past bounds the distribution, and the samples ascend."""
    (samples,) = forecast_of({(2, 1): [40, 4, 6, 8]}).samples

    assert samples.min() >= 4
    assert samples.max() <= 40
    assert (np.diff(samples) >= 0).all()
