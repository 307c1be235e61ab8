"""Scores of forecasts against what was sold. Each is one function over one long table.

The table has one row per forecast: `actual`, which is always known, `forecast`, and `lo_…`, `hi_…` for each
level. Scores are shares (0.35 is 35 %) unless their docstring says otherwise.
"""

import numpy as np
import pandas as pd

from forecasting.contracts import schemas


def absolute_error(rows: pd.DataFrame) -> pd.Series:
    """|y − f| of each row, in cartons."""
    return (rows["actual"] - rows["forecast"]).abs()


def pinball_loss(rows: pd.DataFrame, levels: tuple[int, ...] = schemas.LEVELS) -> pd.Series:
    """Mean pinball loss of each row's interval ends and point, each taken as its quantile, in cartons.

    The loss of quantile q is max(q(y − f), (q − 1)(y − f)) (Koenker & Bassett 1978); the point counts as q = 0.5.
    """
    quantiles = {0.5: "forecast"}
    for level in levels:
        quantiles[(100 - level) / 200] = f"lo_{level}"
        quantiles[(100 + level) / 200] = f"hi_{level}"
    losses = [np.maximum(q * (error := rows["actual"] - rows[name]), (q - 1) * error) for q, name in quantiles.items()]
    return sum(losses) / len(losses)


def is_within(rows: pd.DataFrame, level: int) -> pd.Series:
    """Whether each row's actual lies within the interval of this level; its ends count as within."""
    return rows["actual"].between(rows[f"lo_{level}"], rows[f"hi_{level}"])


def mape(rows: pd.DataFrame) -> float:
    """Mean absolute percentage error: mean of |y − f| / y, over rows with y > 0.

    It rewards forecasting too low (Gneiting 2011), so read it beside WAPE and bias.
    """
    sold = rows[rows["actual"] > 0]
    return float((absolute_error(sold) / sold["actual"]).mean())


def wape(rows: pd.DataFrame) -> float:
    """Weighted absolute percentage error: Σ|y − f| / Σy."""
    return float(absolute_error(rows).sum() / rows["actual"].sum())


def bias(rows: pd.DataFrame) -> float:
    """Σf / Σy − 1: above 0 where the forecasts are too high in sum."""
    return float(rows["forecast"].sum() / rows["actual"].sum() - 1)


def mase(rows: pd.DataFrame, naive_error: pd.Series) -> float:
    """Mean absolute scaled error (Hyndman & Koehler 2006): mean of |y − f| / the series' naive error in the past.

    Args:
        rows: with `cutoff`, `store` and `product`.
        naive_error: mean absolute one-week change up to the cutoff, in cartons, by (cutoff, store, product);
            series for which it is 0 or unknown do not count.
    """
    scale = rows[["cutoff", *schemas.SERIES]].join(naive_error.rename("scale"), on=["cutoff", *schemas.SERIES])["scale"]
    scaled = absolute_error(rows) / scale.where(scale > 0)
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
    """Mean pinball loss, see `pinball_loss`, relative to mean sales."""
    return float(pinball_loss(rows, levels).mean() / rows["actual"].mean())


def coverage(rows: pd.DataFrame, level: int) -> float:
    """Share of actuals within the interval of this level; well calibrated intervals give level / 100."""
    return float(is_within(rows, level).mean())


def width(rows: pd.DataFrame, level: int) -> float:
    """Mean width of the interval of this level, relative to mean sales."""
    return float((rows[f"hi_{level}"] - rows[f"lo_{level}"]).mean() / rows["actual"].mean())
