"""Tests of the scores of published forecasts: worked by hand, and equal to those of the metrics."""

import pandas as pd
import pytest

from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.metrics import METRICS, score_rows
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.scoring import score_published

CUTOFF = dominicks_week(136)
RUN = "0123456789abcdef"


@pytest.fixture(scope="module")
def published(real_sales: pd.DataFrame, real_promotions: pd.DataFrame) -> pd.DataFrame:
    """A cheap model's forecast of four stores."""
    few = real_sales["store"].isin([2, 5, 8, 9])
    return forecast(real_sales[few], real_promotions, ForecastSpec(CUTOFF, model="mean"))


def sold_until(sales: pd.DataFrame, week: object) -> pd.DataFrame:
    return sales[sales["week"] <= pd.Timestamp(week)]


def test_two_series_by_hand() -> None:
    """10 and 30 forecast as 8 and 33; last week they sold 20 and 30: every sum and share of the total and a product."""
    weeks = [pd.Timestamp(CUTOFF), pd.Timestamp(CUTOFF + WEEK)]
    sold = [(2, 1, weeks[0], 20), (2, 1, weeks[1], 10), (2, 4, weeks[0], 30), (2, 4, weeks[1], 30)]
    sales = schemas.SALES.cast(pd.DataFrame(sold, columns=schemas.SALES.columns))
    ends = {"lo_80": [6.0, 31.0], "hi_80": [12.0, 36.0], "lo_95": [5.0, 29.0], "hi_95": [14.0, 40.0]}
    rows = pd.DataFrame({"store": 2, "product": [1, 4], "forecast": [8.0, 33.0], **ends})
    of_run = {"cutoff": weeks[0], "week": weeks[1], "step": 1, "model": ["mean", "naive"], "reason": None}
    published = schemas.FORECAST.cast(rows.assign(**of_run, promotion_known=True))

    found = score_published(published, RUN, sales).set_index(["dimension", "member"])

    total = found.loc["total", ""]
    assert (total["series"], total["actual"], total["forecast"]) == (2, 40, 41)
    assert (total["absolute_error"], total["naive_absolute_error"]) == (5, 10)
    assert (total["wape"], total["naive_wape"], total["bias"]) == (5 / 40, 10 / 40, 41 / 40 - 1)
    assert (total["within_80"], total["within_95"], total["coverage_80"]) == (1, 2, 0.5)
    # Of 10: 0.5·2, 0.1·4, 0.1·2, 0.025·5, 0.025·4. Of 30: 0.5·3, 0.9·1, 0.1·6, 0.025·1, 0.025·10.
    assert total["pinball"] == pytest.approx((1 + 0.4 + 0.2 + 0.125 + 0.1) / 5 + (1.5 + 0.9 + 0.6 + 0.025 + 0.25) / 5)
    # One week-to-week change in the past is none: without any, the naive forecast is a point.
    assert total["naive_pinball"] == pytest.approx(10 / 2)
    assert found.loc[("product", "1"), "absolute_error"] == 2
    assert found.loc[("store", "2"), "series"] == 2
    assert found.loc[("model", "naive"), "absolute_error"] == 3
    assert set(found.reset_index()["run_id"]) == {RUN}


def test_only_weeks_that_have_been_collected_are_scored(published: pd.DataFrame, real_sales: pd.DataFrame) -> None:
    """None at the cutoff, the first step a week later, both after two weeks; the first step's scores stay."""
    none, one, both = (
        score_published(published, RUN, sold_until(real_sales, CUTOFF + WEEK * weeks)) for weeks in range(3)
    )
    assert none.empty
    assert set(one["step"]) == {1}
    assert set(both["step"]) == {1, 2}
    pd.testing.assert_frame_equal(both[both["step"] == 1].reset_index(drop=True), one)


def test_a_series_without_an_actual_does_not_count(published: pd.DataFrame, real_sales: pd.DataFrame) -> None:
    """A store that did not report is left out of every sum."""
    sales = sold_until(real_sales, CUTOFF + WEEK)
    gone = sales[(sales["store"] != 5) | (sales["week"] <= pd.Timestamp(CUTOFF))]
    found = score_published(published, RUN, gone).set_index(["dimension", "member"])
    assert found.loc["total", ""]["series"] == 33
    assert ("store", "5") not in found.index


def test_there_is_one_definition_of_a_score(
    published: pd.DataFrame, real_sales: pd.DataFrame, real_promotions: pd.DataFrame
) -> None:
    """WAPE, bias, pinball and coverage are those of `METRICS`; the naive forecast that of the model."""
    rows = published.merge(real_sales.rename(columns={"units": "actual"}), on=schemas.CELL)
    rows = rows[rows["step"] == 2]
    found = score_published(published, RUN, real_sales)
    total = found[(found["dimension"] == "total") & (found["step"] == 2)].iloc[0]
    assert total["wape"] == pytest.approx(METRICS["wape"](rows))
    assert total["bias"] == pytest.approx(METRICS["bias"](rows))
    assert total["pinball"] / total["actual"] == pytest.approx(METRICS["pinball"](rows))
    assert total["coverage_80"] == METRICS["coverage_80"](rows)
    naive = forecast(sold_until(real_sales, CUTOFF), real_promotions, ForecastSpec(CUTOFF, model="naive"))
    last = rows.drop(columns="forecast").merge(naive[["store", "product", "step", "forecast"]])
    assert total["naive_wape"] == pytest.approx(METRICS["wape"](last))


def test_parts_add_up_and_their_order_does_not_matter(published: pd.DataFrame, real_sales: pd.DataFrame) -> None:
    """Products, stores and models each sum to the total, and shuffled rows give the same numbers to the last bit."""
    rows = published.merge(real_sales.rename(columns={"units": "actual"}), on=schemas.CELL)
    found = score_rows(rows)
    sums = found.groupby(["step", "dimension"])[["series", "actual", "forecast", "pinball", "within_80"]].sum()
    for step in (1, 2):
        of_step = sums.loc[step]
        assert of_step.to_numpy() == pytest.approx(of_step.loc[["total"]].to_numpy().repeat(4, axis=0))
    shuffled = score_rows(rows.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(shuffled, found, check_exact=True)


def test_nothing_sold_has_sums_but_no_shares(published: pd.DataFrame, real_sales: pd.DataFrame) -> None:
    """A product of which not one carton was sold has an absolute error, and no WAPE."""
    rows = published.merge(real_sales.rename(columns={"units": "actual"}), on=schemas.CELL)
    found = score_rows(rows.assign(actual=0), ("product",))
    assert (found["absolute_error"] > 0).all()
    assert found[["wape", "bias"]].isna().all(axis=None)
