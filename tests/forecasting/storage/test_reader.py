"""Every file finds its layout, and its rows take one form."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from forecasting.contracts.layout import Layout, store_files
from forecasting.contracts.panel_definition import ORANGE_JUICE, Attribute
from forecasting.core.inspection import raw_columns
from forecasting.storage.reader import RowsRead, declared_week, fits, read_rows
from tests.forecasting.retailer import SHOPS
from tests.forecasting.storage.formats.test_parquet import parquet

SALES = Layout(
    "sales",
    {
        "store": ("Shop",),
        "product": ("Article",),
        "date": ("Week",),
        "units": ("Pieces",),
        "price": ("Price",),
    },
)
HEADER = "Shop,Article,Week,Pieces,Price\n"


def read(content: str | bytes, *layouts: Layout, name: str = "sales.csv") -> RowsRead:
    written = content if isinstance(content, bytes) else content.encode()
    return read_rows([(name, written)], SHOPS, layouts or [SALES])


def cells(found: RowsRead, *columns: str) -> list[Sequence[object]]:
    return [tuple(row) for row in found.frame[list(columns)].itertuples(index=False)]


def test_rows_have_the_columns_of_the_definition() -> None:
    """Whatever they are called in the file, in whatever order, beside whatever others; texts stay as they are."""
    found = read("Price,Note,Pieces,Week,Article,Shop\n 2.50,x,3,2024-01-01,007, Köln\n")
    assert list(found.frame.columns) == raw_columns(SHOPS)
    expected = ("sales.csv", None, 2, 0, " Köln", "007", "2024-01-01", "3", " 2.50", "", "")
    columns = ("file", "file_week", "line", "layout", "store", "product", "week_or_date", "units", "price", "rule")
    assert cells(found, *columns, "passed_over") == [expected]


def test_header_names_may_have_spaces_around_them_and_any_unicode_form() -> None:
    """A decomposed é is an é."""
    layout = replace(SALES, columns={"store": ("Région",), "date": ("Week",)})
    assert cells(read(" Re\u0301gion ,Week\nNord,x\n", layout), "store", "rule") == [("Nord", "")]


@pytest.mark.parametrize(
    ("content", "rule", "says"),
    [
        ("Shop;Article\n", "wrong_header", "it lacks Shop, Article, Week, Pieces, Price (sales)"),
        (HEADER.replace("Price", "Pieces"), "wrong_header", "it names 'Pieces' 2 times"),
        (HEADER.replace("\n", ",Pieces\n"), "wrong_header", "it names 'Pieces' 2 times"),
        ("", "wrong_header", "the header is ''"),
        (HEADER, "no_rows", "the file has no row below its header"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_row_that_says_why(content: str, rule: str, says: str) -> None:
    """It names what is lacking, and what the file has."""
    found = read(content)
    assert cells(found, "file", "line", "rule") == [("sales.csv", 1, rule)]
    assert says in found.frame["detail"].iloc[0]


def test_twin_columns_that_nobody_reads_do_no_harm() -> None:
    """Such as the nameless ones of a spreadsheet."""
    assert cells(read(HEADER.replace("\n", ",,\n") + "a,b,c,1,2,,\n"), "rule") == [("",)]


def test_a_file_has_the_first_layout_whose_columns_it_has() -> None:
    """Sales and plans of one lake have layouts of their own; the error is that of the layout that nearly fits."""
    plans = Layout("plans", {"product": ("Article",), "date": ("Week",), "price": ("Price",)})
    found = read("Article,Week,Price\nx,y,2\n", SALES, plans)
    assert cells(found, "layout", "store", "product", "units") == [(1, "", "x", "")]
    assert "it lacks Price (plans)" in read("Article,Week\n", SALES, plans).frame["detail"].iloc[0]


def test_names_of_files_choose_among_layouts_and_declare_what_columns_do_not() -> None:
    """A store, a week, or a day."""
    daily = Layout("daily", {"units": ("Pieces",), "product": ("Article",)}, files="{store}_{date}.csv", grain="day")
    found = read("Article,Pieces\nx,3\n", replace(SALES, files="week *"), daily, name="Köln_2024-01-04.csv")
    columns = ("layout", "file_week", "file_store", "store", "week_or_date")
    assert cells(found, *columns) == [(1, date(2024, 1, 1), "Köln", "Köln", "2024-01-04")]
    assert cells(read(HEADER, replace(SALES, files="week *")), "rule", "detail") == [
        ("wrong_file_name", "name files week *, as the lake's panel definition says")
    ]


def test_a_number_in_a_files_name_may_have_zeros_before_it() -> None:
    """The juice's files are named store-002."""
    content = b"store,product,week,units,price,deal,feat\n2,1,1992-04-16,3,2.5,0,0\n"
    found = read_rows([("1992-04-16_store-002.csv", content)], ORANGE_JUICE, store_files(ORANGE_JUICE))
    assert cells(found, "file_store") == [("2",)]


