"""Tests of the price response: what it learns, what it depends on, and that it answers whatever the history."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.completeness import active_series
from forecasting.models.price_response import PriceResponse
from forecasting.pipeline.forecast import assemble, forecast, forecast_partition, make_partitions
from tests.forecasting.models.made_up import FEAT_EFFECT, definition_of, made_up, panel_of, true_log_units
from tests.strategies import Market, markets, shuffled

FEW = [2, 5, 8]


@pytest.fixture(scope="module")
def real(real_sales: pd.DataFrame, real_promotions: pd.DataFrame) -> Market:
    """Three real stores at week 135."""
    sales, promotions = (frame[frame["store"].isin(FEW)] for frame in (real_sales, real_promotions))
    return Market(sales.reset_index(drop=True), promotions.reset_index(drop=True), dominicks_week(135))


def spec_of(market: Market, horizon: int = 2, gap: int = 0) -> ForecastSpec:
    return ForecastSpec(market.cutoff, horizon=horizon, gap=gap, model="price_response")


def require_usable(found: pd.DataFrame, market: Market, spec: ForecastSpec) -> None:
    """Every active series × step once; finite, not negative, the wider interval around the narrower and the point."""
    series = active_series(market.sales, market.cutoff).itertuples(index=False, name=None)
    keys = found[["store", "product", "step"]].itertuples(index=False, name=None)
    assert list(keys) == [(store, product, step) for (store, product), step in itertools.product(series, spec.steps)]
    assert np.isfinite(found[["forecast", "hi_95"]]).all(axis=None)
    assert (found[["forecast", "lo_95"]] >= 0).all(axis=None)
    assert (found[["lo_95", "lo_80", "forecast", "hi_80", "hi_95"]].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


@pytest.mark.parametrize("price", [None, 1.6, 2.1, 2.7, 3.4])
def test_a_known_response_is_recovered(price: float | None) -> None:
    """Log units = level − 2 log price + 0.8 feat: at prices old and new the forecast is within a few percent of it."""
    market = made_up(n_weeks=100, noise=0.03)
    future = market.promotions["week"] > pd.Timestamp(market.cutoff)
    plan = market.promotions
    if price:  # none of these was ever asked
        plan = plan.assign(price=plan["price"].mask(future & (plan["product"] == 1), price))

    found = forecast(market.sales, plan, spec_of(market, horizon=4)).merge(plan, on=schemas.CELL)

    miss = np.log(found["forecast"]) - true_log_units(found)
    assert miss.abs().mean() < 0.04
    assert miss.abs().max() < 0.12
    assert miss[found["product"] == 1].mean() == pytest.approx(0, abs=0.05)


def test_a_thousand_stores_are_forecast_as_well_as_a_hundred(
    real_sales: pd.DataFrame, real_promotions: pd.DataFrame
) -> None:
    """The same 83 real stores, alone and among 917 copies of them: the error of two products stays about as it is."""
    sales = real_sales[real_sales["product"].isin([1, 8])]
    real = np.sort(sales["store"].unique())
    copies = pd.DataFrame({"store": np.random.default_rng(0).choice(real, 1_000 - len(real))})
    copies["copy"] = 1_000 + copies.index
    more_sales, more_plan = (
        pd.concat([rows, rows.merge(copies, on="store").drop(columns="store").rename(columns={"copy": "store"})])
        for rows in (sales, real_promotions[real_promotions["product"].isin([1, 8])])
    )
    spec = ForecastSpec(dominicks_week(110), gap=1, model="price_response")

    errors = []
    for stock in (sales, more_sales):
        found = forecast(stock, more_plan, spec).merge(sales, on=schemas.CELL)
        errors.append((found["forecast"] - found["units"]).abs().sum() / found["units"].sum())

    assert errors[1] < 1.1 * errors[0]


def without_adverts(market: Market) -> pd.DataFrame:
    """The plan with no advert of product 1 after the cutoff."""
    own = (market.promotions["product"] == 1) & (market.promotions["week"] > pd.Timestamp(market.cutoff))
    return market.promotions.assign(feat=market.promotions["feat"].mask(own, 0.0))


@pytest.fixture(scope="module")
def quiet() -> tuple[Market, pd.DataFrame]:
    """A market that plans no advert of product 1, and its forecast of eight weeks."""
    market = made_up(stores=(2, 5, 8), products=(1, 2), n_weeks=80)
    market = Market(market.sales, without_adverts(market), market.cutoff)
    return market, forecast(market.sales, market.promotions, spec_of(market, horizon=8))


@pytest.mark.parametrize("step", range(1, 9))
def test_an_advert_moves_its_own_week(step: int, quiet: tuple[Market, pd.DataFrame]) -> None:
    """At every step of the horizon an advert of product 1 lifts that week by about exp(0.8), and hardly any other."""
    market, without = quiet
    spec, plan = spec_of(market, horizon=8), market.promotions
    in_week = (plan["product"] == 1) & (plan["week"] == pd.Timestamp(spec.weeks[step - 1]))

    with_advert = forecast(market.sales, plan.assign(feat=plan["feat"].mask(in_week, 1.0)), spec)

    lift = np.log(with_advert["forecast"] / without["forecast"])[without["product"] == 1]
    hit = without["step"] == step
    assert lift[hit].mean() == pytest.approx(FEAT_EFFECT, abs=0.12)
    assert lift[~hit].abs().max() < 0.03


def test_a_product_does_not_depend_on_the_others_in_the_panel(real: Market) -> None:
    """Alone or among eleven, a product's rows are the same bits, as long as the promotions of all are known."""
    spec = spec_of(real)
    together = forecast(real.sales, real.promotions, spec)

    for product in (1, 4, 11):
        alone = forecast(real.sales[real.sales["product"] == product], real.promotions, spec)
        among = together[together["product"] == product].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, among, check_exact=True)


