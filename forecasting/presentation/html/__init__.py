"""The HTML page of a week: one file, read offline.

No file is read but the page's own template, style and scripts; whatever comes from outside stays text.
"""

from datetime import date
from pathlib import Path

import pandas as pd

from forecasting.contracts.errors import DataError
from forecasting.contracts.run_record import RunRecord
from forecasting.presentation.html.render import Page, render
from forecasting.presentation.week import week_view
from forecasting.storage.lake import Lake

__all__ = ["Page", "render", "write_page"]


def write_page(lake: Lake, cutoff: date, record: RunRecord | None = None, table: pd.DataFrame | None = None) -> Path:
    """Write the page of a published cutoff, and return its path.

    Args:
        record: of the run that is under way, where there is one; else the lake's record of the run that published.
        table: the table `report` of that cutoff, where it is at hand.

    Raises:
        DataError: nothing is published for that cutoff.
    """
    if not lake.forecasts.path(cutoff).exists():
        newest = lake.forecasts.newest()
        raise DataError(
            f"No forecast is published for the week of {cutoff}",
            f"name another with --cutoff (the newest is {newest}), or make it: oj run --cutoff {cutoff}",
        )
    return lake.reports.write_page(cutoff, render(week_view(lake, cutoff, record, table), str(cutoff)))
