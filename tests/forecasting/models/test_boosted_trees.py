"""Tests of the boosted trees: what they add to the price response, and that they answer whatever the history."""

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.completeness import active_series
from forecasting.core.forecast_checks import require_complete
from forecasting.core.panel import build_panel
from forecasting.models import boosted_trees as module
from forecasting.models.boosted_trees import _origins_between, _training_rows
from forecasting.models.response.choice import FIRST_ORIGIN
from forecasting.models.response.panel_fit import fit_products
from forecasting.models.response.tree_features import tree_features
from forecasting.pipeline.forecast import assemble, forecast, forecast_partition, make_partitions
from tests.forecasting.models.made_up import made_up, true_log_units
from tests.strategies import Market, shuffled

FEW = [2, 5]
ROUNDS = module.ROUNDS  # as shipped


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten rounds of two seeds show as much, in a tenth of the time."""
    monkeypatch.setattr(module, "ROUNDS", 10)
    monkeypatch.setattr(module, "SEEDS", (1, 2))


@pytest.fixture(scope="module")
def real(real_sales: pd.DataFrame, real_promotions: pd.DataFrame) -> Market:
    """Two real stores at week 120."""
    sales, promotions = (frame[frame["store"].isin(FEW)] for frame in (real_sales, real_promotions))
    return Market(sales.reset_index(drop=True), promotions.reset_index(drop=True), dominicks_week(120))


def spec_of(market: Market, model: str = "boosted_trees", horizon: int = 2, gap: int = 0) -> ForecastSpec:
    return ForecastSpec(market.cutoff, horizon=horizon, gap=gap, model=model)


def test_what_the_regression_leaves_over_is_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sales go up and down in waves of the price, which no regressor follows: the trees take a fifth off the miss."""
    monkeypatch.setattr(module, "ROUNDS", ROUNDS)
    market = made_up(n_weeks=100, noise=0.02, stores=(2, 5, 8, 9), products=(1, 2, 3, 4))
    cells = market.sales.merge(market.promotions, on=schemas.CELL)
    jump = 0.8 * np.sin(8 * np.log(cells["price"]))
    sales = cells.assign(units=(cells["units"] * np.exp(jump)).round())
    truth = true_log_units(cells) + jump
    miss = {}
    for model in ("price_response", "boosted_trees"):
        found = forecast(orange_juice.SALES.cast(sales), market.promotions, spec_of(market, model, horizon=8))
        expected = cells.assign(truth=truth).merge(found, on=schemas.CELL)
        miss[model] = (np.log(expected["forecast"]) - expected["truth"]).abs().mean()

    assert miss["boosted_trees"] < 0.8 * miss["price_response"]


def test_too_few_errors_leave_the_regression_as_it_is() -> None:
    """Below 500 past errors there are no trees: the median is that of the price response."""
    market = made_up(n_weeks=40)

    found, bare = (
        forecast(market.sales, market.promotions, spec_of(market, m)) for m in ("boosted_trees", "price_response")
    )

    series = made_up(n_weeks=40).sales[schemas.SERIES].drop_duplicates()
    assert len(series) * (40 - FIRST_ORIGIN) < module.FEWEST_ERRORS
    assert found["forecast"].to_numpy() == pytest.approx(bare["forecast"].to_numpy(), rel=0.05)


def test_twice_the_same_bits_whatever_the_order_of_rows(real: Market) -> None:
    """Features and rows are drawn from given seeds; nothing depends on where a row stands."""
    spec = spec_of(real)

    again = forecast(shuffled(real.sales, 1), shuffled(real.promotions, 2), spec)

    pd.testing.assert_frame_equal(again, forecast(real.sales, real.promotions, spec), check_exact=True)


def test_all_products_stay_together(real: Market) -> None:
    """The trees learn from all of them, so there is one partition, and the same bits, however small it should be."""
    spec = spec_of(real)
    parts = make_partitions(real.sales, real.promotions, spec, mini_batch_size=1)

    together = assemble([forecast_partition(part, spec) for part in parts], parts, {}, spec)

    assert len(parts) == 1
    pd.testing.assert_frame_equal(together, forecast(real.sales, real.promotions, spec), check_exact=True)


