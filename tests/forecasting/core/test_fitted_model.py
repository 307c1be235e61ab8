"""Tests of fitted models: training and forecasting apart give what both in one give, and a kept model stays itself."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import OptionError
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.completeness import active_series
from forecasting.core.fitted_model import FittedModel
from forecasting.models import MODELS, get_model
from forecasting.pipeline.forecast import forecast, forecast_partition, make_partitions, train, untrained_series
from tests.strategies import Market, markets

TRAINABLE = [name for name in MODELS if get_model(name).trainable]
FEW = [2, 5, 8]


@pytest.fixture(scope="module")
def real(real_sales: pd.DataFrame, real_promotions: pd.DataFrame) -> Market:
    """Three real stores, with the weeks after the cutoff."""
    sales, promotions = (frame[frame["store"].isin(FEW)] for frame in (real_sales, real_promotions))
    return Market(sales.reset_index(drop=True), promotions.reset_index(drop=True), dominicks_week(135))


@pytest.fixture(scope="module")
def fitted(real: Market) -> FittedModel:
    """The default model at the cutoff of `real`."""
    return train(real.sales, real.promotions, ForecastSpec(real.cutoff))


def require_same(market: Market, spec: ForecastSpec) -> None:
    """Trained first and forecast then, or both in one: the same rows to the last bit."""
    apart = forecast(market.sales, market.promotions, spec, train(market.sales, market.promotions, spec))
    pd.testing.assert_frame_equal(apart, forecast(market.sales, market.promotions, spec), check_exact=True)


@settings(max_examples=15, deadline=None)
@given(market=markets(max_weeks=30))
def test_price_response_forecasts_by_what_it_has_learnt(market: Market) -> None:
    """For any market with gaps: forecast(x) = predict(fit(x), x)."""
    require_same(market, ForecastSpec(market.cutoff, horizon=3, gap=1))


@pytest.mark.parametrize("name", TRAINABLE)
@pytest.mark.parametrize(("horizon", "gap"), [(1, 0), (2, 1)])
def test_every_trainable_model_forecasts_by_what_it_has_learnt(name: str, horizon: int, gap: int, real: Market) -> None:
    """On real series, one step ahead and with a gap: forecast(x) = predict(fit(x), x)."""
    require_same(real, ForecastSpec(real.cutoff, horizon, gap, name))


@pytest.mark.parametrize("name", [name for name in MODELS if not get_model(name).trainable])
def test_a_model_that_cannot_be_trained_apart_says_so(name: str) -> None:
    """The sentence names the model, and where to find others that can be trained."""
    with pytest.raises(OptionError, match=rf"model={name} cannot be trained.*docs/models.md"):
        get_model(name).require_trainable()


def test_later_weeks_move_a_kept_forecast(real: Market, fitted: FittedModel) -> None:
    """Slopes stay, but a chain that sells twice as much of late is expected to sell more next week."""
    later = replace(fitted.spec, cutoff=real.cutoff + 4 * WEEK)
    is_new = real.sales["week"] > pd.Timestamp(real.cutoff)
    doubled = real.sales.assign(units=real.sales["units"] * np.where(is_new, 2, 1))
    usual, more = (forecast(sales, real.promotions, later, fitted) for sales in (real.sales, doubled))
    ratio = more["forecast"].sum() / usual["forecast"].sum()
    assert 1.05 < ratio < 2


def test_a_kept_forecast_knows_nothing_after_its_cutoff(real: Market, fitted: FittedModel) -> None:
    """Sales after the cutoff made absurd: not a bit changes."""
    later = replace(fitted.spec, cutoff=real.cutoff + 3 * WEEK)
    is_unknown = real.sales["week"] > pd.Timestamp(later.cutoff)
    absurd = real.sales.assign(units=real.sales["units"].mask(is_unknown, 9_999))
    found = [forecast(sales, real.promotions, later, fitted) for sales in (real.sales, absurd)]
    pd.testing.assert_frame_equal(*found, check_exact=True)


def test_a_kept_model_is_nearly_as_good_four_weeks_later(real: Market, fitted: FittedModel) -> None:
    """Its forecasts lie close to those of the model fitted anew: what it keeps is what it needs."""
    later = replace(fitted.spec, cutoff=real.cutoff + 4 * WEEK)
    kept = forecast(real.sales, real.promotions, later, fitted)["forecast"]
    anew = forecast(real.sales, real.promotions, later)["forecast"]
    assert (np.log1p(kept) - np.log1p(anew)).abs().median() < 0.1


def test_a_series_that_it_has_not_seen_gets_a_fallback_and_the_reason(real: Market) -> None:
    """Store 8 is new: its series are `not_trained`; the forecasts of the others are those of the model."""
    old = real.sales[real.sales["store"] != 8]
    of_two = train(old, real.promotions[real.promotions["store"] != 8], ForecastSpec(real.cutoff))
    rows = forecast(real.sales, real.promotions, of_two.spec, of_two).set_index("store")
    assert set(rows.loc[8, "reason"]) == {"not_trained"}
    assert set(rows.loc[8, "model"]) == {"mean"}
    assert rows.loc[[2, 5], "reason"].isna().all()
    assert set(rows.loc[[2, 5], "model"]) == {"price_response"}
    series = active_series(real.sales, real.cutoff)
    assert {store for store, _ in untrained_series(series, of_two)} == {8}


@pytest.mark.parametrize("name", [name for name in MODELS if get_model(name).has_parameters])
def test_a_partition_of_which_nothing_was_learnt_is_all_fallback(name: str, real: Market) -> None:
    """A product that is new, and alone in its partition: the partition answers, without a row of it."""
    spec = ForecastSpec(real.cutoff, model=name)
    known, new = (real.sales[real.sales["product"].isin(products)] for products in ([1, 2], [3]))
    fitted = train(known, real.promotions, spec)
    (partition,) = make_partitions(new, real.promotions, spec, 1_000, fitted)
    assert forecast_partition(partition, spec).empty
    rows = forecast(real.sales[real.sales["product"].isin([1, 3])], real.promotions, spec, fitted)
    assert set(rows.loc[rows["product"] == 3, "reason"]) == {"not_trained"}
    assert rows.loc[rows["product"] == 1, "reason"].isna().all()


def test_a_fitted_model_refuses_what_it_was_not_fitted_for(fitted: FittedModel) -> None:
    """Another model, steps it does not know, a week before its own: each with its remedy."""
    spec = fitted.spec
    for other, remedy in (
        (replace(spec, model="naive"), "oj train --model naive"),
        (replace(spec, horizon=3), "oj train --horizon 3 --gap 0"),
        (replace(spec, gap=1), "oj train --horizon 2 --gap 1"),
        (replace(spec, cutoff=spec.cutoff - timedelta(weeks=1)), f"oj train --cutoff {spec.cutoff - WEEK}"),
    ):
        with pytest.raises(OptionError, match=remedy):
            fitted.require_fit_for(other)
    fitted.require_fit_for(replace(spec, horizon=1, cutoff=spec.cutoff + WEEK))
