"""Tests of what-if: the plan's own values give the forecast of a run, others what the model expects of them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import OptionError
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.fitted_model import FittedModel
from forecasting.pipeline.forecast import forecast, train
from forecasting.pipeline.what_if import Outlook, outlook, what_if
from tests.forecasting.models.made_up import made_up
from tests.strategies import Market

TRAINED, CUTOFF = dominicks_week(135), dominicks_week(138)
NAMES = ["forecast", "lo_80", "hi_80", "lo_95", "hi_95"]


@pytest.fixture(scope="module")
def real(real_sales: pd.DataFrame, real_promotions: pd.DataFrame) -> Market:
    """Five real stores; the plan of store 8 ends with the cutoff."""
    stores = [2, 5, 8, 12, 14]
    sales, promotions = (frame[frame["store"].isin(stores)] for frame in (real_sales, real_promotions))
    unplanned = promotions["store"].eq(8) & (promotions["week"] > pd.Timestamp(CUTOFF))
    return Market(sales.reset_index(drop=True), promotions[~unplanned].reset_index(drop=True), CUTOFF)


@pytest.fixture(scope="module")
def fitted(real: Market) -> FittedModel:
    """The default model as it was trained three weeks before the cutoff, without store 14."""
    known = real.sales[real.sales["store"] != 14]
    return train(known, real.promotions[real.promotions["store"] != 14], ForecastSpec(TRAINED))


@pytest.fixture(scope="module")
def now(real: Market, fitted: FittedModel) -> Outlook:
    return outlook(fitted, real.sales, real.promotions, replace(fitted.spec, cutoff=CUTOFF))


def test_the_plan_itself_gives_the_forecast_of_a_run(real: Market, fitted: FittedModel, now: Outlook) -> None:
    """For every series and step, the plan's values given or not: the published numbers to the last bit."""
    rows = forecast(real.sales, real.promotions, now.spec, fitted)
    rows = rows[rows["reason"].isna()]
    assert len(rows) == 4 * 11 * 2
    for row in rows.itertuples():
        answer = what_if(now, row.store, row.product, row.week.date())
        expected = {name: getattr(row, name) for name in NAMES}
        assert answer.by_plan == answer.by_asked == expected
        assert answer.step == row.step
        same = what_if(now, row.store, row.product, row.week.date(), **answer.plan)
        assert same.by_asked == expected


def test_another_offer_is_what_a_run_under_another_plan_would_forecast(real: Market, fitted: FittedModel) -> None:
    """The plan rewritten for one store, product and week, and a run by it: the same numbers to the last bit.

    Without store 8, whose own plan is unknown, and would be taken to be what the other stores do.
    """
    sales, promotions = (frame[frame["store"] != 8] for frame in (real.sales, real.promotions))
    of = outlook(fitted, sales, promotions, replace(fitted.spec, cutoff=CUTOFF))
    week = CUTOFF + WEEK
    is_cell = promotions["store"].eq(2) & promotions["product"].eq(5) & promotions["week"].eq(pd.Timestamp(week))
    plan = promotions.copy()
    plan.loc[is_cell, ["price", "feat"]] = [1.79, 1.0]
    rows = forecast(sales, plan, of.spec, fitted)
    row = rows[(rows["store"] == 2) & (rows["product"] == 5) & (rows["step"] == 1)].iloc[0]
    answer = what_if(of, 2, 5, week, price=1.79, feat=1.0)
    assert answer.by_asked == {name: row[name] for name in NAMES}
    assert answer.by_asked != answer.by_plan


def test_cheaper_and_advertised_sells_more(now: Outlook) -> None:
    """The direction that anybody would expect, and no warning within the range of seen prices."""
    usual = what_if(now, 2, 5, CUTOFF + WEEK, price=2.19, deal=0, feat=0)
    cheap = what_if(now, 2, 5, CUTOFF + WEEK, price=1.79, deal=1, feat=1)
    assert cheap.by_asked["forecast"] > 1.5 * usual.by_asked["forecast"]
    assert usual.warnings == cheap.warnings == ()


def test_a_price_never_seen_is_answered_with_a_warning(real: Market, now: Outlook) -> None:
    """The range is that of the series up to the end of training."""
    past = real.promotions[real.promotions["week"] <= pd.Timestamp(TRAINED)]
    seen = past[past["store"].eq(2) & past["product"].eq(5)]["price"]
    for price in (seen.min() - 0.01, seen.max() + 0.01):
        (warning,) = what_if(now, 2, 5, CUTOFF + WEEK, price=price).warnings
        assert f"from ${seen.min():.2f} to ${seen.max():.2f}" in warning
    for price in (seen.min(), seen.max()):
        assert what_if(now, 2, 5, CUTOFF + WEEK, price=price).warnings == ()


def test_a_week_beyond_the_horizon_is_answered_with_a_warning(now: Outlook) -> None:
    """Five weeks ahead of a model that was trained for two."""
    answer = what_if(now, 2, 5, CUTOFF + 5 * WEEK, price=1.99)
    assert answer.step == 5
    assert answer.by_asked["lo_95"] <= answer.by_asked["forecast"] <= answer.by_asked["hi_95"]
    assert "5 weeks ahead, and the model was trained for 2" in answer.warnings[0]


