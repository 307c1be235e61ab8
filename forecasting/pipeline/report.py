"""The stage that writes the tables of the report: history and forecast side by side, for tools."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from forecasting.core import report as reports
from forecasting.storage.lake import Lake


@dataclass(frozen=True)
class ReportResult:
    """The table `report` as it was written: its file, and the last published cutoff, up to which it holds actuals."""

    table: str
    cutoff: date


def report(lake: Lake) -> ReportResult:
    """Write the tables of the report: history and forecast of the last published cutoff, all scores, and SQL views.

    The table of scores has no rows before the first forecast has matured.
    """
    cutoff = lake.forecasts.newest()
    metadata = {"cutoff": str(cutoff), "run_id": lake.forecasts.run_id(cutoff) or ""}
    path = lake.reports.write_table(table_of(lake, cutoff), metadata)
    lake.reports.write_scores(lake.monitoring.scores())
    lake.reports.write_views()
    return ReportResult(str(path), cutoff)


def table_of(lake: Lake, cutoff: date) -> pd.DataFrame:
    """Return the table `report` of a published cutoff: all history up to it, and its forecast."""
    return reports.report_table(
        lake.sales.read(cutoff),
        lake.promotions.read(cutoff),
        lake.forecasts.read(cutoff),
        lake.reference.products(),
        lake.reference.definition,
    )
