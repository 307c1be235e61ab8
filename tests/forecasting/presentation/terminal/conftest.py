"""A terminal of 80 columns, and a lake to show."""

from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.presentation.terminal.console import console
from forecasting.storage.files import write_table
from forecasting.storage.lake import Lake


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What has been printed so far, on a terminal of 80 columns."""
    file = StringIO()
    for name, value in {"_file": file, "_width": 80, "_force_terminal": False}.items():
        monkeypatch.setattr(console, name, value)
    return file


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with the table of products, as every lake that was run has."""
    lake = Lake(tmp_path / "lake")
    products = pd.DataFrame({"product": [1], "name": ["Tropicana"], "ounces": [64]})
    write_table(lake.root / "reference" / "products.parquet", products, orange_juice.PRODUCTS)
    return lake
