"""Metrics: how good forecasts are. This is the one list of them, for backtests and for published forecasts.

All take one long table, one row per forecast: `actual`, which is always known, `forecast`, and `lo_…`, `hi_…` for each
level. A measure is a value of each row; a metric is the sum of one measure over the sum of another. To add a metric,
add its measures to `MEASURES` and the metric to `METRICS`; where published forecasts are to be scored by it too, add a
column of its name, and of its measures, to the table `scores`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa

from forecasting.contracts import schemas
from forecasting.contracts.spec import Point

DIMENSIONS = ("total", "product", "store", "model")


def absolute_error(rows: pd.DataFrame) -> pd.Series:
    """Return |y − f| of each row, in units."""
    return (rows["actual"] - rows["forecast"]).abs()


def percentage_error(rows: pd.DataFrame) -> pd.Series:
    """Return |y − f| / y of each row; empty where nothing was sold."""
    return absolute_error(rows) / rows["actual"].where(rows["actual"] > 0)


def scaled_error(rows: pd.DataFrame) -> pd.Series:
    """Return |y − f| / `naive_error` of each row; empty where that is 0 or unknown (Hyndman & Koehler 2006)."""
    return absolute_error(rows) / rows["naive_error"].where(rows["naive_error"] > 0)


def pinball_loss(rows: pd.DataFrame, levels: tuple[int, ...] = schemas.LEVELS) -> pd.Series:
    """Return the mean pinball loss of each row's interval ends and point, each taken as its quantile, in units.

    The loss of quantile q is max(q(y − f), (q − 1)(y − f)) (Koenker & Bassett 1978); the point counts as q = 0.5.
    """
    quantiles = {0.5: "forecast"}
    for level in levels:
        quantiles[(100 - level) / 200] = f"lo_{level}"
        quantiles[(100 + level) / 200] = f"hi_{level}"
    losses = [np.maximum(q * (error := rows["actual"] - rows[name]), (q - 1) * error) for q, name in quantiles.items()]
    return sum(losses) / len(losses)


def is_within(rows: pd.DataFrame, level: int) -> pd.Series:
    """Return whether each row's actual lies within the interval of this level; its ends count as within."""
    return rows["actual"].between(rows[f"lo_{level}"], rows[f"hi_{level}"])


def interval_width(rows: pd.DataFrame, level: int) -> pd.Series:
    """Return the width of each row's interval of this level, in units."""
    return rows[f"hi_{level}"] - rows[f"lo_{level}"]


Measure = Callable[[pd.DataFrame], pd.Series]

# Values of each row, by name. Empty ones do not count.
MEASURES: Mapping[str, Measure] = {
    "series": lambda rows: pd.Series(1, index=rows.index),
    "actual": lambda rows: rows["actual"],
    "forecast": lambda rows: rows["forecast"],
    "absolute_error": absolute_error,
    "pinball": pinball_loss,
    "percentage_error": percentage_error,
    "has_percentage_error": lambda rows: percentage_error(rows).notna(),
    "scaled_error": scaled_error,
    "has_scaled_error": lambda rows: scaled_error(rows).notna(),
    **{f"within_{level}": partial(is_within, level=level) for level in schemas.LEVELS},
    **{f"width_{level}": partial(interval_width, level=level) for level in schemas.LEVELS},
}


