"""What each column of a file is."""

import pytest

from forecasting.contracts.errors import DataError
from forecasting.core.column_roles import Reading, Roles, assign_roles
from tests.forecasting.core.sampled import panel, sampled


def roles(text: str, *, is_plan_possible: bool = False) -> Roles:
    return assign_roles(sampled(text), is_plan_possible=is_plan_possible)


def name(reading: Reading | None) -> str:
    return reading.name if reading else ""


def test_date_quantity_and_price_are_found_by_their_names() -> None:
    """Whatever stands beside; the rest is left over."""
    found = roles(
        "Date,AveragePrice,Total Volume,4046,type,year\n"
        "2024-01-07,1.3,64.2,1.1,organic,2024\n2024-01-14,1.2,5,2,organic,2024"
    )
    assert (name(found.date), name(found.units), name(found.price)) == ("Date", "Total Volume", "AveragePrice")
    assert [each.name for each in found.others] == ["4046", "type"]  # the year repeats the date


def test_row_numbers_and_parts_of_the_date_are_nothing() -> None:
    """They rise by one, row by row."""
    found = roles(
        "id,date,DayOfWeek,store,sold\n" + "\n".join(f"{n},2024-01-{n + 1:02d},{n % 7},x,3" for n in range(20))
    )
    assert [each.name for each in found.others] == ["store"]


def test_sales_beside_units_are_revenue() -> None:
    """Alone they are the quantity, and may be money."""
    beside = roles("date,Sales,Quantity\n2024-01-01,10.5,3\n2024-01-02,7.5,2")
    assert (name(beside.units), name(beside.revenue)) == ("Quantity", "Sales")
    alone = roles("date,Sales\n2024-01-01,10.5\n2024-01-02,7.5")
    assert name(alone.units) == "Sales"
    assert any("`Sales` may be money" in doubt for doubt in alone.doubts)


def test_a_total_price_is_revenue_only_where_it_moves_with_the_units() -> None:
    """Else it is the price with all that belongs to it."""
    price = roles("date,total_price,units\n" + "\n".join(f"2024-01-0{n},9.9{n},{10 * n}" for n in range(1, 8)))
    assert name(price.price) == "total_price"
    revenue = roles("date,total_price,units\n" + "\n".join(f"2024-01-0{n},{n * 99},{10 * n}" for n in range(1, 8)))
    assert name(revenue.revenue) == "total_price"


def test_the_price_that_was_paid_is_taken() -> None:
    """The other is named."""
    found = roles("date,base_price,sell_price,units\n2024-01-01,3.5,2.5,10\n2024-01-02,3.5,3.1,12")
    assert name(found.price) == "sell_price"
    assert any("other prices are in `base_price`" in doubt for doubt in found.doubts)


def test_a_quantity_without_a_name_is_taken_for_its_values() -> None:
    """Only where no other file can have it; whole numbers before decimals."""
    text = "x1,x2,date\n" + "\n".join(f"{n}.55,{n * 3},2024-01-{n + 1:02d}" for n in range(1, 25))
    assert name(roles(text).units) == "x2"
    assert any("No column is named as a quantity" in doubt for doubt in roles(text).doubts)
    assert roles(text, is_plan_possible=True).units is None


def test_values_that_are_no_plain_numbers_are_named() -> None:
    """A price with a sign is not used."""
    found = roles("date,price,units\n2024-01-01,$2.50,3\n2024-01-02,$3.50,4")
    assert found.price is None
    assert "`price` is not used: its values, such as `$2.50`, are no plain numbers" in found.doubts[0]


def test_flags_are_read_in_any_writing() -> None:
    """TRUE and FALSE, yes and no, 0 and 1; NA is none."""
    found = roles(
        "date,units,a,b,c,d\n2024-01-01,3,TRUE,no,1,x\n2024-01-02,4,FALSE,yes,0,NA\n2024-01-03,5,FALSE,NA,0,y"
    )
    flags = {each.name: each.is_flag for each in found.others}
    assert flags == {"a": True, "b": True, "c": True, "d": False}
    b = next(each for each in found.others if each.name == "b")
    assert list(b.values()[:2]) == [0, 1]
    assert b.lacking == 1


def test_merged_cells_are_filled() -> None:
    """Where a key stands in the first row of each block only; one empty key is an error of the sender."""
    rows = panel(days=6).splitlines()
    merged = [
        rows[0],
        *(
            row if at % 12 == 0 else row.replace("1,", ",", 1) if row[0] == "1" else "," + row[2:]
            for at, row in enumerate(rows[1:])
        ),
    ]
    found = roles("\n".join(merged))
    assert found.fill_down
    assert "as merged cells are" in found.doubts[-1]
    assert next(each for each in found.others if each.name == "store").column.empty == 0
    assert not roles("\n".join([*rows[:-1], rows[-1][1:]])).fill_down


def test_receipts_are_told() -> None:
    """They say that rows are lines of receipts."""
    assert roles("InvoiceNo,date,sku,qty\n17,2024-01-01,a,3\n17,2024-01-01,b,4").has_receipts


def test_a_file_without_rows_is_refused() -> None:
    """One sentence."""
    from dataclasses import replace

    empty = replace(sampled("date,units\n2024-01-01,3"), rows_of=(0,))
    with pytest.raises(DataError, match=r"sales.csv has a header and no rows"):
        assign_roles(empty, is_plan_possible=False)
