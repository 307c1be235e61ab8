"""Numbers are read as their layout writes them, never as other numbers."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.core.numbers import parse_numbers


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "expected"),
    [
        ("2.14", ".", "", 2.14),
        ("-3", ".", "", -3.0),
        ("1e3", ".", "", 1000.0),
        ("2,14", ",", "", 2.14),
        ("1,234", ".", ",", 1234.0),
        ("1,234,567.5", ".", ",", 1234567.5),
        ("1.234,5", ",", ".", 1234.5),
        ("1234,5", ",", ".", 1234.5),
        ("1 234", ",", " ", 1234.0),
        ("1\u202f234\u00a0567,5", ",", " ", 1234567.5),
        ("1'234.5", ".", "'", 1234.5),
        ("9007199254740992", ".", "", 2.0**53),
    ],
)
def test_a_number_is_read_as_declared(text: str, decimal: str, thousands: str, expected: float) -> None:
    """With the declared marks, and any space where the mark is a space."""
    found = parse_numbers(pd.Series([text]), is_whole=False, decimal=decimal, thousands=thousands)
    assert (found.numbers.tolist(), found.rules.tolist()) == ([expected], [""])


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "rule"),
    [
        *((text, ".", "", "not_a_number") for text in ("1,234", "2,14", "1.234.5", ".5", "1.", "$2", "(3)", "3-", "٣")),
        *((text, ".", "", "not_a_number") for text in (" 3", "+3", "02", "0x1", "1_000", "5 pcs", "12%", "3\n")),
        *((text, ".", ",", "not_a_number") for text in ("12,34", "1,2345", "1234,567", "1,234,", ",234", "0,234")),
        *((text, ",", ".", "not_a_number") for text in ("2.14", "1.23", "1,234.5")),
        *((text, ".", "", "infinite") for text in ("inf", "-Infinity")),
        *((text, ".", "", "missing_value") for text in ("NaN", "NA", "null")),
        *((text, ".", "", "out_of_range") for text in ("1e20", "9223372036854775808", "-1e300", "1e999")),
    ],
)
def test_what_is_written_otherwise_breaks_a_rule(text: str, decimal: str, thousands: str, rule: str) -> None:
    """It is not another number."""
    found = parse_numbers(pd.Series([text]), is_whole=False, decimal=decimal, thousands=thousands)
    assert found.rules.tolist() == [rule]
    assert math.isnan(found.numbers[0])


def test_whole_numbers_have_no_fraction() -> None:
    """Not even one of 0; and beyond 2 to the 53rd a number is not exact."""
    found = parse_numbers(pd.Series(["12", "12.0", "1e1", "1e20", ""]), is_whole=True)
    assert found.rules.tolist() == ["", "not_a_number", "not_a_number", "out_of_range", ""]
    assert found.numbers[0] == 12


@given(st.integers(-(2**53), 2**53), st.sampled_from([",", "'", " "]))
def test_a_number_with_separators_is_read_back(number: int, thousands: str) -> None:
    """With all of them, or none."""
    texts = pd.Series([f"{number:,}".replace(",", thousands), str(number)])
    assert parse_numbers(texts, is_whole=True, thousands=thousands).numbers.tolist() == [number, number]
