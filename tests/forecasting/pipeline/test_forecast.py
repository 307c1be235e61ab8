"""Tests of the forecast function and of the check of its rows."""

import itertools
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import DataError, RunError
from forecasting.contracts.panel_definition import ORANGE_JUICE, Series
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.completeness import active_series
from forecasting.core.partition import PartitionData
from forecasting.pipeline.forecast import (
    FALLBACK_MODEL,
    assemble,
    fallback,
    forecast,
    forecast_partition,
    make_partitions,
)
from tests.forecasting.models.made_up import made_up
from tests.strategies import Market, markets, shuffled, whole_offers

UNPOOLED = ["naive", "mean", "ets"]
LAW = settings(max_examples=15, deadline=None)
# Exponential smoothing needs ten observed weeks, and a while for each series.
MARKETS = {"naive": markets(), "mean": markets(), "ets": markets(min_weeks=16, max_weeks=18, dense=True)}
CUTOFF = date(1991, 1, 31)


def per_model(name: str) -> settings:
    return settings(max_examples=8 if name == "ets" else 12, deadline=None)


@pytest.mark.parametrize("model", UNPOOLED)
def test_forecasting_the_parts_is_forecasting_the_whole(model: str) -> None:
    """Whichever way the batch is cut, every series gets the same bits."""

    @per_model(model)
    @given(MARKETS[model], st.integers(1, 5), st.integers(1, 3), st.integers(0, 2))
    def law(market: Market, size: int, horizon: int, gap: int) -> None:
        spec = ForecastSpec(market.cutoff, horizon=horizon, gap=gap, model=model)
        parts = make_partitions(market.sales, market.promotions, spec, mini_batch_size=size)

        together = assemble([forecast_partition(part, spec) for part in parts], parts, {}, spec)

        whole = forecast(market.sales, market.promotions, spec)
        pd.testing.assert_frame_equal(together, whole, check_exact=True)

    law()


@pytest.mark.parametrize("model", UNPOOLED)
def test_nothing_sold_after_the_cutoff_reaches_the_forecast(model: str) -> None:
    """A replay with the future corrupted gives the bits of the live run, which has no future at all."""

    @per_model(model)
    @given(MARKETS[model], st.integers(0, 99))
    def law(market: Market, seed: int) -> None:
        spec = ForecastSpec(market.cutoff, model=model)
        later = market.sales["week"] > pd.Timestamp(market.cutoff)
        stranger = market.sales.tail(1).assign(store=999, week=pd.Timestamp(spec.weeks[-1]))
        corrupt = pd.concat([market.sales.assign(units=market.sales["units"].where(~later, 10**9)), stranger])
        beyond = market.promotions["week"] > pd.Timestamp(spec.weeks[-1])
        promotions = market.promotions.assign(price=market.promotions["price"].where(~beyond, 1e9))

        live = forecast(market.sales[~later], market.promotions[~beyond], spec)

        replay = forecast(shuffled(orange_juice.SALES.cast(corrupt), seed), shuffled(promotions, seed), spec)
        pd.testing.assert_frame_equal(replay, live, check_exact=True)

    law()


