"""The calendar of the sales week: the one place where week arithmetic is done.

A week is seven days and is named by its first day.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Imported by the functions that need it: the command line knows the calendar, and need not wait for pandas.
    import pandas as pd

THURSDAY = 3  # as in date.weekday(): Monday is 0
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAYS_IN_WEEK = 7
WEEK = timedelta(days=DAYS_IN_WEEK)


def week_of(day: date, starts_on: int = THURSDAY) -> date:
    """Return the first day of the week that `day` falls in."""
    return day - timedelta(days=(day.weekday() - starts_on) % DAYS_IN_WEEK)


def weeks_of(days: "pd.Series", starts_on: int = THURSDAY) -> "pd.Series":
    """Return the first day of the week that each of `days` (datetime64) falls in."""
    import pandas as pd

    return days - pd.to_timedelta((days.dt.day_of_week - starts_on) % DAYS_IN_WEEK, unit="D")


def is_week_start(days: "pd.Series", starts_on: int = THURSDAY) -> "pd.Series":
    """Return whether each of `days` (datetime64) opens a week."""
    return days.dt.day_of_week == starts_on


def days_of(week: date) -> list[date]:
    """Return the seven days of a week."""
    return [week + timedelta(days=offset) for offset in range(DAYS_IN_WEEK)]


def weeks_between(first: date, last: date) -> list[date]:
    """Return every week from `first` to `last`, both included; empty when `last` is earlier."""
    return [first + WEEK * offset for offset in range((last - first).days // DAYS_IN_WEEK + 1)]
