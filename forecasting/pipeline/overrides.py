"""What people accept: units that are out of any proportion, and right all the same."""

from datetime import date, datetime

import pandas as pd

from forecasting.contracts.calendar import days_of
from forecasting.contracts.errors import DataError
from forecasting.core.completeness import Acceptance
from forecasting.storage.lake import Lake


def accept_override(
    lake: Lake, week: date, store: int, product: int, why: str, by: str, at: datetime
) -> tuple[Acceptance, list[str]]:
    """Record that a cell's quarantined units are right, and put their files into the inbox again for the next run.

    Returns:
        What was recorded, and the names of the files.

    Raises:
        DataError: no row of that cell is quarantined as out of proportion, or its file is gone.
    """
    of_runs = [lake.quarantine.read(cutoff) for cutoff in lake.quarantine.weeks()]
    rows = pd.concat(of_runs) if of_runs else lake.quarantine.read(week)
    days = [str(day) for day in days_of(week)]
    meant = rows[
        (rows["rule"] == "outlier")
        & (rows["store"] == str(store))
        & (rows["product"] == str(product))
        & rows["week_or_date"].isin(days)
    ]
    files = sorted(meant["file"].unique())
    if not files:
        raise DataError(
            f"No row of store {store} product {product} in the week of {week} is quarantined as out of proportion",
            "see in the lake's folder `quarantine` which rows are",
        )
    accepted = Acceptance(by, why, at.replace(microsecond=0))
    lake.acceptances.write_override(week, store, product, accepted)
    gone = [file for file in files if not lake.archive.bring_back(file)]
    if gone:
        raise DataError(
            f"The files {', '.join(gone)} are not in the lake's archive any more", "put them into the inbox, then run"
        )
    return accepted, files
