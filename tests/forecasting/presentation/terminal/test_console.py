"""What holds of all that is printed."""

from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.calendar import WEEK
from forecasting.pipeline.simulation import SimulatedWeek
from forecasting.presentation.terminal.lake import show_simulated, show_status
from forecasting.presentation.terminal.models import show_backtest
from forecasting.presentation.terminal.run import show_run
from forecasting.storage.files import write_table
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.terminal.printed import joined, text_of
from tests.forecasting.presentation.terminal.test_models import result_of
from tests.forecasting.presentation.terminal.test_run import CUTOFF, view_of


@pytest.mark.parametrize("folder", ["[red]x", "[", "with a very long name " * 8])
def test_a_folder_is_printed_as_it_is(folder: str, printed: StringIO, tmp_path: Path) -> None:
    """Of the simulation, the status, the run and the backtest: `[` may be followed by `]`, which would end a style."""
    lake = Lake(tmp_path / folder / "]")
    products = pd.DataFrame({"product": [1], "name": ["Tropicana"], "ounces": [64]})
    write_table(lake.root / "reference" / "products.parquet", products, orange_juice.PRODUCTS)
    shows = {
        "simulate": lambda: show_simulated(lake, SimulatedWeek(CUTOFF, 82, CUTOFF - WEEK)),
        "status": lambda: show_status(lake),
        "run": lambda: show_run(view_of(lake), 720.0),
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
