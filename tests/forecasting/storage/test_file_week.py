"""A file whose name declares no week counts for the last week of which it has units."""

from dataclasses import replace
from datetime import date

import pytest

from forecasting.contracts.layout import Layout
from forecasting.storage.file_week import last_week
from tests.forecasting.retailer import SHOPS

TODAY = date(2024, 6, 12)
SALES = Layout(
    "sales",
    {"store": ("Shop",), "product": ("Article",), "date": ("Day",), "units": ("Pieces",), "price": ("Price",)},
    date_format="%d.%m.%Y",
    delimiter=";",
    grain="day",
    empty=("-",),
    leave_out={"Shop": ("Total",)},
)
PLANS = replace(SALES, name="plans", columns={name: SALES.columns[name] for name in ("store", "product", "date")})
HEADER = "Shop;Article;Day;Pieces;Price\n"


def week_of(text: str, *layouts: Layout) -> date | None:
    return last_week("sales.csv", text.encode(), SHOPS, layouts or [SALES], TODAY)


@pytest.mark.parametrize(
    ("rows", "week"),
    [
        ("a;x;05.06.2024;3;1\n", date(2024, 6, 3)),
        ("a;x;29.05.2024;3;1\na;x;08.06.2024;3;1\na;x;01.05.2024;3;1\n", date(2024, 6, 3)),
        # Plans of the weeks ahead have no units.
        ("a;x;05.06.2024; 3 ;1\na;x;12.06.2024;;1\na;x;19.06.2024;-;1\n", date(2024, 6, 3)),
        # This week has begun, a later one has not.
        ("a;x;05.06.2024;3;1\na;x;15.06.2024;3;1\na;x;12.06.2042;3;1\n", date(2024, 6, 10)),
        # A totals row, a date that is none, and a cut row are none of its weeks.
        ("a;x;05.06.2024;3;1\nTotal;x;12.06.2024;3;1\na;x;12/06/2024;3;1\na;x;12.06.2024\n", date(2024, 6, 3)),
        # Days end on Thursday, and those of the week before on Sunday.
        ("a;x;02.06.2024;3;1\na;x;06.06.2024;3;1\n", date(2024, 5, 27)),
        ("a;x;05.06.2024;;1\n", None),
        ("", None),
    ],
)
def test_the_last_week_with_units_counts(rows: str, week: date | None) -> None:
    """Of the weeks that have begun; its other rows are looked at when it is taken in."""
    assert week_of(HEADER + rows) == week


def test_a_file_of_plans_has_no_week() -> None:
    """No column of it holds units; nor has one whose header no layout knows."""
    assert week_of("Shop;Article;Day\na;x;05.06.2024\n", SALES, PLANS) is None
    assert week_of("Something;else\n1;2\n", SALES, PLANS) is None


def test_a_file_has_the_layout_of_all_its_columns() -> None:
    """A layout of plans, whose few columns a file of sales has too, may come first."""
    prices = replace(PLANS, columns={**PLANS.columns, "price": ("Cost",)})
    text = HEADER + "a;x;05.06.2024;3;1\n"
    assert week_of(text, prices, SALES) == date(2024, 6, 3)
