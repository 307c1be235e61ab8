"""Layouts: names of files, and what no layout may be."""

import json
from dataclasses import replace

import pytest

from forecasting.contracts.errors import DataError
from forecasting.contracts.layout import Layout
from forecasting.contracts.orange_juice import LAYOUTS
from forecasting.contracts.panel_definition import ORANGE_JUICE

TILL = Layout("till", {"store": ("shop",), "date": ("day",), "units": ("sold",)}, leave_out={"shop": ("Total",)})


@pytest.mark.parametrize(
    ("files", "name", "found"),
    [
        ("*", "anything at all.csv", {}),
        ("sales*.csv", "sales 2024.csv", {}),
        ("sales*.csv", "plans 2024.csv", None),
        ("{week}_store-{store}.*", "1992-04-16_store-002.csv", {"week": "1992-04-16", "store": "002"}),
        ("{date}_{store}.csv", "2024-01-05_São Paulo (1).csv", {"date": "2024-01-05", "store": "São Paulo (1)"}),
        ("{week}.csv", "last week.csv", None),
        ("a+b(1).csv", "a+b(1).csv", {}),
        ("a+b(1).csv", "aab1.csv", None),
    ],
)
def test_a_name_declares_what_the_pattern_says(files: str, name: str, found: dict[str, str] | None) -> None:
    """Characters with a meaning in regular expressions stand for themselves."""
    assert replace(TILL, files=files).match(name) == found


def test_a_layout_is_rebuilt_from_plain_values() -> None:
    """All of it."""
    for layout in (*LAYOUTS, TILL):
        assert Layout.from_dict(json.loads(json.dumps(layout.as_dict()))) == layout


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"columns": {"store": ("shop",)}}, "no column for the date"),
        ({"grain": "month"}, "grain='month'"),
        ({"header_line": 0}, "header_line=0"),
        ({"colour": "red"}, "cannot be read"),
        ({"columns": None}, "cannot be read"),
    ],
)
def test_what_is_no_layout_is_one_sentence(change: dict[str, object], problem: str) -> None:
    """It names the layout or the file."""
    with pytest.raises(DataError, match=problem):
        Layout.from_dict({**TILL.as_dict(), **change})


def test_columns_are_those_of_the_definition() -> None:
    """A column for a covariate that is not declared would be ignored in silence."""
    for layout in LAYOUTS:
        layout.require(ORANGE_JUICE)
    with pytest.raises(DataError, match="a column for 'weather'"):
        replace(TILL, columns={**TILL.columns, "weather": ("rain",)}).require(ORANGE_JUICE)
    for own in ("store_name", "product_name", "income", "ounces"):
        replace(LAYOUTS[0], columns={**LAYOUTS[0].columns, own: ("x",)}).require(ORANGE_JUICE)
