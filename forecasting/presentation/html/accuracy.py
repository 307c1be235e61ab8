"""How earlier forecasts came out: week by week and product by product, beside the naive forecast."""

from typing import Any

import pandas as pd

from forecasting.presentation.html.content import Content
from forecasting.presentation.html.totals import milliseconds

RECENT = 13  # weeks


def weekly(content: Content) -> list[dict[str, Any]]:
    """Scores of each week's forecasts, of the fewest steps ahead: shares, for the chart."""
    rows = content.scores[content.scores["dimension"] == "total"].sort_values(["week", "step"], kind="stable")
    return [
        {
            "t": milliseconds(row.week),
            "wape": _plain(row.wape),
            "naive": _plain(row.naive_wape),
            "bias": _plain(row.bias),
            "coverage_80": _plain(row.coverage_80),
            "coverage_95": _plain(row.coverage_95),
        }
        for row in rows.drop_duplicates("week").itertuples()
    ]


def overall(content: Content) -> pd.DataFrame:
    """The last quarter by steps ahead: `step, weeks, forecasts, wape, naive_wape, bias, coverage_80, coverage_95`."""
    return _pooled(content.scores[content.scores["dimension"] == "total"], "step")


def by_product(content: Content) -> pd.DataFrame:
    """The last quarter product by product, fewest steps ahead: as `overall`, with `product` and `product_name`."""
    rows = content.scores[content.scores["dimension"] == "product"]
    rows = rows[rows["step"] == rows["step"].min()]
    pooled = _pooled(rows, "member")
    pooled["product"] = pooled["member"].astype("int64")
    pooled["product_name"] = pooled["product"].map(content.product_names).fillna(pooled["member"])
    return pooled.sort_values("product", ignore_index=True)


def _pooled(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    if len(rows):
        rows = rows[rows["week"] > rows["week"].max() - pd.Timedelta(weeks=RECENT)]
    names = ["series", "actual", "forecast", "absolute_error", "naive_absolute_error", "within_80", "within_95"]
    groups = rows.groupby(by)
    sums = groups[names].sum()
    sold = sums["actual"].where(sums["actual"] > 0)
    return pd.DataFrame(
        {
            "weeks": groups["week"].nunique(),
            "forecasts": sums["series"],
            "wape": sums["absolute_error"] / sold,
            "naive_wape": sums["naive_absolute_error"] / sold,
            "bias": sums["forecast"] / sold - 1,
            "coverage_80": sums["within_80"] / sums["series"],
            "coverage_95": sums["within_95"] / sums["series"],
        }
    ).reset_index()


def _plain(value: float) -> float | None:
    return None if pd.isna(value) else round(float(value), 4)
