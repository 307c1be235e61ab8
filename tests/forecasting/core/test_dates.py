"""Dates are read as declared, or not at all."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts.errors import DataError
from forecasting.core.dates import FIRST_YEAR, LAST_YEAR, parse_dates, write_date

CHICAGO = "America/Chicago"


@pytest.mark.parametrize(
    ("text", "date_format", "expected"),
    [
        ("2023-01-02", "iso", "2023-01-02"),
        ("2023-01-02 23:59:59.999999999", "iso", "2023-01-02"),
        ("2023-01-02T23:30", "iso", "2023-01-02"),
        ("2023-01-02T00:00:00Z", "iso", "2023-01-01"),
        ("2023-01-02 12:00:00 +00:00", "iso", "2023-01-02"),
        ("2023-01-02T23:00:00-0600", "iso", "2023-01-02"),
        ("2020-W53", "iso_week", "2020-12-28"),
        ("2024W01", "iso_week", "2024-01-01"),
        ("44928", "excel", "2023-01-02"),
        ("44928.75", "excel", "2023-01-02"),
        ("02.01.2023", "%d.%m.%Y", "2023-01-02"),
        ("12/1/2010 8:26", "%m/%d/%Y %H:%M", "2010-12-01"),
        ("20230102", "%Y%m%d", "2023-01-02"),
        ("2023-01-02 03:00 +0000", "%Y-%m-%d %H:%M %z", "2023-01-01"),
    ],
)
def test_a_date_is_read_as_declared(text: str, date_format: str, expected: str) -> None:
    """A moment with a zone has the date of the panel's time zone."""
    assert parse_dates(pd.Series([text]), date_format, CHICAGO).tolist() == [pd.Timestamp(expected)]


@pytest.mark.parametrize(
    ("text", "date_format"),
    [
        *((text, "iso") for text in ("", "2023-1-2", "20230102", "2023-W01-1", "2023-02-30", "2023-01-02T25:00")),
        *((text, "iso") for text in ("now", "today", "NaT", "1899-12-31", "2201-01-01", "9999-12-31T23:59Z")),
        *((text, "iso_week") for text in ("2024-W53", "2023-W00", "2023-W1", "2023-01-02")),
        *((text, "excel") for text in ("2023-01-02", "-1", "1e5", "inf", "0", "999999")),
        *((text, "%d.%m.%Y") for text in ("2023-01-02", "31.02.2023", "now", "today", "02.01.23")),
    ],
)
def test_what_is_not_as_declared_is_no_date(text: str, date_format: str) -> None:
    """Nothing is guessed."""
    assert parse_dates(pd.Series([text]), date_format, CHICAGO).isna().all()


@given(st.dates(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)), st.sampled_from(["iso", "excel", "%d.%m.%Y"]))
def test_a_written_date_is_read_back(day: date, date_format: str) -> None:
    """Typed dates of binary files go through the text that the layout declares."""
    read = parse_dates(pd.Series([write_date(day, date_format)]), date_format, CHICAGO)
    assert read.dt.date.tolist() == [day]


def test_a_week_is_written_as_its_label() -> None:
    """2023-01-02 opens the first ISO week of 2023."""
    assert write_date(date(2023, 1, 2), "iso_week") == "2023-W01"


@pytest.mark.parametrize("date_format", ["iso_week", "%Y-%m", "%d.%m."])
def test_a_date_that_its_format_cannot_say_is_not_read_as_another(date_format: str) -> None:
    """It is no date of that format."""
    text = write_date(date(2023, 1, 4), date_format)
    assert parse_dates(pd.Series([text]), date_format, CHICAGO).isna().all()


def test_an_impossible_format_is_an_error_of_the_layout() -> None:
    """It is named, with what to write instead."""
    with pytest.raises(DataError, match="%Q"):
        parse_dates(pd.Series(["1"]), "%Q", CHICAGO)