@dataclass(frozen=True)
class Metric:
    """One number for many forecasts: Σ `measure` / Σ `over` − `less`.

    name: in tables. label: in headings. meaning: in captions.
    point: the point of the distribution that it is meant for.
    is_share: whether people read it in percent.
    """

    name: str
    label: str
    meaning: str
    measure: str
    over: str
    point: Point = "median"
    less: float = 0.0
    is_share: bool = True

    def __call__(self, rows: pd.DataFrame) -> float:
        """Return the metric of a table whose column `forecast` holds the point to score.

        Args:
            rows: with `naive_error` where the metric is scaled by it.
        """
        measure, over = (MEASURES[name](rows).dropna().sum() for name in (self.measure, self.over))
        return float(measure / over - self.less) if over else math.nan

    def of_sums(self, sums: pd.DataFrame, prefix: str = "") -> pd.Series:
        """Return the metric of each row of a table of sums; empty where `over` is 0.

        Args:
            prefix: of the column of the measure, `naive_` for the naive forecast.
        """
        return sums[prefix + self.measure] / sums[self.over].where(sums[self.over] > 0) - self.less


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        # It rewards forecasting too low (Gneiting 2011), so read it beside WAPE and bias.
        Metric("mape", "MAPE", "mean of |error| / sold", "percentage_error", "has_percentage_error", point="mape"),
        Metric("wape", "WAPE", "sum of |error| / sum sold", "absolute_error", "actual"),
        Metric("bias", "bias", "sum forecast / sum sold - 1", "forecast", "actual", point="mean", less=1.0),
        Metric(
            "mase",
            "MASE",
            "mean of |error| / the series' mean change of a week",
            "scaled_error",
            "has_scaled_error",
            is_share=False,
        ),
        Metric("pinball", "pinb", "pinball loss / sold", "pinball", "actual"),
        *(
            Metric(f"coverage_{level}", f"c{level}", f"within the {level} % interval", f"within_{level}", "series")
            for level in schemas.LEVELS
        ),
        *(
            Metric(f"width_{level}", f"w{level}", f"width of the {level} % interval / sold", f"width_{level}", "actual")
            for level in schemas.LEVELS
        ),
    )
}

# What the table `scores` holds of published forecasts.
LIVE_METRICS = [
    metric
    for name, metric in METRICS.items()
    if name in schemas.SCORES.columns and name not in MEASURES  # `pinball` there is a sum
]
SUMS = [name for name in schemas.SCORES.columns if name.removeprefix("naive_") in MEASURES]
NAIVE_SUMS = [name for name in SUMS if name not in MEASURES]
NAIVE_METRICS = [metric for metric in LIVE_METRICS if f"naive_{metric.name}" in schemas.SCORES.columns]


def score_rows(rows: pd.DataFrame, dimensions: Sequence[str] = DIMENSIONS) -> pd.DataFrame:
    """Return sums and metrics by cutoff, week, step and member of each dimension.

    Sums are rounded once, not at each addition, so that they do not depend on the order of the rows.

    Args:
        rows: one row per forecast; where they have `naive_…` columns of the table `scores`, these are summed too.
        dimensions: of `DIMENSIONS`.

    Returns:
        The columns of the table `scores` but `run_id`; without the naive ones where the rows have none.
    """
    values = rows.assign(**{name: MEASURES[name](rows) for name in SUMS if name in MEASURES})
    sums = {name: _sum_of(name) for name in SUMS if name in values}
    parts = []
    for dimension in dimensions:
        member = "" if dimension == "total" else values[dimension].astype("str")
        key = ["cutoff", "week", "step", "dimension", "member"]
        parts.append(values.assign(dimension=dimension, member=member).groupby(key).agg(sums).reset_index())
    return with_metrics(pd.concat(parts, ignore_index=True))


def with_metrics(sums: pd.DataFrame) -> pd.DataFrame:
    """Return a table of `SUMS` with its live metrics; those of the naive forecast where it has its sums."""
    metrics = {metric.name: metric.of_sums(sums) for metric in LIVE_METRICS}
    for metric in NAIVE_METRICS:
        if f"naive_{metric.measure}" in sums:
            metrics[f"naive_{metric.name}"] = metric.of_sums(sums, "naive_")
    return sums.assign(**metrics)


def naive_error(sales: pd.DataFrame, cutoffs: "pd.Series | list[pd.Timestamp]") -> pd.Series:
    """Return the mean absolute one-week change of each series up to each cutoff, in units.

    Changes across a gap do not count. Indexed by (cutoff, store, product).
    """
    ordered = sales.sort_values(schemas.CELL)
    by_series = ordered.groupby(schemas.SERIES)
    change = by_series["units"].diff().abs()
    follows = by_series["week"].diff() == pd.Timedelta(weeks=1)
    changes = ordered[schemas.CELL].assign(change=change.where(follows))
    errors = {
        cutoff: changes[changes["week"] <= cutoff].groupby(schemas.SERIES)["change"].mean() for cutoff in set(cutoffs)
    }
    return pd.concat(errors, names=["cutoff"]).rename("naive_error")


def _sum_of(name: str) -> "str | Callable[[pd.Series], float]":
    return "sum" if pa.types.is_integer(schemas.SCORES.schema.field(name).type) else math.fsum
