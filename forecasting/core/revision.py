"""The revision of a forecast: how it differs from the one that it replaces, where late files or corrections came."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Id

LEAST_CHANGE = 1.0  # units; a series that changed by less counts as unchanged
MOST_LISTED = 10


@dataclass(frozen=True)
class RevisedForecast:
    """One forecast that changed against the one it replaced, in units."""

    store: Id
    product: Id
    week: date
    step: int
    before: float
    after: float


@dataclass(frozen=True)
class Revision:
    """How a forecast differs from the one it replaced.

    series_changed: series of which a forecast changed by more than `LEAST_CHANGE`.
    series_new, series_gone: series that only the new forecast has, and only the old one.
    total_before, total_after: units, over the rows that both have.
    biggest: the biggest changes, the biggest first.
    """

    series_changed: int
    series_new: int
    series_gone: int
    total_before: float
    total_after: float
    biggest: tuple[RevisedForecast, ...] = ()


def compare_forecasts(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Put two forecasts of one cutoff side by side, the biggest change first.

    Args:
        before: table `forecast`.
        after: the same, or as much of it as `store, product, week, forecast`.

    Returns:
        One row per (`store`, `product`, `step`) that both have: `store, product, week, step, before, after, change`,
        the last three in units.
    """
    old = before[[*schemas.CELL, "step", "forecast"]].rename(columns={"forecast": "before"})
    both = old.merge(after[[*schemas.CELL, "forecast"]].rename(columns={"forecast": "after"}), on=schemas.CELL)
    both["change"] = both["after"] - both["before"]
    order = both["change"].abs().sort_values(ascending=False, kind="stable").index
    return both.loc[order].reset_index(drop=True)


def revision_of(before: pd.DataFrame, after: pd.DataFrame) -> Revision:
    """Return how the forecast `after` differs from `before`, which it replaces; tables as in `compare_forecasts`."""
    rows = compare_forecasts(before, after)
    changed = rows[rows["change"].abs() > LEAST_CHANGE]
    old, new = (table[schemas.SERIES].drop_duplicates() for table in (before, after))
    in_both = len(old.merge(new, on=schemas.SERIES))
    return Revision(
        series_changed=len(changed[schemas.SERIES].drop_duplicates()),
        series_new=len(new) - in_both,
        series_gone=len(old) - in_both,
        total_before=float(rows["before"].sum()),
        total_after=float(rows["after"].sum()),
        biggest=tuple(
            RevisedForecast(row.store, row.product, row.week.date(), int(row.step), float(row.before), float(row.after))
            for row in changed.head(MOST_LISTED).itertuples()
        ),
    )
