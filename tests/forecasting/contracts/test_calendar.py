"""Tests of the calendar."""

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import calendar as weeks

days = st.dates(date(1980, 1, 1), date(2100, 1, 1))
weekdays = st.integers(0, 6)


@pytest.mark.parametrize(
    ("day", "week"),
    [
        (date(1989, 9, 14), date(1989, 9, 14)),
        (date(1989, 9, 20), date(1989, 9, 14)),
        (date(1989, 9, 21), date(1989, 9, 21)),
        (date(2000, 3, 1), date(2000, 2, 24)),
    ],
)
def test_a_week_runs_from_thursday_to_wednesday(day: date, week: date) -> None:
    """A day belongs to the week of the last Thursday, itself included."""
    assert weeks.week_of(day) == week


@settings(max_examples=25, deadline=None)
@given(days, weekdays)
def test_every_day_is_one_of_the_seven_days_of_its_week(day: date, starts_on: int) -> None:
    """A week holds the day it was found by, opens on the chosen weekday and is its own week."""
    week = weeks.week_of(day, starts_on)

    assert day in weeks.days_of(week)
    assert len(weeks.days_of(week)) == 7
    assert week.weekday() == starts_on
    assert all(weeks.week_of(other, starts_on) == week for other in weeks.days_of(week))


@settings(max_examples=25, deadline=None)
@given(st.lists(days, min_size=1, max_size=10), weekdays)
def test_many_days_find_the_same_weeks_as_single_days_do(given_days: list[date], starts_on: int) -> None:
    """The column form of the arithmetic agrees with the scalar form."""
    column = pd.Series(pd.DatetimeIndex(given_days).as_unit("us"))

    found = weeks.weeks_of(column, starts_on)

    assert list(found.dt.date) == [weeks.week_of(day, starts_on) for day in given_days]
    assert weeks.is_week_start(found, starts_on).all()
    assert found.dtype == column.dtype


def test_an_unknown_day_has_an_unknown_week() -> None:
    """A missing day stays missing, opens no week, and leaves the days beside it alone."""
    column = pd.Series([pd.NaT, pd.Timestamp("1991-01-09")]).astype("datetime64[us]")

    assert weeks.weeks_of(column).isna().tolist() == [True, False]
    assert weeks.weeks_of(column).iloc[1] == pd.Timestamp("1991-01-03")
    assert weeks.is_week_start(column).tolist() == [False, False]


def test_only_the_first_day_opens_a_week() -> None:
    """Of the seven days of a week, the first alone is its name."""
    column = pd.Series(pd.DatetimeIndex(weeks.days_of(date(1991, 1, 3))))

    assert weeks.is_week_start(column).tolist() == [True] + [False] * 6


def test_weeks_between_holds_both_ends() -> None:
    """Both the first and the last week belong to the range."""
    found = weeks.weeks_between(date(1991, 1, 3), date(1991, 1, 17))

    assert found == [date(1991, 1, 3), date(1991, 1, 10), date(1991, 1, 17)]


@settings(max_examples=25, deadline=None)
@given(days, st.integers(1, 400))
def test_weeks_between_is_empty_backwards(first: date, earlier: int) -> None:
    """No week lies between a week and one before it."""
    assert weeks.weeks_between(first, first - timedelta(days=earlier)) == []
