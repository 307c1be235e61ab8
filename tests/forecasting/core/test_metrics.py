"""Tests of the metrics: worked by hand, and held against those of utilsforecast."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import orange_juice, schemas
from forecasting.core.metrics import LIVE_METRICS, MEASURES, METRICS, NAIVE_METRICS, SUMS, naive_error, with_metrics

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # an invalid escape in a docstring of theirs, where it is compiled first
    from utilsforecast import losses

FIRST, SECOND = pd.Timestamp("1991-01-31"), pd.Timestamp("1991-02-07")


def table_of(*rows: tuple[float, ...]) -> pd.DataFrame:
    """Rows of (actual, forecast, lo_80, hi_80, lo_95, hi_95)."""
    return pd.DataFrame(rows, columns=["actual", "forecast", "lo_80", "hi_80", "lo_95", "hi_95"], dtype="float64")


FOUR = table_of(
    (10, 8, 6, 12, 4, 14),  # within both
    (20, 26, 21, 30, 18, 40),  # within 95 % only
    (40, 40, 40, 50, 30, 60),  # on the end of the 80 % interval
    (30, 20, 16, 22, 14, 29),  # beyond both
)


def test_mape_is_the_mean_share_by_which_a_forecast_misses() -> None:
    """(2/10 + 6/20 + 0 + 10/30) / 4 = 5/24."""
    assert METRICS["mape"](FOUR) == pytest.approx(5 / 24)


def test_a_week_without_a_sale_has_no_percentage_error() -> None:
    """A row with an actual of zero is left out of MAPE, and of nothing else."""
    with_zero = pd.concat([FOUR, table_of((0, 5, 0, 9, 0, 9))])

    assert METRICS["mape"](with_zero) == METRICS["mape"](FOUR)
    assert METRICS["wape"](with_zero) == pytest.approx(23 / 100)
    assert METRICS["coverage_80"](with_zero) == pytest.approx(3 / 5)


def test_wape_weighs_by_sales() -> None:
    """(2 + 6 + 0 + 10) / (10 + 20 + 40 + 30) = 0.18."""
    assert METRICS["wape"](FOUR) == pytest.approx(0.18)


def test_bias_is_above_zero_where_forecasts_are_too_high() -> None:
    """(8 + 26 + 40 + 20) / 100 − 1 = −0.06, and twice the forecasts have 0.88."""
    assert METRICS["bias"](FOUR) == pytest.approx(-0.06)
    assert METRICS["bias"](FOUR.assign(forecast=2 * FOUR["forecast"])) == pytest.approx(0.88)


def test_coverage_counts_the_ends_as_within() -> None:
    """Rows 1 and 3 lie within 80 %, and rows 1, 2 and 3 within 95 %."""
    assert METRICS["coverage_80"](FOUR) == pytest.approx(0.5)
    assert METRICS["coverage_95"](FOUR) == pytest.approx(0.75)


def test_width_is_relative_to_mean_sales() -> None:
    """(6 + 9 + 10 + 6) / 4 over 25 for 80 %, (10 + 22 + 30 + 15) / 4 over 25 for 95 %."""
    assert METRICS["width_80"](FOUR) == pytest.approx(0.31)
    assert METRICS["width_95"](FOUR) == pytest.approx(0.77)


def test_pinball_is_the_mean_over_quantiles_and_rows_over_mean_sales() -> None:
    """One row of 10 cartons: 0.5·2, 0.1·4, 0.1·2, 0.025·6, 0.025·4 make 1.85, over five quantiles and 10 cartons."""
    assert METRICS["pinball"](FOUR.head(1)) == pytest.approx(1.85 / 5 / 10)


def test_pinball_of_a_miss_costs_most_at_the_end_that_was_passed() -> None:
    """30 sold above 16 … 22 and 14 … 29: 0.5·10, 0.1·14, 0.9·8, 0.025·16 and 0.975·1."""
    assert METRICS["pinball"](FOUR.tail(1)) == pytest.approx((5 + 1.4 + 7.2 + 0.4 + 0.975) / 5 / 30)


def sales_of(units: dict[tuple[int, int], list[int | None]]) -> pd.DataFrame:
    """Sales that begin four weeks before the second cutoff; None is a gap."""
    weeks = pd.date_range(end=SECOND, periods=4, freq="7D")
    cells = [
        {"store": store, "product": product, "week": week, "units": sold}
        for (store, product), series in units.items()
        for week, sold in zip(weeks, series, strict=True)
        if sold is not None
    ]
    return orange_juice.SALES.cast(pd.DataFrame(cells))


SALES = sales_of({(2, 1): [10, 14, 12, 22], (2, 2): [5, None, 9, 8], (5, 1): [7, 7, 7, 7], (5, 2): [None, 3, None, 6]})


def test_the_naive_error_is_the_mean_change_of_a_week_up_to_the_cutoff() -> None:
    """4, 2 and then 10 cartons of change; a later cutoff knows one change more."""
    found = naive_error(SALES, [FIRST, SECOND])

    assert found[(FIRST, 2, 1)] == pytest.approx(3)
    assert found[(SECOND, 2, 1)] == pytest.approx(16 / 3)


def test_a_change_across_a_gap_does_not_count() -> None:
    """5, gap, 9, 8 knows one change, of 1; before the second cutoff it knows none, and 3, gap, 6 never does."""
    found = naive_error(SALES, [FIRST, SECOND])

    assert found[(SECOND, 2, 2)] == pytest.approx(1)
    assert np.isnan(found[(FIRST, 2, 2)])
    assert np.isnan(found[(SECOND, 5, 2)])


def test_the_naive_error_does_not_depend_on_the_order_of_rows() -> None:
    """Sales are put in order first."""
    found = naive_error(SALES.sample(frac=1, random_state=3), [SECOND, SECOND])

    pd.testing.assert_series_equal(found, naive_error(SALES, [SECOND]))


def mase(rows: pd.DataFrame, sales: pd.DataFrame) -> float:
    """MASE of rows whose scale is taken from these sales."""
    errors = naive_error(sales, list(rows["cutoff"]))
    return METRICS["mase"](rows.join(errors, on=["cutoff", *schemas.SERIES]))


def test_mase_scales_each_error_by_its_own_series_and_cutoff() -> None:
    """Errors of 6 over 3, 8 over 16/3 and 2 over 1 are 2, 1.5 and 2; a constant and an unknown series do not count."""
    rows = pd.DataFrame(
        [
            (FIRST, 2, 1, 20, 26),
            (SECOND, 2, 1, 20, 12),
            (SECOND, 2, 2, 8, 10),
            (SECOND, 5, 1, 7, 99),
            (SECOND, 5, 2, 7, 99),
        ],
        columns=["cutoff", "store", "product", "actual", "forecast"],
    )

    assert mase(rows, SALES) == pytest.approx(5.5 / 3)


def of_theirs(rows: pd.DataFrame) -> pd.DataFrame:
    """The table in utilsforecast's words, all rows one series."""
    names = {"actual": "y", "forecast": "m", **{f"{s}_{n}": f"m-{s}-{n}" for s in ("lo", "hi") for n in schemas.LEVELS}}
    return rows.rename(columns=names).assign(unique_id="all", ds=np.arange(len(rows)))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_scores_agree_with_utilsforecast(seed: int, count: int) -> None:
    """MAPE, WAPE, coverage and the pinball loss of any table are theirs, zeros and all."""
    values = np.random.default_rng(seed)
    ends = np.sort(values.lognormal(3, 1, (count, 5)).round(1), axis=1)
    rows = pd.DataFrame(ends, columns=["lo_95", "lo_80", "forecast", "hi_80", "hi_95"])
    rows["actual"] = values.poisson(20, count) * values.integers(0, 2, count) + np.eye(1, count)[0]
    theirs = of_theirs(rows)

    def score(frame: pd.DataFrame) -> float:
        return float(frame["m"].iloc[0])

    assert METRICS["mape"](rows) == pytest.approx(score(losses.mape(theirs, ["m"])))
    assert METRICS["wape"](rows) == pytest.approx(score(losses.nd(theirs, ["m"])))
    for level in schemas.LEVELS:
        assert METRICS[f"coverage_{level}"](rows) == pytest.approx(score(losses.coverage(theirs, ["m"], level)))
    quantiles = {0.025: "m-lo-95", 0.1: "m-lo-80", 0.5: "m", 0.9: "m-hi-80", 0.975: "m-hi-95"}
    loss = np.mean([score(losses.quantile_loss(theirs, {"m": name}, q)) for q, name in quantiles.items()])
    assert METRICS["pinball"](rows) == pytest.approx(loss / rows["actual"].mean())


