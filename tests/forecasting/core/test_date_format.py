"""Formats of dates."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from forecasting.core.date_format import DateReading, read_dates
from tests.forecasting.core.sampled import column

MONDAYS = pd.date_range("2023-01-02", periods=30, freq="7D")


def reading(values: list[str], name: str = "week") -> DateReading | None:
    return read_dates(column(name, values), named_as_date=True)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("%Y-%m-%d", "iso"),
        ("%Y-%m-%d %H:%M:%S", "iso"),
        ("%Y-%m-%dT%H:%M:%SZ", "iso"),
        ("%G-W%V", "iso_week"),
        ("%GW%V", "iso_week"),
        ("%d/%m/%Y", "%d/%m/%Y"),
        ("%m/%d/%Y", "%m/%d/%Y"),
        ("%m/%d/%y", "%m/%d/%y"),
        ("%d.%m.%Y", "%d.%m.%Y"),
        ("%d-%m-%Y %H:%M", "%d-%m-%Y %H:%M"),
        ("%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M %p"),
        ("%Y/%m/%d", "%Y/%m/%d"),
        ("%Y%m%d", "%Y%m%d"),
        ("%d-%b-%Y", "%d-%b-%Y"),
        ("%B %d, %Y", "%B %d, %Y"),
        ("%A, %d %B %Y", "%A, %d %B %Y"),
    ],
)
def test_formats(written: str, found: str) -> None:
    """Each is found, and gives the days back."""
    got = reading(list(MONDAYS.strftime(written)))
    assert got is not None
    assert got.format == found
    assert list(got.days.dt.date) == list(MONDAYS.date)
    assert not got.has_time


def test_day_or_month_first_is_told_by_counts() -> None:
    """The evidence is a sentence with the count."""
    got = reading(list(MONDAYS.strftime("%d/%m/%Y")))
    assert got is not None
    assert "`02/01/2023` may have the day or the month first: 18 of 30 dates have a first number over 12" in got.doubt


def test_day_or_month_first_is_told_by_distances() -> None:
    """Where no number is over 12, weeks lie seven days apart in one order only."""
    got = reading(["01/02/2023", "08/02/2023", "01/03/2023"])
    assert got is not None
    assert got.format == "%d/%m/%Y"
    assert "whole weeks apart" in got.doubt
    nothing = reading(["01/02/2023", "01/02/2023"])
    assert nothing is not None
    assert "nothing in the file tells" in nothing.doubt


def test_days_of_a_spreadsheet_need_a_name() -> None:
    """Numbers of a column that nobody calls a date are numbers."""
    got = reading(["44928", "44935.5"])
    assert got is not None
    assert got.format == "excel"
    assert list(got.days.dt.date) == [date(2023, 1, 2), date(2023, 1, 9)]
    assert got.has_time
    assert read_dates(column("units", ["44928", "44935"]), named_as_date=False) is None


def test_a_time_of_day_is_told() -> None:
    """Midnight is none."""
    got = reading(["2023-01-02 08:26:00", "2023-01-02 00:00:00"])
    assert got is not None
    assert got.has_time


def test_time_zones() -> None:
    """Z is UTC; changing offsets are those of a place; a constant one has no name."""
    utc = reading(["2023-01-02T00:00:00Z", "2023-07-02T00:00:00Z"])
    assert utc is not None
    assert utc.zone == "UTC"
    paris = ZoneInfo("Europe/Paris")
    moved = reading([datetime(2023, month, 2, tzinfo=paris).isoformat() for month in range(1, 13)])
    assert moved is not None
    assert moved.zone == "Europe/Berlin"
    assert "Europe/Berlin among others" in moved.doubt
    assert list(moved.days.dt.day) == [2] * 12
    constant = reading(["2023-01-02T00:00:00-05:00", "2023-07-02T00:00:00-05:00"])
    assert constant is not None
    assert constant.zone == "Etc/GMT+5"


@pytest.mark.parametrize("values", [["1", "2"], ["north", "south"], ["01/02", "08/02"], ["1,5", "2,5"], []])
def test_what_is_no_date(values: list[str]) -> None:
    """Numbers of weeks, names, days without a year."""
    assert reading(values) is None


def test_a_few_values_that_are_no_dates() -> None:
    """One in twenty is an error of the sender."""
    got = reading([*MONDAYS.strftime("%Y-%m-%d"), "unknown"])
    assert got is not None
    assert got.share == pytest.approx(30 / 31)
