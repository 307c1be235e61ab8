"""What holds of all that is printed."""

from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from flows.terminal.backtest import show_backtest
from flows.terminal.lake import show_feed, show_status
from flows.terminal.run import show_run
from forecasting import schemas
from forecasting.adapters.feed import Fed
from forecasting.adapters.files import write_table
from forecasting.adapters.lake import Lake
from forecasting.weeks import WEEK
from tests.flows.terminal.printed import joined, text_of
from tests.flows.terminal.test_backtest import result_of
from tests.flows.terminal.test_run import CUTOFF, receipt_of, report_at


@pytest.mark.parametrize("folder", ["[red]x", "[", "with a very long name " * 8])
def test_a_folder_is_printed_as_it_is(folder: str, printed: StringIO, tmp_path: Path) -> None:
    """Of the feed, the status, the run and the backtest: `[` may be followed by `]`, which would end a style."""
    lake = Lake(tmp_path / folder / "]")
    brands = pd.DataFrame({"brand": [1], "name": ["Tropicana"], "ounces": [64]})
    write_table(lake.root / "reference" / "brands.parquet", brands, schemas.BRANDS)
    report = report_at(lake.root / "report.parquet")
    shows = {
        "feed": lambda: show_feed(lake, Fed(CUTOFF, 82, CUTOFF - WEEK)),
        "status": lambda: show_status(lake),
        "run": lambda: show_run(lake.root, receipt_of(report), 720.0),
        "backtest": lambda: show_backtest(result_of("naive", source=str(lake.root)), None),
    }
    wrong = []
    for name, show in shows.items():
        printed.seek(0)
        printed.truncate()
        try:
            show()
        except Exception as error:  # noqa: BLE001 - each is to be named
            wrong.append(f"{name}: {error!r}")
            continue
        if joined(str(lake.root)) not in joined(text_of(printed)):
            wrong.append(f"{name}: {printed.getvalue()}")

    assert wrong == []
