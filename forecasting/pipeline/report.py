"""The stage that writes the tables of the report: history and forecast side by side, for tools."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from forecasting.core import report as reports
from forecasting.storage.lake import Lake
from forecasting.storage.views import views_sql


@dataclass(frozen=True)
class ReportResult:
    """The table `report` as it was written: its file, and the last published cutoff, up to which it holds actuals."""

    table: Path
    cutoff: date


def report(lake: Lake) -> ReportResult:
    """Write the tables of the report: history and forecast of the last published cutoff, all scores, and SQL views.

    The table of scores has no rows before the first forecast has matured.
    """
    cutoff = lake.newest_published()
    metadata = {"cutoff": str(cutoff), "run_id": lake.published_run_id(cutoff) or ""}
    path = lake.write_report(table_of(lake, cutoff), metadata)
    lake.write_scores_table(lake.scores())
    lake.write_views(views_sql(lake))
    return ReportResult(path, cutoff)


def table_of(lake: Lake, cutoff: date) -> pd.DataFrame:
    """Return the table `report` of a published cutoff: all history up to it, and its forecast."""
    return reports.report_table(lake.sales(cutoff), lake.promotions(cutoff), lake.published(cutoff), lake.products())
