"""The files beside the report table, for tools: the scores of all forecasts in force, and DuckDB's views."""

from forecasting.storage.lake import Lake


def write_table_files(lake: Lake) -> None:
    """Write `scores.parquet` (without rows before the first forecast has matured) and `views.sql` anew."""
    lake.reports.write_scores(lake.monitoring.scores())
    lake.reports.write_views()
