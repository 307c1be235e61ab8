"""Names and attributes of stores and products, as rows of sales state them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from random import Random

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.layout import Layout
from forecasting.contracts.panel_definition import Attribute
from forecasting.core.collected import CollectedFrames
from forecasting.core.validation import Validated, validate
from tests.forecasting.retailer import COLUMNS, SHOPS, history, rows_of

DESCRIBED = replace(
    SHOPS,
    category="family",
    store_attributes=(Attribute("size", "decimal", "square metres"),),
    product_attributes=(Attribute("family", "text", "family"), Attribute("grams", "whole", "grams")),
)
MORE = {"store_name": ("place",), "size": ("size",), "product_name": ("label",), "family": ("fam", "sub")}
WEEKS = Layout("weeks", {**COLUMNS, **MORE, "grams": ("grams",)}, delimiter=";", decimal=",", empty=("NA",))
HEADER = "shop;article;day;pieces;price;place;size;label;fam;sub;grams\n"
NOTHING = schemas.sales(DESCRIBED).empty()
UNKNOWN = {"stores": schemas.stores(DESCRIBED).empty(), "products": schemas.products(DESCRIBED).empty()}


def taken(
    lines: str, collected: pd.DataFrame = NOTHING, known: Mapping[str, pd.DataFrame] = UNKNOWN, layout: Layout = WEEKS
) -> Validated:
    rows = rows_of({"sales.csv": HEADER + lines}, DESCRIBED, [layout]).frame
    found = validate(
        rows, collected=CollectedFrames(collected, DESCRIBED), definition=DESCRIBED, layouts=[layout], **known
    )
    assert len(found.quarantined) == 0
    return found


def line(day: str, more: str, *, shop: str = "a", article: str = "x") -> str:
    return f"{shop};{article};{day};3;2,5;{more}\n"


def said(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    """The rows; what is unknown is None."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [tuple(row) for row in plain.itertuples(index=False)]


def test_values_are_typed_and_trimmed() -> None:
    """By the layout's decimal mark; a text is in the form NFC; several columns are one text."""
    found = taken(line("2024-01-01", " Köln ;120,5;Cafe\u0301;Coffee;Beans;500"))
    assert said(found.attributes["store"]) == [("a", "Köln", 120.5)]
    assert said(found.attributes["product"]) == [("x", "Caf\u00e9", "Coffee Beans", 500)]
    assert list(found.attributes["product"].columns) == ["product", "name", "family", "grams"]
    assert found.notes == ()


def test_the_latest_row_counts() -> None:
    """Wherever it stands in the file; an empty value changes nothing; ids with several values are noted."""
    found = taken(
        line("2024-01-15", "New;2;L;F;;1") + line("2024-01-01", "Old;1;L;F;;1") + line("2024-01-22", ";;L;F;;1")
    )
    assert said(found.attributes["store"]) == [("a", "New", 2.0)]
    assert found.notes == (
        "store_name has several values for shop a: that of the latest row counts",
        "size has several values for shop a: that of the latest row counts",
    )


def test_what_cannot_be_read_is_unknown_and_no_row_is_set_aside() -> None:
    """Empty, what the layout calls empty, no number, a control character, a number too large: each said once."""
    found = taken(
        line("2024-01-01", "NA;wide;L\x07;F;;1,5")
        + line("2024-01-01", ";wide;M;F;;5000000000", article="y")
        + line("2024-01-01", ";wide;;F;;", article="z")
    )
    assert found.accepted == 3
    assert found.attributes["store"].empty
    assert said(found.attributes["product"]) == [("x", None, "F", None), ("y", "M", "F", None), ("z", None, "F", None)]
    assert found.notes == (
        "store_name is unknown for shop a: no row has it",
        "size is unknown in 3 rows: 'wide' is no number",
        "size is unknown for shop a: no row has it",
        "product_name is unknown in 1 row: 'L\\x07' is no text of 200 characters without line breaks",
        "product_name is unknown for 2 articles, such as x: no row has it",
        "grams is unknown in 2 rows: '1,5' is no whole number",
        "grams is unknown for 3 articles, such as x: no row has it",
    )


def test_rows_of_earlier_weeks_add_what_is_not_known_and_change_nothing() -> None:
    """A name that is the id itself is not known."""
    known = {
        "stores": schemas.stores(DESCRIBED).cast(pd.DataFrame({"store": ["a"], "name": ["a"], "size": [7.0]})),
        "products": schemas.products(DESCRIBED).cast(
            pd.DataFrame({"product": ["x"], "name": ["X"], "family": [None], "grams": [5]})
        ),
    }
    collected = history(DESCRIBED, ("a", "x", "2024-01-08", 3))
    earlier = taken(line("2024-01-01", "Place;1;Old;F;;1"), collected, known).attributes
    assert said(earlier["store"]) == [("a", "Place", None)]
    assert said(earlier["product"]) == [("x", None, "F", None)]
    later = taken(line("2024-01-15", "Place;1;New;F;;1"), collected, known).attributes
    assert said(later["store"]) == [("a", "Place", 1.0)]
    assert said(later["product"]) == [("x", "New", "F", 1)]


def test_a_layout_that_reads_none_says_nothing() -> None:
    """Neither do files without rows."""
    found = taken(line("2024-01-01", "P;1;L;F;;1"), layout=Layout("weeks", COLUMNS, delimiter=";", decimal=","))
    assert (len(found.attributes["store"]), len(found.attributes["product"]), found.notes) == (0, 0, ())
    empty = rows_of({}, DESCRIBED, [WEEKS]).frame
    nothing = validate(
        empty, collected=CollectedFrames(NOTHING, DESCRIBED), definition=DESCRIBED, layouts=[WEEKS], **UNKNOWN
    )
    assert (len(nothing.attributes["store"]), nothing.notes) == (0, ())


@given(st.dictionaries(st.integers(0, 20), st.sampled_from(["", "A", "B", "C"]), min_size=1, max_size=8), st.randoms())
@settings(max_examples=20, deadline=None)
def test_the_value_is_that_of_the_last_week_that_has_one(told: dict[int, str], chance: Random) -> None:
    """In whatever order rows come; without one nothing is said."""
    lines = [line(str(date(2024, 1, 1) + WEEK * number), f";;{text};;;") for number, text in told.items()]
    chance.shuffle(lines)
    stated = [text for _, text in sorted(told.items()) if text]
    names = taken("".join(lines)).attributes["product"][["product", "name"]]
    assert said(names) == [("x", each) for each in stated[-1:]]
