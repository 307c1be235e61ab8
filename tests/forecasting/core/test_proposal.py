"""The proposal for whole files: shapes of public panels, and kinds of files that mislead."""

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts.errors import DataError
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.core.dialect import Dialect
from forecasting.core.proposal import Proposal, propose
from forecasting.core.sampled_file import SampledFile
from tests.forecasting.core.sampled import column, panel, sampled


def proposed(*texts: str) -> Proposal:
    return propose([sampled(text, f"file{at}.csv") for at, text in enumerate(texts)])


def test_weekly_sales_by_region_and_type() -> None:
    """As the avocado board publishes them: totals beside parts, parts of the quantity, Sundays, decimals."""
    rows = [
        f"{index},2024-01-{7 + 7 * week:02d},1.{week}3,{(week + 2) * size}.25,3.5,{size}.5,{kind},2024,{region}"
        for kind in ("organic", "conventional")
        for region, size in (("Albany", 3), ("Boston", 5), ("TotalUS", 8))
        for index, week in enumerate(range(4))
    ]
    found = proposed("\n".join(["unnamed,Date,AveragePrice,Total Volume,4046,Total Bags,type,year,region", *rows]))
    definition, layout = found.definition, found.layouts[0]
    assert layout.columns == {
        "store": ("region",),
        "product": ("type",),
        "date": ("Date",),
        "units": ("Total Volume",),
        "price": ("AveragePrice",),
    }
    assert layout.leave_out == {"region": ("TotalUS",)}
    assert (layout.grain, definition.week_starts_on, definition.whole_units) == ("week", 6, False)
    assert (definition.store.word, definition.store.words, definition.product.word) == ("region", "regions", "type")
    assert any("`4046`, `Total Bags`" in doubt for doubt in found.doubts)


def test_sales_and_plans_in_files_of_their_own() -> None:
    """As a chain publishes them: plans by store and week reach past the sales, with NA."""
    sales = panel(
        header="Store,Dept,Date,Weekly_Sales,IsHoliday", start="2024-01-05", more=".5,FALSE", products=("1", "2")
    )
    sales = sales.replace("10.5,FALSE", "-3.5,TRUE")
    weeks = [line.split(",")[2] for line in panel(start="2024-01-05", days=26).splitlines()[1:27]]
    plans = ["Store,Date,Temperature,MarkDown1,CPI,IsHoliday"]
    plans += [
        f"{store},{week},{at}.5,{'NA' if at < 9 else at},{'NA' if at > 22 else 211.1},{'TRUE' if at == 7 else 'FALSE'}"
        for store in (1, 2)
        for at, week in enumerate(weeks)
    ]
    found = proposed(sales, "\n".join(plans))
    by_name = {each.name: each for each in found.layouts}
    assert found.layouts[0].name == "file1"  # the one with more columns: a file has the first whose columns it has
    assert by_name["file1"].columns["store"] == ("Store",)
    assert "product" not in by_name["file1"].columns
    assert by_name["file1"].empty == ("NA",)
    assert {each.name: (each.role, each.empty) for each in found.definition.covariates} == {
        "is_holiday": ("flag", "quarantine"),
        "temperature": ("number", "quarantine"),
        "mark_down1": ("number", "zero"),
        "cpi": ("number", "unknown"),
    }
    assert (found.definition.store.id, found.definition.product.word) == ("number", "department")
    assert found.definition.week_starts_on == 4
    assert found.definition.negative_units
    assert any("12 of 80 rows have less than 0 units: weeks may be below 0" in doubt for doubt in found.doubts)


def test_daily_sales_with_two_columns_of_a_key() -> None:
    """As a contest publishes them: missing quantities, weeks that the last day closes."""
    lines = ["id,date,country,store,product,num_sold"]
    for country in ("Kenya", "Spain"):
        for row in panel(step=1, days=30, stores=("K Mart", "Discount")).splitlines()[1:]:
            store, product, day, units = row.split(",")
            lines.append(f"{len(lines)},{day},{country},{store},{product},{'' if units == '12' else units}")
    found = proposed("\n".join(lines))
    assert found.layouts[0].columns["store"] == ("country", "store")
    assert found.layouts[0].grain == "day"
    assert found.definition.week_starts_on == 2  # 30 January 2024 is a Tuesday
    assert found.definition.empty_units == "unknown"
    assert found.definition.unsold == "written"
    assert any("of past dates have no units" in doubt for doubt in found.doubts)


