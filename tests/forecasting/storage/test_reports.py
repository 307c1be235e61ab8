"""DuckDB's views of a lake."""

from pathlib import Path

import duckdb
import pandas as pd

from forecasting.contracts import schemas
from forecasting.core.report import report_table
from forecasting.pipeline.table_files import write_table_files
from forecasting.storage.lake import Lake
from tests.databases import CUTOFFS, make_small_lake


def test_the_views_open_from_any_folder_whatever_the_lake_is_called(tmp_path: Path) -> None:
    """Quotes, patterns and comments in a path are plain text; every published cutoff is in `forecast`."""
    lake = make_small_lake(tmp_path / 'it\'s [a] "lake"* ? ü;-- ')
    write_report(lake)
    write_table_files(lake)
    with duckdb.connect() as connection:
        connection.execute((lake.root / "report" / "views.sql").read_text(encoding="utf-8"))
        assert connection.execute("SELECT count(*) FROM report").fetchall() == [(42,)]
        assert connection.execute("SELECT count(*) FROM scores").fetchall() == [(0,)]
        found = connection.execute("SELECT * FROM forecast ORDER BY cutoff, store, product, step").df()
    wanted = pd.concat([lake.forecasts.read(cutoff) for cutoff in CUTOFFS], ignore_index=True)
    pd.testing.assert_frame_equal(schemas.FORECAST.cast(found), wanted)


def write_report(lake: Lake) -> None:
    lake.reports.write_table(
        report_table(
            lake.sales.read(),
            lake.promotions.read(),
            lake.forecasts.read(CUTOFFS[-1]),
            lake.reference.products(),
            lake.reference.definition,
        ),
        {"run_id": "x"},
    )