@LAW
@given(markets(), st.sampled_from(["naive", "mean"]), st.sampled_from(["median", "mean", "mape"]), st.integers(1, 3))
def test_every_active_series_has_every_step_once_with_usable_numbers(
    market: Market, model: str, point: str, horizon: int
) -> None:
    """The forecast is series × steps: finite, not negative, with the wider interval around the narrower."""
    spec = ForecastSpec(market.cutoff, horizon=horizon, model=model, point=point)  # type: ignore[arg-type]

    table = forecast(market.sales, market.promotions, spec)

    series = active_series(market.sales, market.cutoff)
    expected = list(itertools.product(series.itertuples(index=False, name=None), spec.steps))
    assert [((row.store, row.product), row.step) for row in table.itertuples()] == expected
    assert (table[["lo_95", "lo_80", "hi_80", "hi_95"]].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    assert (table[["forecast", "lo_95"]] >= 0).all(axis=None)
    assert np.isfinite(table[["forecast", "hi_95"]]).all(axis=None)
    assert set(table["model"]) == {model}
    assert table["reason"].isna().all()
    if point == "median":
        assert table["forecast"].between(table["lo_80"], table["hi_80"]).all()


@LAW
@given(markets())
def test_a_row_says_whether_its_promotion_was_announced(market: Market) -> None:
    """Exactly the cells of the table of promotions count as known."""
    table = forecast(market.sales, market.promotions, ForecastSpec(market.cutoff, model="naive"))

    known = pd.MultiIndex.from_frame(market.promotions[schemas.CELL])
    assert table["promotion_known"].tolist() == pd.MultiIndex.from_frame(table[schemas.CELL]).isin(known).tolist()


def market_of(units: dict[tuple[int, int], list[int]]) -> Market:
    """Sales of the weeks up to the cutoff, by series; no plan is known."""
    frames = []
    for (store, product), sold in units.items():
        weeks = pd.date_range(end=pd.Timestamp(CUTOFF), periods=len(sold), freq="7D", unit="us")
        frames.append(pd.DataFrame({"store": store, "product": product, "week": weeks, "units": sold}))
    return Market(orange_juice.SALES.cast(pd.concat(frames)), orange_juice.PROMOTIONS.empty(), CUTOFF)


THREE = market_of({(2, 1): [4, 6], (2, 2): [10, 30], (5, 1): [7, 7]})
SPEC = ForecastSpec(CUTOFF, model="naive")
SERIES = active_series(THREE.sales, CUTOFF)


def test_of_a_panel_without_covariates_everything_is_announced() -> None:
    """There is nothing that anybody could have announced."""
    definition = replace(ORANGE_JUICE, covariates=())
    spec = replace(SPEC, definition=definition)
    assert forecast(THREE.sales, schemas.promotions(definition).empty(), spec)["promotion_known"].all()


@pytest.fixture
def parts() -> list[PartitionData]:
    return make_partitions(THREE.sales, THREE.promotions, SPEC, mini_batch_size=2)


@pytest.fixture
def rows() -> pd.DataFrame:
    return forecast(THREE.sales, THREE.promotions, SPEC)


def test_a_cutoff_without_sales_before_it_is_refused() -> None:
    """There is nothing to forecast from: the error says what to do."""
    with pytest.raises(DataError, match="No series has sales in the weeks up to the cutoff 1990-01-04"):
        forecast(THREE.sales, THREE.promotions, ForecastSpec(date(1990, 1, 4), model="naive"))


def test_a_failed_series_gets_the_climatology_and_its_reason(parts: list[PartitionData]) -> None:
    """The failed series' past median stands in, named as what it is; the others are the model's, as before."""
    frames = [forecast_partition(part, SPEC) for part in parts[1:]]
    reasons: dict[Series, str] = {(2, 1): "raised", (2, 2): "timed_out"}

    table = assemble(frames, parts, reasons, SPEC)

    assert table["forecast"].to_numpy() == pytest.approx([5, 5, 20, 20, 7, 7])
    assert table["model"].tolist() == [FALLBACK_MODEL] * 4 + ["naive"] * 2
    assert table["reason"].fillna("").tolist() == ["raised"] * 2 + ["timed_out"] * 2 + [""] * 2


def test_unusable_rows_give_way_to_the_fallback(parts: list[PartitionData]) -> None:
    """Rows of a series with a reason are left out, wherever they come from."""
    frames = [forecast_partition(part, SPEC).assign(forecast=-1.0) for part in parts]
    reasons = dict.fromkeys(SERIES.itertuples(index=False, name=None), "negative")

    table = assemble(frames, parts, reasons, SPEC)

    assert (table["model"] == FALLBACK_MODEL).all()
    assert len(table) == 6


def test_a_fallback_covers_the_named_series_only(parts: list[PartitionData]) -> None:
    """One series of the partition failed: one series falls back, on every step."""
    found = fallback(parts[0], SPEC, {(2, 2): "raised"})

    assert found[["store", "product", "step"]].to_numpy().tolist() == [[2, 2, 1], [2, 2, 2]]


def test_a_series_without_row_or_reason_stops_the_run(parts: list[PartitionData]) -> None:
    """What nobody accounts for is never published."""
    frames = [forecast_partition(part, SPEC) for part in parts[:1]]

    with pytest.raises(RunError, match="missing_row"):
        assemble(frames, parts, {}, SPEC)


@pytest.mark.parametrize("model", ["naive", "mean"])
def test_a_replay_of_the_real_data_is_the_live_run(
    model: str, real_sales: pd.DataFrame, real_promotions: pd.DataFrame
) -> None:
    """At week 135 the whole history, future included, forecasts as the history up to that week does."""
    spec = ForecastSpec(date(1992, 4, 9), gap=1, model=model)
    until = real_sales["week"] <= pd.Timestamp(spec.cutoff)

    replay = forecast(real_sales, real_promotions, spec)

    live = forecast(real_sales[until], real_promotions, spec)
    pd.testing.assert_frame_equal(replay, live, check_exact=True)
    assert len(replay) == 2 * len(active_series(real_sales, spec.cutoff))


@LAW
@given(markets(), st.integers(1, 3), st.integers(0, 2), st.sampled_from(["naive", "price_response", "boosted_trees"]))
def test_every_model_gets_a_complete_plan(market: Market, horizon: int, gap: int, model: str) -> None:
    """All coming weeks of every series and rival of a partition are priced.

    The exceptions are weeks without an announced price of products without a price up to the cutoff.
    """
    spec = ForecastSpec(market.cutoff, horizon=horizon, gap=gap, model=model)
    last = pd.Timestamp(spec.weeks[-1])
    plan = market.promotions[market.promotions["week"] <= last]
    priced = set(plan.loc[plan["week"] <= pd.Timestamp(market.cutoff), "product"])
    announced = set(plan[["product", "week"]].itertuples(index=False, name=None))
    weeks = [pd.Timestamp(market.cutoff + WEEK * step) for step in range(1, gap + horizon + 1)]

    for part in make_partitions(market.sales, market.promotions, spec, mini_batch_size=2):
        ahead = part.promotions[part.promotions["week"] > pd.Timestamp(market.cutoff)]
        pairs = pd.concat([part.series, part.promotions[schemas.SERIES]]).itertuples(index=False, name=None)
        expected = {
            (*pair, week)
            for pair, week in itertools.product(set(pairs), weeks)
            if pair[1] in priced or (pair[1], week) in announced
        }
        assert set(ahead[schemas.CELL].itertuples(index=False, name=None)) == expected
        assert len(ahead) == len(expected)
        assert np.isfinite(ahead[["price", "deal", "feat"]]).all(axis=None)


def after_a_promotion() -> Market:
    """A market whose every series is promoted deeply in the last week, and of which no plan is known."""
    market = made_up(stores=(2, 5, 8), products=(1, 2), n_weeks=45)
    plan = market.promotions
    at_cutoff = plan["week"] == pd.Timestamp(market.cutoff)
    plan = plan.assign(price=plan["price"].mask(at_cutoff, 1.29), feat=plan["feat"].mask(at_cutoff, 1.0))
    return Market(market.sales, plan[plan["week"] <= pd.Timestamp(market.cutoff)], market.cutoff)


@pytest.mark.parametrize("model", ["price_response", "boosted_trees", "arima_regression", "ensemble"])
def test_without_a_plan_the_usual_price_is_forecast_and_not_the_last(model: str) -> None:
    """After a promotion: the same bits as where the usual price, no deal and no advert were announced."""
    market = after_a_promotion()
    spec = ForecastSpec(market.cutoff, horizon=2, gap=1, model=model)
    usual = market.promotions.groupby(schemas.SERIES, as_index=False)["price"].median().assign(deal=0, feat=0.0)
    weeks = pd.DataFrame({"week": [pd.Timestamp(market.cutoff + WEEK * step) for step in (1, 2, 3)]})
    announced = pd.concat(
        [market.promotions, orange_juice.PROMOTIONS.cast(whole_offers(usual.merge(weeks, how="cross")))]
    )

    found = forecast(market.sales, market.promotions, spec)

    expected = forecast(market.sales, announced, spec)
    assert not found["promotion_known"].any()
    assert expected["promotion_known"].all()
    known = "promotion_known"
    pd.testing.assert_frame_equal(found.drop(columns=known), expected.drop(columns=known), check_exact=True)


@pytest.mark.parametrize("model", ["price_response", "boosted_trees", "arima_regression", "naive"])
def test_a_product_that_never_had_a_price_is_forecast(model: str) -> None:
    """Product 1 sells without any price: its rows are there, and count as unknown."""
    market = made_up(stores=(2, 5, 8), products=(1, 2, 3), n_weeks=30)
    plan = market.promotions[market.promotions["product"] != 1]

    found = forecast(market.sales, plan, ForecastSpec(market.cutoff, model=model))

    assert found["reason"].isna().all()
    assert (found["promotion_known"] == (found["product"] != 1)).all()