def test_the_future_corrupted_changes_nothing(real: Market) -> None:
    """Neither sales after the cutoff nor plans beyond the horizon reach the trees."""
    spec = spec_of(real, gap=1)
    later = real.sales["week"] > pd.Timestamp(real.cutoff)
    beyond = real.promotions["week"] > pd.Timestamp(spec.weeks[-1])
    absurd = real.sales.assign(units=real.sales["units"].mask(later, 10**8))
    plans = real.promotions.assign(price=real.promotions["price"].mask(beyond, 1e-3))

    found = forecast(absurd, plans, spec)

    live = forecast(real.sales[~later], real.promotions[~beyond], spec)
    pd.testing.assert_frame_equal(found, live, check_exact=True)


def test_trees_are_trained_on_weeks_before_those_they_are_checked_on(real: Market) -> None:
    """Forty weeks back no error of a later week is among the training rows, and the last week that may be, is."""
    spec = spec_of(real)
    panel = build_panel(real.sales, real.promotions, active_series(real.sales, real.cutoff), real.cutoff)
    fit = fit_products(panel, real.promotions, spec)[0]
    features = tree_features(fit.offers, fit.own, fit.rivals)
    until = fit.today - 40
    fit.sales.logs[until + 1 :] = 99.0

    _, errors, _ = _training_rows(fit, features, known=40)

    assert errors.max() < 50
    fit.sales.logs[until] = 99.0
    _, errors, _ = _training_rows(fit, features, known=40)
    assert errors.max() > 50


@pytest.mark.parametrize(("step", "furthest"), [(1, 2), (2, 2), (2, 3), (3, 3), (1, 8), (8, 8)])
def test_each_past_week_is_forecast_once_by_trees_that_had_not_seen_it(step: int, furthest: int) -> None:
    """The checks follow each other without gap or overlap, from beyond the trees' last week up to yesterday."""
    today = 95
    origins = [_origins_between(today, step, back * 10, furthest) for back in range(4, 0, -1)]

    for back, found in zip(range(4, 0, -1), origins, strict=True):
        assert (found + step > today - 10 * back).all()
    together = np.concatenate(origins)
    assert (np.diff(together) == 1).all()
    assert together[-1] < today
    assert _origins_between(today, step, 0, furthest).tolist() == [today]


@pytest.mark.parametrize("n_weeks", [1, 3, 9, 21, 22, 24, 31])
def test_a_short_history_is_no_obstacle(n_weeks: int) -> None:
    """Eight weeks ahead, every series × step once, finite, not negative and nested."""
    market = made_up(n_weeks=n_weeks, stores=(2, 5, 8, 9, 12, 14, 18, 21), products=range(1, 8))
    spec = spec_of(market, horizon=8)

    found = forecast(market.sales, market.promotions, spec)

    require_complete(found, active_series(market.sales, market.cutoff), spec)


def test_gaps_and_unknown_plans_are_no_obstacle(real: Market) -> None:
    """A store that was away for a quarter, cells missing at random, no plan ahead."""
    away = (real.sales["store"] == 5) & real.sales["week"].between("1991-06-01", "1991-09-01")
    sales = real.sales[~away].sample(frac=0.9, random_state=5)
    plans = real.promotions[real.promotions["week"] <= pd.Timestamp(real.cutoff)]
    spec = spec_of(real, horizon=8)

    found = forecast(sales, plans, spec)

    require_complete(found, active_series(sales, real.cutoff), spec)
    assert not found["promotion_known"].any()


def test_one_product_without_rivals_is_forecast() -> None:
    """The features on rivals are left out where there are none."""
    market = made_up(n_weeks=120, products=(1,))
    spec = spec_of(market)

    found = forecast(market.sales, market.promotions, spec)

    require_complete(found, active_series(market.sales, market.cutoff), spec)


def test_one_thread_is_used() -> None:
    """More threads would make the trees tens of times slower on a busy machine, and their bits depend on it."""
    assert (module.PARAMETERS["num_threads"], module.PARAMETERS["deterministic"]) == (1, True)
    assert lgb.__version__.split(".")[0] == "4"
