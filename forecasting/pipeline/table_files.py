"""The files beside the report table, for tools: the scores of all forecasts in force, and DuckDB's views."""

from forecasting.storage.lake import Lake
from forecasting.storage.views import views_sql


def write_table_files(lake: Lake) -> None:
    """Write `scores.parquet` (without rows before the first forecast has matured) and `views.sql` anew."""
    lake.write_scores_table(lake.scores())
    lake.write_views(views_sql(lake))