def test_a_product_does_not_depend_on_one_without_a_plan() -> None:
    """Product 1 sells but has no promotions at all: product 2 is forecast as if it were alone in the panel."""
    market = made_up(n_weeks=30)
    plan = market.promotions[market.promotions["product"] != 1]
    spec = spec_of(market)

    together = forecast(market.sales, plan, spec)

    alone = forecast(market.sales[market.sales["product"] == 2], plan, spec)
    among = together[together["product"] == 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(among, alone, check_exact=True)


@pytest.mark.parametrize("size", [1, 7, 40])
def test_forecasting_the_parts_is_forecasting_the_whole(size: int, real: Market) -> None:
    """Whole products go together, however many fit: every series gets the same bits."""
    spec = spec_of(real, gap=1)
    parts = make_partitions(real.sales, real.promotions, spec, mini_batch_size=size)

    together = assemble([forecast_partition(part, spec) for part in parts], parts, {}, spec)

    assert len(parts) > 1 or size == 40
    pd.testing.assert_frame_equal(together, forecast(real.sales, real.promotions, spec), check_exact=True)


@settings(max_examples=10, deadline=None)
@given(markets(min_weeks=3, max_weeks=14), st.integers(1, 8))
def test_parts_are_the_whole_in_markets_full_of_gaps(market: Market, size: int) -> None:
    """Stores away, cells missing, products that began later: the cut makes no difference."""
    spec = spec_of(market)
    parts = make_partitions(market.sales, market.promotions, spec, mini_batch_size=size)

    together = assemble([forecast_partition(part, spec) for part in parts], parts, {}, spec)

    pd.testing.assert_frame_equal(together, forecast(market.sales, market.promotions, spec), check_exact=True)


def test_twice_the_same_bits_whatever_the_order_of_rows(real: Market) -> None:
    """Nothing is drawn at random, and nothing depends on where a row stands."""
    spec = spec_of(real)

    again = forecast(shuffled(real.sales, 1), shuffled(real.promotions, 2), spec)

    pd.testing.assert_frame_equal(again, forecast(real.sales, real.promotions, spec), check_exact=True)


def test_intervals_are_wider_where_a_promotion_is_planned(real: Market) -> None:
    """On the real data an advertised week is wider, in logs, than the same series' others."""
    spec = spec_of(real, horizon=8)

    found = forecast(real.sales, real.promotions, spec)

    require_usable(found, real, spec)
    plan = found.merge(real.promotions, on=schemas.CELL)
    width = np.log(plan["hi_80"] / plan["lo_80"]).groupby([plan["store"], plan["product"], plan["feat"] > 0]).mean()
    wider = (width.xs(True, level="feat") - width.xs(False, level="feat")).dropna()
    assert wider.mean() > 0.05
    assert (wider > 0).mean() > 2 / 3


@settings(max_examples=10, deadline=None)
@given(markets(max_weeks=26), st.integers(1, 6), st.integers(0, 2))
def test_any_market_gets_usable_rows(market: Market, horizon: int, gap: int) -> None:
    """A few weeks, stores away, single cells missing, plans unknown: every active series has its rows."""
    spec = spec_of(market, horizon, gap)

    require_usable(forecast(market.sales, market.promotions, spec), market, spec)


SHORT = {f"{n} weeks": made_up(n_weeks=n) for n in (1, 2, 3, 9, 22)}
FULL = made_up(n_weeks=40)
FUTURE = FULL.promotions["week"] > pd.Timestamp(FULL.cutoff)
EDGES = {
    **SHORT,
    "one store": made_up(stores=(2,), n_weeks=40),
    "one product without rivals": made_up(products=(1,), n_weeks=40),
    "one series": made_up(stores=(2,), products=(1,), n_weeks=5),
    "no sale at all": Market(FULL.sales.assign(units=0), FULL.promotions, FULL.cutoff),
    "always the same": Market(FULL.sales.assign(units=12), FULL.promotions, FULL.cutoff),
    "one price for ever": Market(FULL.sales, FULL.promotions.assign(price=2.0, feat=0.0), FULL.cutoff),
    "one huge week": Market(
        FULL.sales.assign(units=FULL.sales["units"].mask(FULL.sales.index % 31 == 7, 10**7)),
        FULL.promotions,
        FULL.cutoff,
    ),
    "every second week": Market(FULL.sales[FULL.sales["week"].dt.day_of_year % 2 == 0], FULL.promotions, FULL.cutoff),
    "no plan ahead": Market(FULL.sales, FULL.promotions[~FUTURE], FULL.cutoff),
    "no plan of one store": Market(FULL.sales, FULL.promotions[FULL.promotions["store"] != 5], FULL.cutoff),
    "no promotions at all": Market(FULL.sales, orange_juice.PROMOTIONS.empty(), FULL.cutoff),
    "a price of nearly nothing": Market(
        FULL.sales, FULL.promotions.assign(price=FULL.promotions["price"].mask(FUTURE, 0.01)), FULL.cutoff
    ),
}


@pytest.mark.parametrize("name", list(EDGES))
def test_every_series_is_forecast_whatever_its_history(name: str) -> None:
    """Eight weeks ahead, finite and not negative, each step once."""
    market = EDGES[name]
    spec = spec_of(market, horizon=8)

    require_usable(forecast(market.sales, market.promotions, spec), market, spec)


def test_what_never_sold_is_forecast_at_nothing() -> None:
    """Forty weeks of zero: less than a carton is no sale."""
    market = EDGES["no sale at all"]

    assert forecast(market.sales, market.promotions, spec_of(market))["forecast"].max() == 0


def test_what_always_sold_alike_goes_on() -> None:
    """Twelve cartons, week after week: twelve are forecast, within a twentieth."""
    market = EDGES["always the same"]

    assert forecast(market.sales, market.promotions, spec_of(market))["forecast"].to_numpy() == pytest.approx(
        12, rel=0.05
    )


def test_no_forecast_runs_away() -> None:
    """At a price of nearly nothing the forecast stays within three times the series' best week."""
    market = EDGES["a price of nearly nothing"]

    found = forecast(market.sales, market.promotions, spec_of(market))

    past = market.sales[market.sales["week"] <= pd.Timestamp(market.cutoff)]
    best = past.groupby(schemas.SERIES)["units"].max()
    assert (
        found["forecast"].to_numpy() <= 3 * best.loc[list(zip(found["store"], found["product"], strict=True))]
    ).all()


ROLES = [
    (),
    ("price",),
    ("flag",),
    ("share",),
    ("number", "number"),
    ("price", "flag", "flag", "share"),
    ("price", "price", "number"),
]


@pytest.mark.parametrize("roles", ROLES)
def test_any_covariates_are_taken_by_their_role(roles: tuple[str, ...]) -> None:
    """None at all, no price, several promotions, numbers: usable samples of every series and step."""
    found = PriceResponse().forecast(*panel_of(definition_of(*roles)))

    assert np.isfinite(found.samples).all()
    assert (np.diff(found.samples, axis=1) >= 0).all()
    assert len(found.frame.drop_duplicates(["store", "product", "step"])) == 3 * 3 * 2


@pytest.mark.parametrize(("stores", "products"), [(3, 3), (1, 14)])
@pytest.mark.parametrize("roles", ROLES)
def test_fit_and_predict_are_the_forecast_in_any_panel(roles: tuple[str, ...], stores: int, products: int) -> None:
    """To the last bit, also with more products than a product has rivals, and with weeks without a sale."""
    panel, promotions, spec = panel_of(definition_of(*roles), stores, products, zeros=0.1)
    model = PriceResponse()

    found = model.predict(model.fit(panel, promotions, spec), panel, promotions, spec)

    expected = model.forecast(panel, promotions, spec)
    assert np.array_equal(found.samples, expected.samples)
    pd.testing.assert_frame_equal(found.frame, expected.frame, check_dtype=False)