def test_without_a_plan_one_is_assumed_and_said(now: Outlook) -> None:
    """Store 8 has no plan: what the other stores plan stands in its place."""
    answer = what_if(now, 8, 5, CUTOFF + WEEK)
    assert not answer.plan_known
    assert what_if(now, 2, 5, CUTOFF + WEEK).plan_known
    assert answer.plan["price"] > 0


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"store": 3}, "store=3, brand=5 was not sold"),
        ({"product": 99}, "store=2, brand=99 was not sold"),
        ({"store": 14}, "store=14, brand=5 has no parameters in the model.*oj train"),
        ({"week": CUTOFF}, "is not the first day of one of the 26 weeks ahead"),
        ({"week": CUTOFF + WEEK / 7}, "is not the first day"),
        ({"week": CUTOFF + 27 * WEEK}, "is not the first day"),
        ({"price": 0.0}, "price=0.0 is not possible; give above 0 .dollars a carton"),
        ({"price": float("nan")}, "price=nan is not possible"),
        ({"deal": 2}, "deal=2 is not possible; give 0 or 1"),
        ({"feat": 1.5}, "feat=1.5 is not possible"),
        ({"colour": 1}, "colour=1 is no covariate; name one of price, deal, feat"),
    ],
)
def test_an_impossible_question_is_one_sentence(question: dict[str, Any], sentence: str, now: Outlook) -> None:
    """Unknown series, past weeks, and offers that nobody can make."""
    asked: dict[str, Any] = {"store": 2, "product": 5, "week": CUTOFF + WEEK} | question
    with pytest.raises(OptionError, match=sentence):
        what_if(now, *(asked.pop(name) for name in ("store", "product", "week")), **asked)


def test_a_model_that_looks_at_no_price_says_so(real: Market) -> None:
    """The naive forecast does not change, and the answer says why."""
    spec = ForecastSpec(CUTOFF, model="naive")
    of = outlook(train(real.sales, real.promotions, spec), real.sales, real.promotions, spec)
    answer = what_if(of, 2, 5, CUTOFF + WEEK, price=1.99)
    rows = forecast(real.sales, real.promotions, spec)
    row = rows[(rows["store"] == 2) & (rows["product"] == 5) & (rows["step"] == 1)].iloc[0]
    assert answer.by_asked == answer.by_plan == {name: row[name] for name in NAMES}
    assert answer.warnings == ("The model naive does not look at this.",)


@settings(max_examples=10, deadline=None)
@given(
    st.integers(0, 99),
    st.sets(st.sampled_from([2, 5, 8])),
    st.sampled_from(["price_response", "arima_regression"]),
)
def test_the_assumed_price_itself_gives_the_forecast_of_a_run(seed: int, planned: set[int], model: str) -> None:
    """Whichever stores have a plan: a price a hair beside the planned or assumed one gives the same forecast.

    Prices are all different, as a model may count the rivals that are cheaper.
    """
    market = made_up(stores=(2, 5, 8), products=(1, 2), n_weeks=30, seed=seed)
    prices = np.random.default_rng(seed).uniform(1.5, 3.0, len(market.promotions))
    future = market.promotions["week"] > pd.Timestamp(market.cutoff)
    known = market.promotions["store"].isin(planned) | ~future
    promotions = market.promotions.assign(price=prices)[known]
    spec = ForecastSpec(market.cutoff, horizon=2, model=model)
    fitted = train(market.sales, promotions, spec)
    of = outlook(fitted, market.sales, promotions, spec)
    for row in forecast(market.sales, promotions, spec, fitted).itertuples():
        answer = what_if(of, row.store, row.product, row.week.date())
        beside = what_if(of, row.store, row.product, row.week.date(), price=answer.plan["price"] * (1 + 1e-9))
        expected = {name: getattr(row, name) for name in NAMES}
        assert answer.plan_known == row.promotion_known == (row.store in planned)
        assert answer.by_plan == expected
        assert beside.by_asked == pytest.approx(expected, rel=1e-5)


def test_a_product_that_never_had_a_price_is_answered() -> None:
    """The plan has no price, and asking for none gives the forecast of a run."""
    market = made_up(stores=(2, 5, 8), products=(1, 2), n_weeks=30)
    promotions = market.promotions[market.promotions["product"] != 1]
    spec = ForecastSpec(market.cutoff)
    of = outlook(train(market.sales, promotions, spec), market.sales, promotions, spec)
    row = forecast(market.sales, promotions, spec).iloc[0]
    answer = what_if(of, 2, 1, market.cutoff + WEEK)
    assert not answer.plan_known
    assert np.isnan(answer.plan["price"])
    assert answer.by_asked == answer.by_plan == {name: row[name] for name in NAMES}
    assert answer.warnings == ("The model has seen no price of this series.",)
    assert np.isfinite(list(what_if(of, 2, 1, market.cutoff + WEEK, price=2.0).by_asked.values())).all()
