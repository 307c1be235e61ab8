"""The tables of the report, read by the tools they are for."""

from pathlib import Path

import duckdb
import pandas as pd
import polars as pl

from forecasting.contracts import orange_juice, schemas
from forecasting.pipeline.report import ReportResult, report, table_of
from forecasting.storage.files import read_table
from forecasting.storage.lake import Lake
from forecasting.storage.location import local_file
from tests.databases import CUTOFFS, scores_of


def test_the_report_is_of_the_newest_forecast(small_lake: Lake) -> None:
    """All history up to its cutoff, and its rows; the file names the cutoff and the run."""
    result = report(small_lake)
    assert result == ReportResult(str(small_lake.reports.table_path), CUTOFFS[-1])
    table = read_table(local_file(Path(result.table)), orange_juice.REPORT)
    pd.testing.assert_frame_equal(table, orange_juice.REPORT.cast(table_of(small_lake, CUTOFFS[-1])))
    assert table.loc[table["kind"] == "actual", "week"].max().date() == CUTOFFS[-1]
    assert (table["kind"] == "forecast").sum() == 12


def test_the_scores_of_all_forecasts_are_one_table(small_lake: Lake, tmp_path: Path) -> None:
    """Of the current forecasts, for pandas, polars and DuckDB; without rows before there are any."""
    lake = small_lake
    report(lake)
    assert read_table(lake.reports.scores_path, schemas.SCORES).empty
    lake.monitoring.write_scores(CUTOFFS[0], "naive-1.0-2", scores_of(CUTOFFS[0], steps=2), {})
    lake.monitoring.write_scores(CUTOFFS[1], "naive-1.0-2", scores_of(CUTOFFS[1], steps=1), {})
    lake.monitoring.write_scores(CUTOFFS[1], "one that was replaced", scores_of(CUTOFFS[1], steps=2), {})
    report(lake)
    path = str(lake.reports.scores_path)
    for frame in (pd.read_parquet(path), pl.read_parquet(path).to_pandas(), duckdb.read_parquet(path).df()):
        pd.testing.assert_frame_equal(schemas.SCORES.cast(frame), lake.monitoring.scores())
    assert lake.monitoring.scores()["step"].tolist() == [1, 2, 1]
