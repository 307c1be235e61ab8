"""Ids stay as the retailer writes them, but for what nobody sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts.panel_definition import Id
from forecasting.core.ids import MOST_CHARACTERS, ParsedId, parse_id


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("007", ParsedId("007")),
        ("101.0", ParsedId("101.0")),
        ("=1+1", ParsedId("=1+1")),
        ("../etc", ParsedId("../etc")),
        ("NA", ParsedId("NA")),
        ("نان", ParsedId("نان")),
        ("👩‍🌾", ParsedId("👩‍🌾")),
        ("101 ", ParsedId("101", is_trimmed=True)),
        ("\u00a0\ufeff101\t", ParsedId("101", is_trimmed=True)),
        ("Cafe\u0301", ParsedId("Café", is_composed=True)),
        ("x" * MOST_CHARACTERS, ParsedId("x" * MOST_CHARACTERS)),
    ],
)
def test_a_text_is_its_id(text: str, expected: ParsedId) -> None:
    """Spaces around it are left out, and one Unicode form is chosen; both are said."""
    assert parse_id(text, "text") == expected


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "missing_value"),
        (" \u200b", "missing_value"),
        ("-", "missing_value"),
        ("a\nb", "control_character"),
        ("a\0", "control_character"),
        ("a\u2028b", "control_character"),
        ("a\u202eb", "control_character"),
        ("x" * (MOST_CHARACTERS + 1), "too_long"),
    ],
)
def test_what_can_be_no_id_breaks_a_rule(text: str, rule: str) -> None:
    """Empty, with a control character or a mark that turns the text around it, or too long."""
    assert parse_id(text, "text", empty=("-",)) == ParsedId(None, rule)


@pytest.mark.parametrize(
    ("text", "value", "rule"),
    [
        ("7", 7, ""),
        (" 7", 7, ""),
        ("9223372036854775807", 2**63 - 1, ""),
        ("9223372036854775808", None, "out_of_range"),
        ("1" * 5000, None, "too_long"),
        ("007", None, "not_a_number"),
        ("2.0", None, "not_a_number"),
        ("-1", None, "negative"),
        ("NA", None, "missing_value"),
        ("inf", None, "infinite"),
    ],
)
def test_a_number_is_whole_and_has_no_zeros_before_it(text: str, value: Id | None, rule: str) -> None:
    """007 and 7 would be one id."""
    found = parse_id(text, "number")
    assert (found.value, found.rule) == (value, rule)


@given(st.text(max_size=20))
def test_an_id_is_its_own_id(text: str) -> None:
    """Written again as it was read, it is the same."""
    found = parse_id(text, "text")
    if found.value is not None:
        assert parse_id(str(found.value), "text") == ParsedId(found.value)
