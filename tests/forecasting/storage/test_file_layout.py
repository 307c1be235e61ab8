"""The layout of a file."""

from datetime import date

import pytest

from forecasting.contracts.layout import Layout, store_files
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.storage.file_layout import choose_layout, clean_name, match_layouts, used_columns
from forecasting.storage.formats import UnreadableFileError

SALES = Layout("sales", {"store": ("Shop",), "date": ("Week",), "units": ("Pieces",)}, leave_out={"Kind": ("Total",)})
PLANS = Layout("plans", {"date": ("Week",), "store": ("Shop",)})


def test_a_name_declares_week_and_store() -> None:
    """A day that no calendar has is none."""
    week, day = match_layouts("1992-04-21_store-002.csv", store_files(ORANGE_JUICE))
    assert (week.place, week.declared, week.week(3)) == (0, {"week": "1992-04-21", "store": "002"}, date(1992, 4, 16))
    assert (day.place, day.day) == (1, date(1992, 4, 21))
    assert match_layouts("1992-02-30_store-002.csv", store_files(ORANGE_JUICE)) == []


def test_all_columns_that_a_layout_uses_are_needed() -> None:
    """Also the one by which totals are known."""
    assert used_columns(SALES) == ["Shop", "Week", "Pieces", "Kind"]
    assert clean_name(" Re\u0301gion\ufeff".removesuffix("\ufeff")) == "Région"


@pytest.mark.parametrize(
    ("header", "place"), [("Pieces,Kind,Week,Shop", 0), ("Shop,Week", 1), (" Shop ,Week,Week 2", 1)]
)
def test_the_first_layout_whose_columns_the_file_has_is_taken(header: str, place: int) -> None:
    """In any order, with others beside them."""
    content = header.encode()
    match, names = choose_layout("a.csv", content, match_layouts("a.csv", [SALES, PLANS]))
    assert match.place == place
    assert names["Shop"] in header.split(",")


def test_what_is_lacking_is_said_of_the_layout_that_nearly_fits() -> None:
    """A file of sales without its quantity lacks one column of one layout."""
    for header, says in (("Shop,Pieces,Kind", "lacks Week (sales)"), ("Shop,Week,Week", "names 'Week' 2 times")):
        with pytest.raises(UnreadableFileError) as error:
            choose_layout("a.csv", header.encode(), match_layouts("a.csv", [SALES, PLANS]))
        assert says in error.value.fault.detail
