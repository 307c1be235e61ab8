"""Checks of forecast rows: which series cannot be published, and whether every expected row is there."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import RunError
from forecasting.contracts.panel_definition import Series
from forecasting.contracts.spec import ForecastSpec

POINT_AND_INTERVALS = ["forecast", *(f"{side}_{level}" for level in schemas.LEVELS for side in ("lo", "hi"))]


def unusable_series(rows: pd.DataFrame, series: pd.DataFrame, spec: ForecastSpec) -> dict[Series, str]:
    """Return the series of a partition whose rows cannot be published, with the reason.

    `missing_row`: a step is missing or there twice; `not_finite`, `negative`; `crossing`: the interval's
    ends are not ordered or the wider level does not contain the narrower.
    """
    lo_80, hi_80, lo_95, hi_95 = (rows[name] for name in ("lo_80", "hi_80", "lo_95", "hi_95"))
    values = rows[POINT_AND_INTERVALS]
    broken = {
        "crossing": (lo_95 > lo_80) | (lo_80 > hi_80) | (hi_80 > hi_95),
        "negative": (values < 0).any(axis=1),
        "not_finite": ~np.isfinite(values).all(axis=1),
    }
    unusable = {key: reason for reason, is_broken in broken.items() for key in keys_of(rows[is_broken])}
    in_its_week = rows["week"] == pd.Timestamp(spec.cutoff) + pd.to_timedelta(rows["step"] * 7, unit="D")
    steps = rows[in_its_week].groupby(schemas.SERIES)["step"].agg(["size", "nunique", "min", "max"])
    complete = steps.index[(steps == [spec.horizon, spec.horizon, spec.steps[0], spec.steps[-1]]).all(axis=1)]
    absent = series[~pd.MultiIndex.from_frame(series[schemas.SERIES]).isin(complete)]
    return unusable | dict.fromkeys(keys_of(absent), "missing_row")


def require_complete(table: pd.DataFrame, series: pd.DataFrame, spec: ForecastSpec) -> None:
    """Check that every expected series × step stands in `table` exactly once, with usable numbers.

    Raises:
        RunError: it does not.
    """
    unusable = unusable_series(table, series, spec)
    if unusable or len(table) != len(series) * spec.horizon:
        examples = "; ".join(f"{spec.definition.named(key)}: {why}" for key, why in list(unusable.items())[:3])
        raise RunError(
            f"The forecast of {spec.cutoff} has {len(table)} rows where {len(series) * spec.horizon} are expected, "
            f"{len(unusable)} series are unusable ({examples or 'rows of unexpected series'})",
            "nothing was published; run again, and report it if it happens again",
        )


def complete(frames: Iterable[pd.DataFrame], series: pd.DataFrame, spec: ForecastSpec) -> Iterator[pd.DataFrame]:
    """Pass on the frames of a forecast, each checked: together they have every expected series × step exactly once.

    Args:
        frames: rows of whole series, in order of the key.
        series: that are expected, sorted.

    Raises:
        RunError: a row is missing, there twice, or has unusable numbers.
    """
    done = 0
    for rows in frames:
        count = -(-len(rows) // spec.horizon)
        require_complete(rows, series.iloc[done : done + count], spec)
        done += count
        yield rows
    if done != len(series):
        require_complete(schemas.forecast(spec.definition).empty(), series.iloc[done:], spec)


def keys_of(rows: pd.DataFrame) -> list[Series]:
    """Return (store, product) of each row."""
    return list(rows[schemas.SERIES].itertuples(index=False, name=None))
