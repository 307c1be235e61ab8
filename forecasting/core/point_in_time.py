"""Point in time: what was known at a cutoff.

Promotions have two times: the week that they are for, and the week whose files announced them. Known at a cutoff is
what files of weeks up to it announced; of several announcements for a cell the newest counts.
"""

from dataclasses import dataclass

import pandas as pd

from forecasting.contracts import schemas


@dataclass(frozen=True)
class Snapshot:
    """The data that a run forecasts from.

    sales: table `sales` up to a cutoff.
    promotions: table `promotions`, announced up to that cutoff; they reach into the weeks after it.
    """

    sales: pd.DataFrame
    promotions: pd.DataFrame


def newest_announced(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per cell, sorted: the last of `rows`, which are ordered by the announcing week."""
    return rows.drop_duplicates(schemas.CELL, keep="last").sort_values(schemas.CELL, ignore_index=True)


def merge_newer(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of both tables of cells; where both have a cell, the new row."""
    return newest_announced(pd.concat([old, new], ignore_index=True))


def restated(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return the cells that both tables of sales have with different units.

    Returns:
        One row per cell: `store, product, week, units_before, units_after`.
    """
    both = old.merge(new, on=schemas.CELL, suffixes=("_before", "_after"))
    differing = both[both["units_before"] != both["units_after"]]
    return differing[[*schemas.CELL, "units_before", "units_after"]].reset_index(drop=True)
