"""The numbers behind the page's charts and score tables."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from forecasting.contracts.panel_definition import Id
from forecasting.core.metrics import SUMS, with_metrics
from forecasting.core.report import first_forecasts
from forecasting.presentation import words
from forecasting.presentation.week import WeekView

LEVEL = 0.8
# With the smallest and the largest of n past ratios as its ends, an interval holds (n - 1) of (n + 1) weeks.
WEEKS_FOR_AN_INTERVAL = 9
MOST_PRODUCTS = 24
WEEKS_SCORED = 13

Kind = Literal["sold", "expected", "expected before"]
KINDS: dict[str, Kind] = {"actual": "sold", "forecast": "expected"}


@dataclass(frozen=True)
class Total:
    """A sum of forecasts. `lo` and `hi` hold the true sum in four weeks of five; None where too little is known."""

    week: pd.Timestamp
    step: int
    units: float
    lo: float | None
    hi: float | None
    weeks_of_errors: int


@dataclass(frozen=True)
class ChartPoint:
    """A week of a chart: `t` in milliseconds from 1970, UTC, as charts count time."""

    t: int
    kind: Kind
    units: float
    lo: float | None = None
    hi: float | None = None


@dataclass(frozen=True)
class ProductChart:
    """A product of the page: its weeks, the units expected next, and their change against the recent mean."""

    product: Id
    name: str
    expected: float
    change: float | None
    weeks: tuple[ChartPoint, ...]


@dataclass(frozen=True)
class WeekScores:
    """Scores of the forecasts of one week, shares."""

    t: int
    wape: float | None
    naive: float | None
    bias: float | None
    coverage_80: float | None
    coverage_95: float | None


def past_totals(week: WeekView) -> pd.DataFrame:
    """Return past totals: `cutoff, week, step, forecast, actual`, of the series that reported."""
    return week.matured.groupby(["cutoff", "week", "step"], as_index=False)[["forecast", "actual"]].sum()


def expected_totals(week: WeekView) -> list[Total]:
    """Return the total of each forecast week.

    The ends of the series' intervals do not add up. The total's interval comes from its own past: the ratio of sold
    to forecast, as many weeks ahead (split conformal prediction, Vovk et al. 2005).
    """
    past = past_totals(week)
    sums = week.forecast.groupby("week", as_index=False)["units"].sum()
    found = []
    for row in sums.itertuples():
        step = (row.week - week.cutoff).days // 7
        of_step = past[(past["step"] == step) & (past["forecast"] > 0)]
        ends = interval(np.sort((of_step["actual"] / of_step["forecast"]).to_numpy()))
        lo, hi = (None, None) if ends is None else (row.units * ends[0], row.units * ends[1])
        found.append(Total(row.week, step, float(row.units), lo, hi, len(of_step)))
    return found


def interval(ratios: np.ndarray) -> tuple[float, float] | None:
    """Return the ends that contain the next ratio in four weeks of five, if it resembles the past ones.

    Args:
        ratios: past ones, ascending.
    """
    weeks = len(ratios)
    if weeks < WEEKS_FOR_AN_INTERVAL:
        return None
    cut = int((weeks + 1) * (1 - LEVEL) / 2 + 1e-9)
    return float(ratios[cut - 1]), float(ratios[weeks - cut])


def total_chart(week: WeekView, expected: list[Total]) -> list[ChartPoint]:
    """Return the total week by week: sold, expected, and what was expected before."""
    sold = week.actual.groupby("week")["units"].sum()
    points = [ChartPoint(milliseconds(day), "sold", float(units)) for day, units in sold.items()]
    points += [ChartPoint(milliseconds(each.week), "expected", each.units, each.lo, each.hi) for each in expected]
    first = past_totals(week).sort_values("step", kind="stable").drop_duplicates("week").sort_values("week")
    points += [ChartPoint(milliseconds(row.week), "expected before", float(row.forecast)) for row in first.itertuples()]
    return points


def product_charts(week: WeekView) -> list[ProductChart]:
    """Return the products of which most is expected."""
    sums = week.report.groupby(["product", "kind", "week"], as_index=False)["units"].sum()
    first = first_forecasts(week.report).groupby("product", as_index=False)[["units", "recent"]].sum()
    first = first.sort_values("units", ascending=False, kind="stable")
    of_product = dict(iter(sums.groupby("product")))
    return [
        ProductChart(
            product=each.product,
            name=week.product_names[each.product],
            expected=float(each.units),
            change=float(each.units / each.recent - 1) if each.recent else None,
            weeks=tuple(
                ChartPoint(milliseconds(row.week), KINDS[row.kind], float(row.units))
                for row in of_product[each.product].sort_values(["kind", "week"]).itertuples()
            ),
        )
        for each in first.head(MOST_PRODUCTS).itertuples()
    ]


def weekly_scores(week: WeekView) -> list[WeekScores]:
    """Return the scores of each week's newest forecasts."""
    rows = week.scores[week.scores["dimension"] == "total"].sort_values(["week", "step"], kind="stable")
    return [
        WeekScores(
            milliseconds(row.week),
            *(None if pd.isna(share) else float(share) for share in (row.wape, row.naive_wape, row.bias)),
            *(None if pd.isna(share) else float(share) for share in (row.coverage_80, row.coverage_95)),
        )
        for row in rows.drop_duplicates("week").itertuples()
    ]


def scores_by_step(week: WeekView) -> pd.DataFrame:
    """Return the sums and metrics of the last quarter, one row a step, with its number of `weeks`."""
    return _pooled(week.scores[week.scores["dimension"] == "total"], "step")


def scores_by_product(week: WeekView) -> pd.DataFrame:
    """Return the same of the newest forecasts, one row a product, with `member` and `product_name`."""
    rows = week.scores[week.scores["dimension"] == "product"]
    rows = rows[rows["step"] == rows["step"].min()]
    pooled = _pooled(rows, "member")
    names = {str(product): name for product, name in week.product_names.items()}
    pooled["product_name"] = pooled["member"].map(names).fillna(pooled["member"])
    return pooled.set_index("member").loc[words.in_natural_order(pooled["member"])].reset_index()


def milliseconds(week: pd.Timestamp) -> int:
    """Return a week as charts count time: milliseconds from 1970 to its first day, UTC."""
    return int(pd.Timestamp(week).timestamp() * 1000)


def _pooled(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    if len(rows):
        rows = rows[rows["week"] > rows["week"].max() - pd.Timedelta(weeks=WEEKS_SCORED)]
    groups = rows.groupby(by)
    pooled = with_metrics(groups[SUMS].sum())
    return pooled.assign(weeks=groups["week"].nunique()).reset_index()
