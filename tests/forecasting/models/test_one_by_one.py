"""Tests of the loop over series: each is learnt and forecast by itself, in logs, gaps passed over."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts import orange_juice
from forecasting.contracts.panel_definition import Series
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.fitted_model import FittedModel
from forecasting.core.panel import build_panel, series_of
from forecasting.models.one_by_one import Numbers, OneByOne, numbers_of, rows_of
from tests.forecasting.models.series import CUTOFF, Units, sales_of

NO_PLAN = orange_juice.PROMOTIONS.empty()
SPEC = ForecastSpec(CUTOFF, horizon=3, model="level")


class Level(OneByOne):
    """The mean of the log units; the spread grows with the step."""

    name = "level"
    summary = "mean of the log units"
    min_weeks = 2

    def estimate(self, log_units: np.ndarray) -> Numbers:
        return {"level": float(log_units.mean()), "n": float(len(log_units))}

    def apply(self, log_units: np.ndarray, learnt: Numbers, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.full(len(steps), learnt["level"]), 0.1 * steps


def panel_of(units: dict[tuple[int, int], Units]) -> pd.DataFrame:
    sales = sales_of(units)
    return build_panel(sales, NO_PLAN, series_of(sales), CUTOFF)


def fitted_to(units: dict[tuple[int, int], Units]) -> FittedModel:
    return Level().fit(panel_of(units), NO_PLAN, SPEC)


def test_gaps_are_passed_over() -> None:
    """A missing week is no sale of zero: neither counted nor filled in."""
    numbers = numbers_of(fitted_to({(2, 1): [3, None, 7], (5, 1): [0, 0, 0]}))
    assert numbers == {
        (2, 1): {"level": pytest.approx((np.log(4) + np.log(8)) / 2), "n": 2},
        (5, 1): {"level": 0, "n": 3},
    }


def test_the_forecast_is_normal_in_logs() -> None:
    """The median is that of the logs, the middle 80 % reach 1.2816 deviations, and units are never negative."""
    units: dict[tuple[int, int], Units] = {(2, 1): [9, 9, 9], (5, 1): [0, 0, 0]}
    found = Level().predict(fitted_to(units), panel_of(units), NO_PLAN, SPEC)
    assert found.frame["step"].tolist() == [1, 2, 3] * 2
    samples = found.samples
    assert np.median(samples[0]) == pytest.approx(9.0, rel=1e-3)
    assert np.quantile(np.log1p(samples[1]), 0.9) == pytest.approx(np.log(10) + 0.2 * 1.2816, rel=5e-3)
    assert (samples >= 0).all()
    assert (np.diff(samples, axis=1) >= 0).all()


def test_a_series_without_parameters_is_left_out() -> None:
    """The model does not invent numbers for a series that it has not seen."""
    both: dict[tuple[int, int], Units] = {(2, 1): [3, 5, 7], (5, 1): [4, 4, 4]}
    one = fitted_to({(2, 1): [3, 5, 7]})
    found = Level().predict(one, panel_of(both), NO_PLAN, SPEC)
    assert found.frame["store"].tolist() == [2, 2, 2]
    nobody = Level().predict(replace(one, parameters=one.parameters.iloc[:0]), panel_of(both), NO_PLAN, SPEC)
    assert (len(nobody.frame), nobody.samples.shape[0]) == (0, 0)


def test_a_series_that_is_too_short_is_named() -> None:
    """With what it has and what the model needs."""
    with pytest.raises(ValueError, match=r"series \(5, 1\) has 1 observed weeks, level needs 2"):
        fitted_to({(2, 1): [3, 5], (5, 1): [None, 4]})


keys = st.tuples(st.integers(1, 999), st.integers(1, 99))
named = st.dictionaries(st.sampled_from(["level", "slope", "scale"]), st.floats(-1e9, 1e9), min_size=1)


@given(st.dictionaries(keys, named, max_size=5))
def test_parameters_survive_the_table(numbers: dict[Series, Numbers]) -> None:
    """To the last bit, by series and name."""
    assert numbers_of(FittedModel(SPEC, rows_of(numbers, SPEC.definition))) == numbers
