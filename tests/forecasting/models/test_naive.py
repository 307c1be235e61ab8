"""Tests of the naive model: worked by hand."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import orange_juice
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.panel import build_panel, series_of
from forecasting.models.naive import PROBABILITIES, Naive

CUTOFF = date(1991, 1, 31)
# Two observations stand at the probabilities 1/4 and 3/4; between them the quantile is linear, beyond them flat.
OFF_THE_MIDDLE_OF_TWO = np.clip(2 * (PROBABILITIES - 0.5), -0.5, 0.5)


def forecast_of(units: dict[tuple[int, int], list[int | None]], **options: Any) -> PredictiveDistribution:
    """The model's answer for series that end with the cutoff; None is a gap."""
    frames = []
    for (store, product), sold in units.items():
        weeks = pd.date_range(end=pd.Timestamp(CUTOFF), periods=len(sold), freq="7D", unit="us")
        frames.append(pd.DataFrame({"store": store, "product": product, "week": weeks, "units": sold}))
    sales = orange_juice.SALES.cast(pd.concat(frames).dropna())
    promotions = orange_juice.PROMOTIONS.empty()
    panel = build_panel(sales, promotions, series_of(sales), CUTOFF)
    return Naive().forecast(panel, promotions, ForecastSpec(CUTOFF, model="naive", **options))


def medians(found: PredictiveDistribution) -> list[float]:
    return [round(float(median), 9) for median in np.median(found.samples, axis=1)]


def test_the_median_is_the_last_observation_at_every_step() -> None:
    """10, 20, 40: 40 is expected in each of the coming weeks."""
    assert medians(forecast_of({(2, 1): [10, 20, 40]}, horizon=3)) == [40, 40, 40]


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_what_is_repeated_is_repeated_to_the_last_bit(sold: list[int]) -> None:
    """There and back through logs, 5 would be 4.999999999999999; and the samples stay in order."""
    found = forecast_of({(2, 1): list(sold)}, horizon=2)
    assert np.median(found.samples, axis=1).tolist() == [sold[-1], sold[-1]]
    assert (np.diff(found.samples, axis=1) >= 0).all()


def test_a_gap_at_the_end_is_passed_over() -> None:
    """The last observed week counts, however long ago."""
    assert medians(forecast_of({(2, 1): [10, 20, None, None], (5, 1): [1, 2, 3, 4]}, horizon=1)) == [20, 4]


def test_the_spread_is_that_of_the_past_changes() -> None:
    """Two changes of the log, ln(21/11) and ln(41/21), spread the samples by half their distance around the last."""
    found = forecast_of({(2, 1): [10, 20, 40]}, horizon=1)

    distance = np.log(41 / 21) - np.log(21 / 11)
    expected = 41 * np.exp(OFF_THE_MIDDLE_OF_TWO * abs(distance)) - 1
    assert found.samples[0] == pytest.approx(expected)


def test_a_later_step_has_the_spread_of_longer_changes() -> None:
    """Over two weeks 10, 20, 40, 10 changed by ln(41/11) and ln(11/21); over three, once only: no spread is known."""
    found = forecast_of({(2, 1): [10, 20, 40, 10]}, horizon=3)

    distance = np.log(41 / 11) - np.log(11 / 21)
    assert found.samples[1] == pytest.approx(np.maximum(11 * np.exp(OFF_THE_MIDDLE_OF_TWO * distance) - 1, 0))
    assert found.samples[2] == pytest.approx(np.full(99, 10.0))


def test_a_change_across_a_gap_is_no_change_of_one_week() -> None:
    """10, gap, 40 knows nothing of one week's change, and one change over two weeks."""
    assert np.ptp(forecast_of({(2, 1): [10, None, 40]}, horizon=2).samples, axis=1) == pytest.approx([0, 0])
    assert np.ptp(forecast_of({(2, 1): [5, 10, None, 40, 80, 10]}, horizon=1).samples) > 0


def test_a_single_week_is_repeated_without_spread() -> None:
    """A series of one week has no past change, and a forecast nevertheless."""
    found = forecast_of({(2, 1): [12]}, horizon=2)

    assert found.samples == pytest.approx(np.full((2, 99), 12.0))


def test_a_series_that_sold_nothing_may_be_forecast_at_zero() -> None:
    """No draw is negative, and zero stays zero."""
    assert medians(forecast_of({(2, 1): [9, 3, 0]}, horizon=1)) == [0]


unit_lists = st.lists(st.one_of(st.none(), st.integers(0, 3000)), min_size=1, max_size=8).filter(
    lambda units: units[0] is not None
)


@settings(max_examples=20, deadline=None)
@given(st.lists(unit_lists, min_size=1, max_size=4), st.integers(1, 3), st.integers(0, 2))
def test_samples_ascend_and_are_never_negative(series: list[list[int | None]], horizon: int, gap: int) -> None:
    """Every series × step has finite samples in order, one row a cell."""
    found = forecast_of(
        {(2, product): units for product, units in enumerate(series, start=1)}, horizon=horizon, gap=gap
    )

    assert found.samples.shape == (len(found.frame), 99)
    assert len(found.frame) == len(series) * horizon
    assert np.isfinite(found.samples).all()
    assert (found.samples >= 0).all()
    assert (np.diff(found.samples, axis=1) >= 0).all()
