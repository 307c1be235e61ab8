"""Patterns of names, and what names declare."""

from datetime import date

import pytest

from forecasting.contracts.layout import Layout
from forecasting.core.file_names import declared_by_names, pattern_of


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("avocado.csv", "*.csv"),
        ("sales_2024-01-05.csv", "sales_*.csv"),
        ("sales_20240105.xlsx", "sales_*.xlsx"),
        ("2024W05 sales.csv", "* sales.csv"),
        ("umsatz_KW12.csv", "umsatz_*.csv"),
        ("week 7.csv", "*.csv"),
        ("i09_merged.csv", "*.csv"),
    ],
)
def test_next_weeks_file_fits(name: str, pattern: str) -> None:
    """Dates and weeks of a name will be others."""
    assert pattern_of([name]) == pattern
    assert Layout("x", {"date": ("date",)}, files=pattern).match(name) is not None


def test_names_with_nothing_in_common() -> None:
    """Any file of that ending."""
    assert pattern_of(["north_2024.csv", "south_2024.csv"]) == "*.csv"
    assert pattern_of(["a.csv", "b.txt"]) == "*"


def test_names_declare_days_and_stores() -> None:
    """Where every name does; the pattern finds them again."""
    names = ["sales_store001_2023-01-02.csv", "sales_store002_2023-01-09.csv"]
    declared = declared_by_names(names)
    assert declared.days == (date(2023, 1, 2), date(2023, 1, 9))
    assert declared.stores == ("001", "002")
    pattern = pattern_of(names, day="week", has_store=True)
    assert pattern == "sales_store{store}_{week}.csv"
    assert Layout("x", {}, files=pattern).match(names[1]) == {"store": "002", "week": "2023-01-09"}
    assert pattern_of(["2024-01-05_store-2.csv"], day="date", has_store=True) == "{date}_store-{store}.csv"


@pytest.mark.parametrize(
    "names", [["a.csv", "b.csv"], ["store_1.csv"], ["store_2024-01-05.csv", "store_2024-01-12.csv"]]
)
def test_names_that_declare_no_store(names: list[str]) -> None:
    """One file, or a date behind the word."""
    assert declared_by_names(names).stores == ()


def test_an_impossible_day_is_none() -> None:
    """The 30th of February."""
    assert declared_by_names(["sales_2024-02-30.csv"]).days == ()
