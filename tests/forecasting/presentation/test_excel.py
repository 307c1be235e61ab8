"""Files for people: numbers are numbers, and no name is ever a formula."""

import csv
from datetime import date, datetime
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from forecasting.contracts import orange_juice
from forecasting.contracts.errors import DataError, OptionError
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.presentation.excel import Exported, export, export_forecast, harmless
from forecasting.storage.lake import Lake
from tests.databases import CUTOFFS
from tests.strategies import whole_offers

ABOUT = {"cutoff": "1992-04-16", "point": "median", "run_id": "abc"}
# What a spreadsheet program would calculate, open or change.
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "{=1+1}", '=HYPERLINK("http://evil.example","x")']
LINKS = ["http://evil.example", "mailto:a@b.example", "internal:Sheet2!A1", "external:c:\\x.xlsx", "007", "1e5"]
ODD = [
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    " =1+1",
    '"=1',
    ",=1",
    ";=1",
    "'=1",
    "\ufeff=1",
    "</t><f>1</f>",
    "\x01=",
    "_x0041_",
]
names = st.one_of(
    st.sampled_from([*FORMULAS, *LINKS, *ODD]), st.text(max_size=8), st.text("=+-@\t\r\n ,;'\"{|", max_size=6)
)


def sheet_of(*product_names: str) -> pd.DataFrame:
    """An order sheet of as many stores, whose names are hostile too; the change is negative."""
    rows = pd.DataFrame({"store": range(len(product_names)), "product": 1, "product_name": product_names})
    rows = rows.assign(store_name=rows["product_name"], week=pd.Timestamp("1992-04-23"), forecast=12.5, model="naive")
    rows = rows.assign(lo_80=10.0, hi_80=20.0, lo_95=5.0, hi_95=1 / 3, price=None, deal=None, feat=0.5, last_sold=20)
    return orange_juice.ORDER_SHEET.cast(whole_offers(rows.assign(change=-7.5, reason=None)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(names, min_size=1, max_size=4))
def test_no_cell_of_a_workbook_is_a_formula(tmp_path: Path, given_names: list[str]) -> None:
    """Read back by another library: nothing is a formula or a link; numbers and dates are what they are."""
    path = tmp_path / "orders.xlsx"
    export(sheet_of(*given_names), path, ABOUT, ORANGE_JUICE)
    book = openpyxl.load_workbook(path)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    rows = list(book["Orders"].iter_rows(min_row=2, values_only=True))
    assert len(rows) == len(given_names)
    columns = orange_juice.ORDER_SHEET.columns
    for row in rows:
        assert row[columns.index("week")] == datetime(1992, 4, 23)  # noqa: DTZ001
        assert row[columns.index("change")] == -7.5
        assert row[columns.index("price")] is None


def test_every_hostile_name_is_text(tmp_path: Path) -> None:
    """Also those that Excel would take for a link or a number; what is too long for a cell is cut."""
    path = tmp_path / "orders.xlsx"
    export(sheet_of(*FORMULAS, *LINKS, "x" * 40_000), path, ABOUT, ORANGE_JUICE)
    sheet = openpyxl.load_workbook(path)["Orders"]
    cells = [row[3] for row in sheet.iter_rows(min_row=2)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.value for cell in cells] == [*FORMULAS, *LINKS, "x" * 32_767]


def test_a_workbook_is_ready_to_work_with(tmp_path: Path) -> None:
    """The header stays in sight, every column can be filtered, and the second sheet says what each means."""
    path, again = tmp_path / "orders.xlsx", tmp_path / "again.xlsx"
    export(sheet_of("Dole"), path, ABOUT, ORANGE_JUICE)
    book = openpyxl.load_workbook(path)
    orders = book["Orders"]
    assert orders.freeze_panes == "E2"
    assert orders.auto_filter.ref == f"A1:{get_column_letter(len(orange_juice.ORDER_SHEET.columns))}2"
    assert [cell.value for cell in orders[1]][3:9] == [
        "Brand name", "Week", "Forecast", "80 % from", "80 % to", "95 % from",
    ]  # fmt: skip
    about = dict(book["About"].iter_rows(values_only=True))
    assert (about["cutoff"], about["Change"]) == ("1992-04-16", "units: forecast - last_sold")
    export(sheet_of("Dole"), again, ABOUT, ORANGE_JUICE)
    assert again.read_bytes() == path.read_bytes()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(names, min_size=1, max_size=4))
def test_no_field_of_a_csv_begins_like_a_formula_but_a_number(tmp_path: Path, given_names: list[str]) -> None:
    """A negative number is one; a text never begins with a sign that is calculated. Names survive but for that."""
    path = tmp_path / "orders.csv"
    export(sheet_of(*given_names), path, ABOUT, ORANGE_JUICE)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["product_name"] for row in rows] == [harmless(name) for name in given_names]
    for row in rows:
        assert row["change"] == "-7.5"
        texts = [value for name, value in row.items() if name != "change"]
        assert not [text for text in texts if text.lstrip(" ")[:1] in tuple("=+-@\t\r\n＝＋－＠")]


