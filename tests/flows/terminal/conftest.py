"""A terminal of 80 columns, and a lake to tell of."""

from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from flows.terminal.console import console
from forecasting import schemas
from forecasting.adapters.files import write_table
from forecasting.adapters.lake import Lake


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What has been printed so far, on a terminal of 80 columns."""
    file = StringIO()
    for name, value in {"_file": file, "_width": 80, "_force_terminal": False}.items():
        monkeypatch.setattr(console, name, value)
    return file


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with the table of brands, as every lake that was run has."""
    lake = Lake(tmp_path / "lake")
    brands = pd.DataFrame({"brand": [1], "name": ["Tropicana"], "ounces": [64]})
    write_table(lake.root / "reference" / "brands.parquet", brands, schemas.BRANDS)
    return lake