def test_the_week_of_a_name_is_known_before_the_file_is_read() -> None:
    """None where the name declares none."""
    layouts = store_files(ORANGE_JUICE)
    assert declared_week("1992-04-21_store-002.csv", layouts, 3) == date(1992, 4, 16)
    assert declared_week("1992-02-30_store-002.csv", layouts, 3) is None
    assert declared_week("anything.csv", [SALES], 0) is None
    assert [fits(name, layouts) for name in ("1992-04-21_store-002.csv", "0992-04-21_store-002.csv")] == [True, False]


def test_ids_of_several_columns_are_joined() -> None:
    """A part that is empty makes no id."""
    layout = replace(SALES, columns={**SALES.columns, "store": ("Country", "Shop")})
    found = read("Country," + HEADER + "DE, Köln ,x,y,1,2\n ,Köln,x,y,1,2\n", layout)
    assert cells(found, "store", "rule", "detail") == [
        ("DE / Köln", "", ""),
        (" / Köln", "missing_value", "Country is empty: write it in every row"),
    ]


def test_empty_ids_are_filled_down_where_the_layout_says_so() -> None:
    """Within the block of the key to their left; never from a totals row, a repeated header or a cut line."""
    layout = replace(SALES, fill_down=True, leave_out={"Shop": ("Total",)}, empty=("-",))
    body = (
        "a,x,1,1,1\n,,2,1,1\n-,y,1,1,1\nTotal,,,3,\nShop,Article,Week,Pieces,Price\n,,2,1,1\ncut\nb,,1,1,1\n,z,1,1,1\n"
    )
    found = read(HEADER + body, layout)
    rows = found.frame[(found.frame["passed_over"] == "") & (found.frame["rule"] == "")]
    assert rows[["line", "store", "product"]].to_numpy().tolist() == [
        [2, "a", "x"], [3, "a", "x"], [4, "a", "y"], [7, "a", "y"], [9, "b", ""], [10, "b", "z"],
    ]  # fmt: skip
    assert read(HEADER + ",x,1,1,1\n", layout).frame["store"].tolist() == [""]


def test_totals_and_repeated_headers_are_passed_over() -> None:
    """And counted, by reason."""
    layout = replace(SALES, leave_out={"Article": ("Total", "Sum")})
    found = read(HEADER + HEADER + "a, Total ,1,1,1\na,Sum,1,1,1\na,x,1,1,1\n", layout)
    assert found.frame["passed_over"].tolist() == ["repeated_header", "left_out", "left_out", ""]


def test_lines_that_are_no_rows_stand_among_the_others() -> None:
    """In the order of the file."""
    assert cells(read(HEADER + "a,x\nb,x,1,2,3\n"), "line", "rule") == [(2, "cut_row"), (3, "")]


def test_ids_of_decimal_columns_are_whole_and_it_is_said() -> None:
    """Pandas makes decimals of whole numbers beside an empty one."""
    content = parquet({**{name: pa.array(["1"]) for name in ("Article", "Week", "Pieces", "Price")}, "Shop": [101.0]})
    found = read(content, name="sales.parquet")
    assert cells(found, "store") == [("101",)]
    assert [note.split(":")[0] for note in found.notes] == ["sales.parquet"]
    assert "the column Shop holds decimal numbers" in found.notes[0]


def test_progress_is_told() -> None:
    """In rows, and a part of a file may be enough."""
    told: list[int] = []
    content = (HEADER + "a,x,1,1,1\n" * 5).encode()
    found = read_rows([("a.csv", content), ("b.csv", content)], SHOPS, [SALES], most_rows=2, progress=told.append)
    assert (len(found.frame), told) == (4, [2, 2])


def test_no_file_gives_no_row() -> None:
    """With all columns nevertheless."""
    found = read_rows([], SHOPS, [SALES]).frame
    pd.testing.assert_index_equal(found.columns, pd.Index(raw_columns(SHOPS)))
    assert found.empty


def test_names_and_attributes_follow_where_a_layout_reads_them() -> None:
    """As texts; lines that cannot be read, and files of other layouts, have none."""
    definition = replace(SHOPS, store_attributes=(Attribute("city", "text", "city"),))
    more = replace(SALES, files="more*", columns={**SALES.columns, "city": ("City",), "product_name": ("Label",)})
    row = "Köln,7,2024-01-01,3,2.5"
    files = {
        "more.csv": f"Shop,Article,Week,Pieces,Price,City,Label\n{row}, NRW,Tea\n{row}\n",
        "plain.csv": HEADER + row + "\n",
    }
    found = read_rows([(name, text.encode()) for name, text in files.items()], definition, [more, SALES])
    assert list(found.frame.columns) == [*raw_columns(definition), "city", "product_name"]
    assert found.frame[["city", "product_name"]].fillna("").to_numpy().tolist() == [[" NRW", "Tea"], ["", ""], ["", ""]]