def test_only_what_begins_like_a_formula_is_changed() -> None:
    """As OWASP recommends: an apostrophe before it."""
    assert harmless("=1+1") == "'=1+1"
    assert harmless("  @x") == "'  @x"
    assert harmless("Minute Maid - 64 oz") == "Minute Maid - 64 oz"
    assert harmless("") == ""


def test_a_csv_is_read_by_every_tool(tmp_path: Path) -> None:
    """The byte order mark, which Excel needs for ü, is no part of the first column's name."""
    path = tmp_path / "orders.csv"
    export(sheet_of('Müller, "Söhne"', "Dole"), path, ABOUT, ORANGE_JUICE)
    assert path.read_bytes().startswith(b"\xef\xbb\xbfstore,store_name,product,")
    for frame in (pd.read_csv(path), pl.read_csv(path).to_pandas(), duckdb.read_csv(str(path)).df()):
        assert list(frame.columns) == orange_juice.ORDER_SHEET.columns
        assert frame["product_name"].tolist() == ['Müller, "Söhne"', "Dole"]
        assert frame["hi_95"].tolist() == [1 / 3] * 2


@pytest.mark.parametrize("name", ["orders.pdf", "orders"])
def test_another_kind_of_file_is_refused(tmp_path: Path, name: str) -> None:
    """The ending says what to write."""
    with pytest.raises(OptionError, match=r"ends neither in .xlsx nor in .csv"):
        export(sheet_of("Dole"), tmp_path / name, ABOUT, ORANGE_JUICE)


def test_a_path_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """In one sentence."""
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match="cannot be written"):
        export(sheet_of("Dole"), tmp_path / "file" / "orders.csv", ABOUT, ORANGE_JUICE)


def test_the_newest_forecast_is_exported_or_the_one_that_is_named(small_lake: Lake, tmp_path: Path) -> None:
    """As it was published, with what was sold in its own cutoff's week."""
    lake = small_lake
    assert export_forecast(lake, None, tmp_path / "new.csv") == Exported(CUTOFFS[-1], 12)
    assert export_forecast(lake, CUTOFFS[0], tmp_path / "old.csv") == Exported(CUTOFFS[0], 12)
    old = pd.read_csv(tmp_path / "old.csv", parse_dates=["week"])
    published, sales = lake.forecasts.read(CUTOFFS[0]), lake.sales.read(CUTOFFS[0])
    assert old["forecast"].tolist() == published["forecast"].tolist()
    sold = sales[sales["week"] == pd.Timestamp(CUTOFFS[0])]["units"].tolist()
    assert old["last_sold"].tolist() == [units for units in sold for _ in range(2)]
    assert old["product_name"].tolist()[:4] == ["Tropicana"] * 2 + ["<script>"] * 2
    assert old["store_name"].fillna("").tolist()[::4] == ["Müller & Söhne", "'=1+1", ""]


def test_the_workbook_says_what_it_holds(small_lake: Lake, tmp_path: Path) -> None:
    """Cutoff, point and run stand in its second sheet."""
    export_forecast(small_lake, None, tmp_path / "orders.xlsx")
    about = dict(openpyxl.load_workbook(tmp_path / "orders.xlsx")["About"].iter_rows(values_only=True))
    assert (about["cutoff"], about["point"], about["run_id"]) == (str(CUTOFFS[-1]), "median", "naive-1.0-2")


def test_what_is_not_published_cannot_be_exported(small_lake: Lake, tmp_path: Path) -> None:
    """The error says what can."""
    with pytest.raises(DataError, match="has no published forecast; make one first: oj run"):
        export_forecast(Lake(tmp_path), None, tmp_path / "orders.csv")
    with pytest.raises(OptionError, match=f"name one from {CUTOFFS[0]} to {CUTOFFS[-1]}"):
        export_forecast(small_lake, date(1990, 1, 4), tmp_path / "orders.csv")
    assert not (tmp_path / "orders.csv").exists()


def test_long_numbers_of_ids_keep_their_digits(tmp_path: Path) -> None:
    """A barcode is shown whole; what is longer than Excel's numbers is text."""
    sheet = sheet_of("a").assign(store=5_901_234_123_457, product=1_234_567_890_123_456_789)
    export(sheet, tmp_path / "orders.xlsx", ABOUT, ORANGE_JUICE)
    _, (store, _, product, *_) = openpyxl.load_workbook(tmp_path / "orders.xlsx")["Orders"].iter_rows()
    assert (store.value, store.number_format) == (5_901_234_123_457, "0")
    assert (product.value, product.data_type) == ("1234567890123456789", "s")
