"""The proposal for files of a user, and where it may be written."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasting.contracts.errors import DataError, OptionError
from forecasting.contracts.layout import Layout
from forecasting.contracts.orange_juice import LAYOUTS, SALES
from forecasting.contracts.panel_definition import ORANGE_JUICE, Covariate, Key
from forecasting.pipeline.panel_proposal import propose_panel, require_undeclared
from forecasting.storage.lake import Lake
from tests.forecasting.core.sampled import panel
from tests.forecasting.storage.test_retailers_files import CASES, COLUMNS, WITHOUT_PRICE

HEADER = "store,product,week,units,price"


def text(**options: object) -> str:
    return panel(header=HEADER, more=",2.5", products=("1", "2"), **options)  # type: ignore[arg-type]


def test_the_first_rows_are_read_as_the_proposal_says(tmp_path: Path) -> None:
    """By the reader of imports and of the inbox: ten of them."""
    (tmp_path / "sales.csv").write_text(text())
    proposed = propose_panel([tmp_path / "sales.csv"])
    assert len(proposed.rows) == 10
    assert list(proposed.rows.columns) == ["store", "product", "date", "units", "price"]
    assert list(proposed.rows["units"][:3]) == [10, 11, 12]
    assert proposed.refused == ()


def test_rows_that_do_not_fit_are_told_once_a_rule(tmp_path: Path) -> None:
    """With the first line of each."""
    rows = text().splitlines()
    rows[2], rows[3] = rows[2].replace(",2.5", ",x"), rows[3].replace(",2.5", ",x")
    (tmp_path / "sales.csv").write_text("\n".join([*rows, *rows[30:]]))
    proposed = propose_panel([tmp_path / "sales.csv"])
    assert len(proposed.rows) == 8
    (sentence,) = proposed.refused
    assert sentence.startswith("Line 3 of sales.csv, and 1 more of the first 10 rows, do not fit: price is 'x'")


@pytest.mark.parametrize(
    ("name", "layout", "definition"),
    [
        ("i08", {"leave_out": {"store": ("Grand Total",)}}, {}),
        ("i09", {"fill_down": True}, {}),
        ("i10", {}, {}),
        ("i12", {"delimiter": ";", "decimal": ","}, {}),
        ("i14", {"encoding": "cp1252"}, {"store": Key("store", "stores", "text")}),
        ("i16", {"date_format": "iso_week"}, {}),
        ("i17", {"date_format": "%m/%d/%Y"}, {}),
        ("i23", {}, {}),
        ("i24", {}, {}),
        ("i25", {}, {}),
        ("i26", {}, {}),
        ("i30", {"columns": WITHOUT_PRICE}, {"covariates": ()}),
        ("i32", {}, {"store": Key("store", "stores", "text")}),
        ("i34", {}, {}),
        ("i38", {}, {"product": Key("brand", "brands", "text")}),
        ("i39", {"date_format": "excel"}, {}),
        ("i42", {"header_line": 3}, {}),
        ("p02", {"files": "*.parquet"}, {}),
        ("p06", {"files": "*.parquet"}, {}),
        ("p07", {"files": "*.parquet"}, {}),
        ("p16", {"files": "*.parquet"}, {}),
        ("x01", {"files": "*.xlsx"}, {}),
    ],
)
def test_a_retailers_file_is_understood(name: str, layout: dict[str, Any], definition: dict[str, Any]) -> None:
    """Weeks from a Monday, by store and brand; what is special about it is declared, and nothing else."""
    (path,) = CASES.glob(f"{name}*")
    found = propose_panel([path]).proposal
    plain = Layout(found.layouts[0].name, COLUMNS, files="*.csv")
    assert found.layouts == (replace(plain, **layout),)
    expected = replace(
        ORANGE_JUICE,
        name=found.definition.name,
        unit="unit",
        units="units",
        currency="",
        covariates=(Covariate("price", "price", "price", "money a unit (column price)"),),
        week_starts_on=0,
        time_zone="UTC",
        new_ids="accept",
        store_attributes=(),
        product_attributes=(),
    )
    assert found.definition == replace(expected, **definition)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("i02", "i02_header_only.csv has a header and no rows"),
        ("i06", "names 'units' twice"),
        ("i28", "No row of i28_all_plans.csv has a quantity: its column `units` is empty"),
        ("inbox_bad_utf8", "cannot be read"),
        ("inbox_date_out_of_range", "cannot be read"),
        ("inbox_ts_huge", "cannot be read"),
    ],
)
def test_a_retailers_file_that_nobody_can_use_is_one_sentence(name: str, sentence: str) -> None:
    """It names the file and what is wrong."""
    (path,) = CASES.glob(f"{name}*")
    with pytest.raises(DataError, match=re.escape(sentence)):
        propose_panel([path])


def test_folders_and_patterns_are_files(tmp_path: Path) -> None:
    """Files of other kinds in a folder are passed over."""
    (tmp_path / "sales_2024-01-01.csv").write_text(text(days=10))
    (tmp_path / "sales_2024-03-11.csv").write_text(text(days=10, start="2024-03-11"))
    (tmp_path / "notes.md").write_text("notes")
    (tmp_path / ".hidden.csv").write_text("a")
    by_folder = propose_panel([tmp_path]).proposal
    assert by_folder.layouts[0].files == "*.csv"
    assert by_folder == propose_panel([tmp_path / "sales_*.csv"]).proposal


def test_a_definition_is_replaced_only_if_asked_and_without_sales(tmp_path: Path) -> None:
    """Else the sentence says what to do."""
    lake = Lake(tmp_path / "new")
    require_undeclared(lake, replace=False)
    lake.reference.write_panel(ORANGE_JUICE, LAYOUTS)
    with pytest.raises(OptionError, match=r"has a panel definition already; edit .*panel.toml, or .* --replace"):
        require_undeclared(lake, replace=False)
    require_undeclared(lake, replace=True)
    lake.sales.add(
        SALES.cast(pd.DataFrame({"store": [2], "product": [1], "week": [pd.Timestamp("1991-01-03")], "units": [3]}))
    )
    with pytest.raises(OptionError, match="has sales already"):
        require_undeclared(lake, replace=True)
