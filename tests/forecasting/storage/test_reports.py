"""DuckDB's views of a lake."""

from pathlib import Path

import duckdb
import pandas as pd

from forecasting.contracts import orange_juice
from forecasting.pipeline.report import report
from tests.databases import CUTOFFS, make_small_lake


def test_the_views_open_from_any_folder_whatever_the_lake_is_called(tmp_path: Path) -> None:
    """Quotes, patterns and comments in a path are plain text; every published cutoff is in `forecast`."""
    lake = make_small_lake(tmp_path / 'it\'s [a] "lake"* ? ü;-- ')
    report(lake)
    with duckdb.connect() as connection:
        connection.execute((lake.root / "report" / "views.sql").read_text())
        assert connection.execute("SELECT count(*) FROM report").fetchall() == [(42,)]
        assert connection.execute("SELECT count(*) FROM scores").fetchall() == [(0,)]
        found = connection.execute("SELECT * FROM forecast ORDER BY cutoff, store, product, step").df()
    wanted = pd.concat([lake.forecasts.read(cutoff) for cutoff in CUTOFFS], ignore_index=True)
    pd.testing.assert_frame_equal(orange_juice.FORECAST.cast(found), wanted)
