"""What moved: a forecast beside the one that it replaces, where late files or corrections have changed its input."""

from typing import Any

import pandas as pd

from forecasting.contracts import schemas

UNITS_WORTH_SHOWING = 1.0
MOST_TOLD = 10


def compare_forecasts(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Two forecasts of one cutoff side by side, the biggest change first.

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


def summary(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, Any]:
    """What moved, as plain values: how many series by more than one unit, the totals, and the ten biggest changes.

    The totals are those of the rows that both forecasts have; `series_new` and `series_gone` count the others.
    """
    rows = compare_forecasts(before, after)
    told = rows[rows["change"].abs() > UNITS_WORTH_SHOWING]
    old, new = (set(map(tuple, table[schemas.SERIES].drop_duplicates().to_numpy())) for table in (before, after))
    return {
        "series_moved": len(told[schemas.SERIES].drop_duplicates()),
        "series_new": len(new - old),
        "series_gone": len(old - new),
        "total_before": float(rows["before"].sum()),
        "total_after": float(rows["after"].sum()),
        "biggest": [
            {
                "store": int(row.store),
                "product": int(row.product),
                "week": str(row.week.date()),
                "step": int(row.step),
                "before": float(row.before),
                "after": float(row.after),
            }
            for row in told.head(MOST_TOLD).itertuples()
        ],
    }
