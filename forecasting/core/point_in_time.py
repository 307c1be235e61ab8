"""What was known when.

Promotions have two times: the week that they are of, and the week whose files told them. What is known at a cutoff
is what the files up to it told; of several files that speak of one cell the newest holds.
"""

from dataclasses import dataclass

import pandas as pd

from forecasting.contracts import schemas


@dataclass(frozen=True)
class Snapshot:
    """What a run has to forecast from.

    sales: table `sales` up to a cutoff.
    promotions: table `promotions`, told up to that cutoff; they reach into the weeks after it.
    """

    sales: pd.DataFrame
    promotions: pd.DataFrame


def newest_announced(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per cell, sorted: the last of `rows`, which are ordered by the week that told them."""
    return rows.drop_duplicates(schemas.CELL, keep="last").sort_values(schemas.CELL, ignore_index=True)


def merge_newer(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """`old` and `new` rows of a table of cells; where both have the cell, the new one holds."""
    return newest_announced(pd.concat([old, new], ignore_index=True))


def restated(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """The cells that both tables of sales have with different units.

    Returns:
        One row per cell: `store, product, week, units_before, units_after`.
    """
    both = old.merge(new, on=schemas.CELL, suffixes=("_before", "_after"))
    differing = both[both["units_before"] != both["units_after"]]
    return differing[[*schemas.CELL, "units_before", "units_after"]].reset_index(drop=True)
