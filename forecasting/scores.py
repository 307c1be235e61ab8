"""Scores of forecasts against what was sold. Each is one function over one long table.

The table has one row per forecast: `actual`, which is always known, `forecast`, and `lo_…`, `hi_…` for each
level. Scores are shares (0.35 is 35 %) unless their docstring says otherwise.
"""

import numpy as np
import pandas as pd

from forecasting import schemas


def mape(rows: pd.DataFrame) -> float:
    """Mean absolute percentage error: mean of |y − f| / y, over rows with y > 0.

    It rewards forecasting too low (Gneiting 2011), so read it beside WAPE and bias.
    """
    sold = rows[rows["actual"] > 0]
    return float(((sold["actual"] - sold["forecast"]).abs() / sold["actual"]).mean())


def wape(rows: pd.DataFrame) -> float:
    """Weighted absolute percentage error: Σ|y − f| / Σy."""
    return float((rows["actual"] - rows["forecast"]).abs().sum() / rows["actual"].sum())


def bias(rows: pd.DataFrame) -> float:
    """Σf / Σy − 1: above 0 where the forecasts are too high in sum."""
    return float(rows["forecast"].sum() / rows["actual"].sum() - 1)


def mase(rows: pd.DataFrame, naive_error: pd.Series) -> float:
    """Mean absolute scaled error (Hyndman & Koehler 2006): mean of |y − f| / the series' naive error in the past.

    Args:
        rows: with `cutoff`, `store` and `brand`.
        naive_error: mean absolute one-week change up to the cutoff, in cartons, by (cutoff, store, brand);
            series for which it is 0 or unknown do not count.
    """
    scale = rows[["cutoff", *schemas.SERIES]].join(naive_error.rename("scale"), on=["cutoff", *schemas.SERIES])["scale"]
    scaled = (rows["actual"] - rows["forecast"]).abs() / scale.where(scale > 0)
    return float(scaled.mean())


def naive_error(sales: pd.DataFrame, cutoffs: "pd.Series | list[pd.Timestamp]") -> pd.Series:
    """Mean absolute one-week change of each series up to each cutoff, in cartons; weeks after a gap do not count."""
    ordered = sales.sort_values(schemas.CELL)
    by_series = ordered.groupby(schemas.SERIES)
    change = by_series["units"].diff().abs()
    follows = by_series["week"].diff() == pd.Timedelta(weeks=1)
    changes = ordered[schemas.CELL].assign(change=change.where(follows))
    errors = {
        cutoff: changes[changes["week"] <= cutoff].groupby(schemas.SERIES)["change"].mean() for cutoff in set(cutoffs)
    }
    return pd.concat(errors, names=["cutoff"])


def pinball(rows: pd.DataFrame, levels: tuple[int, ...] = schemas.LEVELS) -> float:
    """Mean pinball loss of the interval ends and the point, each taken as its quantile, relative to mean sales."""
    return float(np.mean(pinball_losses(rows, levels)) / rows["actual"].mean())


def pinball_losses(rows: pd.DataFrame, levels: tuple[int, ...] = schemas.LEVELS) -> np.ndarray:
    """Pinball losses in cartons, shape (quantiles, rows): of the point and of every interval end.

    The loss of quantile q is max(q(y − f), (q − 1)(y − f)) (Koenker & Bassett 1978); the point counts as q = 0.5.
    """
    quantiles = {0.5: "forecast"}
    for level in levels:
        quantiles[(100 - level) / 200] = f"lo_{level}"
        quantiles[(100 + level) / 200] = f"hi_{level}"
    return np.array(
        [np.maximum(q * (error := rows["actual"] - rows[name]), (q - 1) * error) for q, name in quantiles.items()]
    )


def coverage(rows: pd.DataFrame, level: int) -> float:
    """Share of actuals within the interval of this level; well calibrated intervals give level / 100."""
    return float(rows["actual"].between(rows[f"lo_{level}"], rows[f"hi_{level}"]).mean())


def width(rows: pd.DataFrame, level: int) -> float:
    """Mean width of the interval of this level, relative to mean sales."""
    return float((rows[f"hi_{level}"] - rows[f"lo_{level}"]).mean() / rows["actual"].mean())