def test_lines_of_receipts() -> None:
    """As a shop exports them: times, returns, products that are descriptions."""
    lines = ["InvoiceNo,Description,Quantity,InvoiceDate,UnitPrice,Customer ID,Country"]
    for row in panel(step=1, days=30, stores=("United Kingdom", "EIRE"), products=("MUG ", "LAMP")).splitlines()[1:]:
        country, product, day, units = row.split(",")
        for hour in (8, 9):
            lines.append(f"5{len(lines)},{product},{units if hour == 8 else -1},{day} 0{hour}:26:00,2.5,17,{country}")
    found = proposed("\n".join(lines))
    assert found.layouts[0].grain == "transaction"
    assert found.layouts[0].columns["product"] == ("Description",)
    assert found.layouts[0].columns["store"] == ("Country",)
    assert found.definition.unsold == "left_out"
    assert any("they are netted with the sales of their week" in doubt for doubt in found.doubts)
    assert any("blanks around 120 ids" in doubt for doubt in found.doubts)
    assert not any("Customer" in doubt or "Invoice" in doubt for doubt in found.doubts)


def test_ids_keep_their_leading_zeros() -> None:
    """They are texts; a total that is left out makes no text of numbers."""
    assert proposed(panel(stores=("007", "12"))).definition.store.id == "text"
    assert proposed(panel(stores=("7", "12", "Grand Total"))).definition.store.id == "number"


def test_whole_units_may_be_written_with_decimals() -> None:
    """As pandas writes them where one is missing: they are read as what is written."""
    found = proposed(panel(more=".0"))
    assert not found.definition.whole_units
    assert "`units` is whole and written as `10.0`: units have decimals (whole_units)" in found.doubts
    assert proposed(panel()).definition.whole_units


def test_a_price_is_revenue_by_units() -> None:
    """Where no column has it."""
    found = proposed(panel(header="store,product,date,units,revenue", more=",99.5"))
    assert found.layouts[0].columns["revenue"] == ("revenue",)
    assert [each.role for each in found.definition.covariates] == ["price"]


def test_files_without_dates_beside_the_sales_are_not_used() -> None:
    """Such as a table of stores; it is said."""
    found = proposed("store,type,size\n1,A,100\n2,B,200", panel())
    assert [each.name for each in found.layouts] == ["file1"]
    assert found.doubts[0] == "file0.csv is not used: file0.csv has no column of dates among `store`, `type`, `size`"


def test_the_same_files_give_the_same_proposal() -> None:
    """Nothing depends on chance."""
    assert proposed(panel()) == proposed(panel())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("store,date\nx,2024-01-01\ny,2024-01-08", "file0.csv has no column of numbers sold among `store`, `date`"),
        (
            "store,date,units\nx,2024-01-01,\ny,2024-01-08,",
            "No row of file0.csv has a quantity: its column `units` is empty",
        ),
        ("store,date,units\nx,north,3\ny,south,4", "file0.csv has no column of dates among"),
        (panel(step=91), "dates of file0.csv lie 91 days apart"),
    ],
)
def test_what_cannot_be_understood_ends_in_one_sentence(text: str, sentence: str) -> None:
    """It names what is missing, and where it was looked for."""
    with pytest.raises(DataError, match=re.escape(sentence)):
        proposed(text)


CELLS = st.sampled_from(
    [
        "",
        "0",
        "1",
        "12",
        "3.5",
        "1,234.5",
        "2024-01-01",
        "2024-01-08",
        "03/04/2024",
        "2024-W05",
        "TRUE",
        "Total",
        "NA",
        "é",
    ]
)
HEADERS = st.lists(
    st.sampled_from(["store", "product", "date", "week", "units", "price", "revenue", "promo", "id", "x", "year", ""]),
    min_size=1,
    max_size=6,
    unique=True,
)


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_any_table_gives_a_proposal_that_can_be_written_or_one_sentence(data: st.DataObject) -> None:
    """Never a traceback, and nothing that the file of the lake cannot hold."""
    header = data.draw(HEADERS)
    rows = data.draw(st.lists(st.lists(CELLS, min_size=len(header), max_size=len(header)), min_size=1, max_size=8))
    columns = tuple(column(name, [row[at] for row in rows]) for at, name in enumerate(header))
    with suppress(DataError):
        found = propose([SampledFile(("x.csv",), (len(rows),), Dialect(tuple(header)), columns)])
        for layout in found.layouts:
            layout.require(found.definition)
        assert PanelDefinition.from_dict(found.definition.as_dict()) == found.definition


def test_names_and_a_category_are_read_from_the_sales() -> None:
    """And are part of a definition that can be written."""
    rows = panel(products=tuple("abcdef")).splitlines()
    lines = [f"{row},Tea {row.split(',')[1]},{'hot' if row.split(',')[1] < 'd' else 'cold'}" for row in rows[1:]]
    found = proposed("\n".join(["store,sku,date,units,description,category", *lines]))
    layout, definition = found.layouts[0], found.definition
    assert (layout.columns["product_name"], layout.columns["category"]) == (("description",), ("category",))
    assert (definition.category, [each.name for each in definition.product_attributes]) == ("category", ["category"])
    layout.require(definition)
    assert any("`category` is the category" in doubt for doubt in found.doubts)
