"""Which forecast is exported."""

from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from forecasting.contracts.errors import DataError, OptionError
from forecasting.pipeline.export import Exported, export
from forecasting.storage.lake import Lake
from tests.databases import CUTOFFS


def test_the_newest_forecast_is_exported_or_the_one_that_is_named(small_lake: Lake, tmp_path: Path) -> None:
    """As it was published, with what was sold in its own cutoff's week."""
    lake = small_lake
    assert export(lake, None, tmp_path / "new.csv") == Exported(CUTOFFS[-1], 12)
    assert export(lake, CUTOFFS[0], tmp_path / "old.csv") == Exported(CUTOFFS[0], 12)
    old = pd.read_csv(tmp_path / "old.csv", parse_dates=["week"])
    published, sales = lake.forecasts.read(CUTOFFS[0]), lake.sales.read(CUTOFFS[0])
    assert old["forecast"].tolist() == published["forecast"].tolist()
    sold = sales[sales["week"] == pd.Timestamp(CUTOFFS[0])]["units"].tolist()
    assert old["last_sold"].tolist() == [units for units in sold for _ in range(2)]
    assert old["product_name"].tolist()[:4] == ["Tropicana"] * 2 + ["<script>"] * 2
    assert old["store_name"].fillna("").tolist()[::4] == ["Müller & Söhne", "'=1+1", ""]


def test_the_workbook_says_what_it_holds(small_lake: Lake, tmp_path: Path) -> None:
    """Cutoff, point and run stand in its second sheet."""
    export(small_lake, None, tmp_path / "orders.xlsx")
    about = dict(openpyxl.load_workbook(tmp_path / "orders.xlsx")["About"].iter_rows(values_only=True))
    assert (about["cutoff"], about["point"], about["run_id"]) == (str(CUTOFFS[-1]), "median", "naive-1.0-2")


def test_what_is_not_published_cannot_be_exported(small_lake: Lake, tmp_path: Path) -> None:
    """The error says what can."""
    with pytest.raises(DataError, match="has no published forecast; make one first: oj run"):
        export(Lake(tmp_path), None, tmp_path / "orders.csv")
    with pytest.raises(OptionError, match=f"name one from {CUTOFFS[0]} to {CUTOFFS[-1]}"):
        export(small_lake, date(1990, 1, 4), tmp_path / "orders.csv")
    assert not (tmp_path / "orders.csv").exists()