def test_mase_agrees_with_utilsforecast(real_sales: pd.DataFrame) -> None:
    """On real series without a gap their mean absolute error over its naive scale is ours."""
    sales = real_sales[(real_sales["store"] <= 5) & (real_sales["product"] <= 3)]
    ends = sales["week"].drop_duplicates().sort_values().iloc[-30:]  # all of these stores report here
    sales = sales[sales["week"].isin(ends)]
    sales = sales[sales.groupby(schemas.SERIES)["week"].transform("size") == 30].sort_values(schemas.CELL)
    cutoff = ends.iloc[-3]
    rows = sales[sales["week"] > cutoff].assign(cutoff=cutoff, forecast=1000.0).rename(columns={"units": "actual"})

    found = mase(rows, sales)

    def theirs(frame: pd.DataFrame, target: str) -> pd.DataFrame:
        unique_id = frame["store"].astype(str) + "-" + frame["product"].astype(str)
        return frame.rename(columns={target: "y", "week": "ds", "forecast": "m"}).assign(unique_id=unique_id)

    past = theirs(sales[sales["week"] <= cutoff], "units")[["unique_id", "ds", "y"]]
    coming = theirs(rows, "actual")[["unique_id", "ds", "y", "m"]]
    assert len(rows) >= 6
    assert found == pytest.approx(losses.mase(coming, ["m"], seasonality=1, train_df=past)["m"].mean())


