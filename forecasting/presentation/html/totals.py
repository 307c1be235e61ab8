"""The sums of a page: all series together, product by product, and how wide the total's own interval is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecasting.core.report import first_forecasts
from forecasting.presentation.html.content import Content

LEVEL = 0.8
# With the smallest and the largest of n past ratios as its ends, an interval holds (n - 1) of (n + 1) weeks.
WEEKS_FOR_AN_INTERVAL = 9
MOST_PRODUCTS = 24


@dataclass(frozen=True)
class Total:
    """A sum of forecasts. `lo` and `hi` hold the true sum in four weeks of five; None where too little is known."""

    week: pd.Timestamp
    step: int
    units: float
    lo: float | None
    hi: float | None
    weeks_of_errors: int


def past_totals(content: Content) -> pd.DataFrame:
    """What the total was forecast to be, and was: `cutoff, week, step, forecast, actual`, of series that reported."""
    matured = content.matured
    return matured.groupby(["cutoff", "week", "step"], as_index=False)[["forecast", "actual"]].sum()


def expected_totals(content: Content) -> list[Total]:
    """The total of each forecast week. Ends of series' intervals do not add up, so its interval comes from its own
    past: the ratio of sold to forecast, as many weeks ahead (split conformal prediction, Vovk et al. 2005).
    """
    past = past_totals(content)
    sums = content.forecast.groupby("week", as_index=False)["units"].sum()
    found = []
    for row in sums.itertuples():
        step = (row.week - content.cutoff).days // 7
        of_step = past[(past["step"] == step) & (past["forecast"] > 0)]
        ends = interval(np.sort((of_step["actual"] / of_step["forecast"]).to_numpy()))
        lo, hi = (None, None) if ends is None else (row.units * ends[0], row.units * ends[1])
        found.append(Total(row.week, step, float(row.units), lo, hi, len(of_step)))
    return found


def interval(ratios: np.ndarray) -> tuple[float, float] | None:
    """The ends between which the next ratio lies in four weeks of five, if it is as the past ones were.

    Args:
        ratios: past ones, ascending.
    """
    weeks = len(ratios)
    if weeks < WEEKS_FOR_AN_INTERVAL:
        return None
    cut = int((weeks + 1) * (1 - LEVEL) / 2 + 1e-9)
    return float(ratios[cut - 1]), float(ratios[weeks - cut])


def total_rows(content: Content, expected: list[Total]) -> list[dict[str, Any]]:
    """The total week by week, for its chart: what was sold, what is expected, what was expected a step before."""
    sold = content.actual.groupby("week")["units"].agg(["sum", "size"])
    rows: list[dict[str, Any]] = [
        {"t": milliseconds(week), "kind": "sold", "units": float(row["sum"]), "series": int(row["size"])}
        for week, row in sold.iterrows()
    ]
    rows += [
        {"t": milliseconds(each.week), "kind": "expected", "units": each.units, "lo": each.lo, "hi": each.hi}
        for each in expected
    ]
    first = past_totals(content).sort_values("step", kind="stable").drop_duplicates("week")
    rows += [
        {"t": milliseconds(row.week), "kind": "was expected", "units": float(row.forecast)}
        for row in first.sort_values("week").itertuples()
    ]
    return rows


def product_rows(content: Content) -> list[dict[str, Any]]:
    """The biggest products, each with its weeks: name, expected, change against the mean of its series of late."""
    sums = content.report.groupby(["product", "kind", "week"], as_index=False)["units"].sum()
    first = first_forecasts(content.report).groupby("product", as_index=False)[["units", "recent"]].sum()
    first = first.sort_values("units", ascending=False, kind="stable")
    of_product = dict(iter(sums.groupby("product")))
    rows = []
    for each in first.head(MOST_PRODUCTS).itertuples():
        mine = of_product[each.product]
        rows.append(
            {
                "product": int(each.product),
                "name": content.product_names[int(each.product)],
                "expected": float(each.units),
                "change": float(each.units / each.recent - 1) if each.recent else None,
                "weeks": [
                    {"t": milliseconds(row.week), "kind": row.kind, "units": float(row.units)}
                    for row in mine.sort_values(["kind", "week"]).itertuples()
                ],
            }
        )
    return rows


def milliseconds(week: pd.Timestamp) -> int:
    """A week as charts count time: milliseconds from 1970 to its first day, UTC."""
    return int(pd.Timestamp(week).timestamp() * 1000)
