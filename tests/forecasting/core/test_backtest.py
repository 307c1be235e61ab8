"""Tests of the backtest: its rows and scores worked by hand, its folds held against live forecasts."""

from datetime import date

import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import ForecastingError
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.spec import ForecastSpec
from forecasting.contracts.table import Table
from forecasting.core.backtest import score_models, with_actuals
from forecasting.core.completeness import active_series
from forecasting.core.metrics import METRICS
from forecasting.pipeline.forecast import assemble, forecast, forecast_partition, make_partitions
from tests.strategies import whole_offers

CUTOFF = date(1991, 1, 31)
MODELS = ["naive", "price_response"]
FEW = [2, 5, 8, 9]


def week(offset: int) -> pd.Timestamp:
    """The week so many weeks after the cutoff."""
    return pd.Timestamp(CUTOFF + WEEK * offset)


def forecasts_of(*rows: tuple[int, int, int, float], reason: str | None = None) -> pd.DataFrame:
    """All points of (store, product, step, mean): the median one carton below it, the mape point two."""
    frame = pd.DataFrame(rows, columns=["store", "product", "step", "mean"])
    mean = frame["mean"]
    ends = {"lo_95": mean - 9, "lo_80": mean - 5, "hi_80": mean + 5, "hi_95": mean + 9}
    points = {"median": mean - 1, "mape": mean - 2, "forecast": mean - 2}
    weeks = [week(step) for step in frame["step"]]
    known = {"cutoff": week(0), "week": weeks, "model": "naive", "reason": reason, "promotion_known": True}
    return orange_juice.ALL_POINTS.cast(frame.assign(**ends, **points, **known))


def sales_of(*rows: tuple[int, int, int, int]) -> pd.DataFrame:
    """Sales of (store, product, weeks after the cutoff, units)."""
    frame = pd.DataFrame(rows, columns=["store", "product", "offset", "units"])
    return orange_juice.SALES.cast(frame.assign(week=[week(offset) for offset in frame["offset"]]))


def plan_of(*rows: tuple[int, int, int, int, float]) -> pd.DataFrame:
    """Promotions of (store, product, weeks after the cutoff, deal, feat)."""
    frame = pd.DataFrame(rows, columns=["store", "product", "offset", "deal", "feat"])
    return orange_juice.PROMOTIONS.cast(
        whole_offers(frame.assign(price=2.5, week=[week(offset) for offset in frame["offset"]]))
    )


SALES = sales_of((2, 1, -2, 10), (2, 1, -1, 14), (2, 1, 0, 12), (2, 1, 1, 20), (2, 1, 2, 40), (5, 1, 0, 9))
NO_PLAN = orange_juice.PROMOTIONS.empty()


def test_a_forecast_stands_beside_what_was_sold() -> None:
    """Declared columns, the actual of its own week, and the model that was asked in place of the fallback."""
    forecasts = forecasts_of((2, 1, 1, 18), (2, 1, 2, 18), reason="raised").assign(model="mean")

    rows = with_actuals(forecasts, SALES, NO_PLAN, "ets", ORANGE_JUICE)

    assert list(rows.columns) == orange_juice.BACKTEST.columns
    assert rows["actual"].tolist() == [20, 40]
    assert set(rows["model"]) == {"ets"}
    assert set(rows["reason"]) == {"raised"}


def test_a_cell_that_nobody_reported_is_left_out() -> None:
    """Store 5 was closed in week 1, and store 2 has not come to week 3: neither counts, not even as zero."""
    forecasts = forecasts_of((2, 1, 1, 18), (2, 1, 3, 18), (5, 1, 1, 9))

    rows = with_actuals(forecasts, SALES, NO_PLAN, "naive", ORANGE_JUICE)

    assert rows[["store", "product", "step", "actual"]].to_numpy().tolist() == [[2, 1, 1, 20]]


def test_a_week_that_sold_nothing_is_kept() -> None:
    """Zero is an actual."""
    rows = with_actuals(forecasts_of((2, 1, 1, 18)), sales_of((2, 1, 1, 0)), NO_PLAN, "naive", ORANGE_JUICE)

    assert rows["actual"].tolist() == [0]


def test_a_deal_or_an_advert_makes_a_week_promoted() -> None:
    """Either will do; neither, or no plan at all, is no promotion."""
    forecasts = forecasts_of(*[(store, 1, 1, 18.0) for store in (2, 5, 8, 9)])
    sales = sales_of(*[(store, 1, 1, 18) for store in (2, 5, 8, 9)])
    plan = plan_of((2, 1, 1, 1, 0.0), (5, 1, 1, 0, 0.3), (8, 1, 1, 0, 0.0), (9, 1, 2, 1, 1.0))

    assert with_actuals(forecasts, sales, plan, "naive", ORANGE_JUICE)["promoted"].tolist() == [
        True,
        True,
        False,
        False,
    ]