def test_every_metric_is_made_of_measures_and_can_be_shown() -> None:
    """Names are keys, headings differ, and what the table `scores` has can be computed from its sums."""
    assert all(name == metric.name for name, metric in METRICS.items())
    assert len({metric.label for metric in METRICS.values()}) == len(METRICS)
    assert all({metric.measure, metric.over} <= set(MEASURES) for metric in METRICS.values())
    assert all({metric.measure, metric.over} <= set(SUMS) for metric in LIVE_METRICS)
    assert all(f"naive_{metric.measure}" in SUMS for metric in NAIVE_METRICS)
    assert {metric.name for metric in LIVE_METRICS} >= {"wape", "bias", "coverage_80", "coverage_95"}


def test_a_metric_of_sums_is_that_of_the_rows() -> None:
    """In one group: equal; over no sales: empty."""
    sums = pd.DataFrame([{name: MEASURES[name](FOUR).sum() for name in SUMS if name in MEASURES}])

    found = with_metrics(pd.concat([sums, 0 * sums])).to_dict("records")

    assert all(found[0][metric.name] == pytest.approx(metric(FOUR)) for metric in LIVE_METRICS)
    assert all(np.isnan(found[1][metric.name]) for metric in LIVE_METRICS)


def test_a_metric_of_nothing_is_empty() -> None:
    """No week with a sale has no percentage error."""
    assert np.isnan(METRICS["mape"](FOUR.assign(actual=0)))