def test_each_score_takes_the_point_that_it_is_meant_for() -> None:
    """MAPE of 16 and 16, WAPE, MASE and pinball of 17 and 17, bias of 18 and 18, where 20 and 40 were sold."""
    rows = with_actuals(forecasts_of((2, 1, 1, 18), (2, 1, 2, 18)), SALES, NO_PLAN, "naive", ORANGE_JUICE)

    (found,) = score_models(rows, SALES).to_dict("records")

    assert found["mape"] == pytest.approx((4 / 20 + 24 / 40) / 2)
    assert found["wape"] == pytest.approx((3 + 23) / 60)
    assert found["bias"] == pytest.approx(36 / 60 - 1)
    assert found["mase"] == pytest.approx((3 + 23) / 2 / 3)  # it moved by 4 and 2 up to the cutoff
    assert found["pinball"] == pytest.approx(METRICS["pinball"](rows.assign(forecast=rows["median"])))
    assert found["pinball"] != pytest.approx(METRICS["pinball"](rows))
    assert (found["coverage_80"], found["coverage_95"]) == (0.5, 0.5)
    assert (found["width_80"], found["width_95"]) == pytest.approx((10 / 30, 18 / 30))


def test_models_are_scored_apart_in_their_order() -> None:
    """A second model has its own row, and that of the first does not change for it."""
    first = with_actuals(forecasts_of((2, 1, 1, 18)), SALES, NO_PLAN, "naive", ORANGE_JUICE)
    second = with_actuals(forecasts_of((2, 1, 1, 22), (2, 1, 2, 22)), SALES, NO_PLAN, "mean", ORANGE_JUICE)

    both = score_models(pd.concat([first, second], ignore_index=True), SALES)

    assert both.index.tolist() == ["naive", "mean"]
    assert both.index.name == "model"
    pd.testing.assert_frame_equal(both.loc[["naive"]], score_models(first, SALES))
    pd.testing.assert_frame_equal(both.loc[["mean"]], score_models(second, SALES))


@pytest.fixture(scope="module")
def sales(real_sales: pd.DataFrame) -> pd.DataFrame:
    return real_sales[real_sales["store"].isin(FEW)].reset_index(drop=True)


@pytest.fixture(scope="module")
def promotions(real_promotions: pd.DataFrame) -> pd.DataFrame:
    return real_promotions[real_promotions["store"].isin(FEW)].reset_index(drop=True)


def fold(sales: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, table: Table) -> pd.DataFrame:
    """A fold as the backtest makes it: whole partitions of a small size, every point kept."""
    parts = make_partitions(sales, promotions, spec, mini_batch_size=5)
    return assemble([forecast_partition(part, spec) for part in parts], parts, {}, spec, table)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("number", [60, 135])
def test_a_fold_is_the_live_forecast_to_the_last_bit(
    model: str, number: int, sales: pd.DataFrame, promotions: pd.DataFrame
) -> None:
    """With the whole history, future included, as with what was there at the cutoff; its points come on top."""
    spec = ForecastSpec(dominicks_week(number), gap=0, horizon=2, model=model, point="mape")
    until, planned = sales["week"] <= pd.Timestamp(spec.cutoff), promotions["week"] <= pd.Timestamp(spec.weeks[-1])

    live = forecast(sales[until], promotions[planned], spec)

    of_fold = fold(sales, promotions, spec, orange_juice.ALL_POINTS)
    pd.testing.assert_frame_equal(of_fold[orange_juice.FORECAST.columns], live, check_exact=True)
    assert of_fold["forecast"].equals(of_fold["mape"])
    assert len(live) == 2 * len(active_series(sales, spec.cutoff)) > 80


@pytest.mark.parametrize("model", MODELS)
def test_the_future_corrupted_changes_nothing(model: str, sales: pd.DataFrame, promotions: pd.DataFrame) -> None:
    """Absurd sales after the cutoff and absurd plans beyond the horizon leave every bit of the fold as it was."""
    spec = ForecastSpec(dominicks_week(120), horizon=3, gap=1, model=model)
    later, beyond = sales["week"] > pd.Timestamp(spec.cutoff), promotions["week"] > pd.Timestamp(spec.weeks[-1])
    stranger = sales.tail(1).assign(store=999)
    absurd = pd.concat([sales.assign(units=sales["units"].mask(later, 10**8)), stranger], ignore_index=True)
    plans = promotions.assign(
        price=promotions["price"].mask(beyond, 1e-3),
        deal=promotions["deal"].mask(beyond, 1),
        feat=promotions["feat"].mask(beyond, 1.0),
    )

    found = fold(absurd, plans, spec, orange_juice.ALL_POINTS)

    pd.testing.assert_frame_equal(found, fold(sales, promotions, spec, orange_juice.ALL_POINTS), check_exact=True)


def test_the_plan_within_the_horizon_does_matter(sales: pd.DataFrame, promotions: pd.DataFrame) -> None:
    """The same corruption one week earlier is seen by the price response: the test above can fail."""
    spec = ForecastSpec(dominicks_week(120), horizon=3, gap=1, model="price_response")
    last = promotions["week"] == pd.Timestamp(spec.weeks[-1])
    plans = promotions.assign(price=promotions["price"].where(~last, 0.5 * promotions["price"]))

    found = fold(sales, plans, spec, orange_juice.ALL_POINTS)

    assert not found["forecast"].equals(fold(sales, promotions, spec, orange_juice.ALL_POINTS)["forecast"])


def test_scores_without_a_single_actual_are_refused() -> None:
    """A backtest of the newest cutoff has nothing to compare with: one sentence says so, not a traceback of pandas."""
    rows = with_actuals(forecasts_of((2, 1, 5, 18)), SALES, NO_PLAN, "naive", ORANGE_JUICE)

    with pytest.raises(ForecastingError, match="actual|sold|cutoff"):
        score_models(rows, SALES)
