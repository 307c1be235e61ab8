"""The calendar of the sales week: the one place where week arithmetic is done.

A week is seven days and is named by its first day. Dominick's weeks open on Thursday, and
week 1 of that data opened on 1989-09-14.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Imported by the functions that need it: the command line knows the calendar, and need not wait for pandas.
    import numpy as np
    import pandas as pd

THURSDAY = 3  # as in date.weekday(): Monday is 0
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAYS_IN_WEEK = 7
WEEK = timedelta(days=DAYS_IN_WEEK)
DOMINICKS_WEEK_1 = date(1989, 9, 14)


def week_of(day: date, starts_on: int = THURSDAY) -> date:
    """First day of the week that `day` falls in."""
    return day - timedelta(days=(day.weekday() - starts_on) % DAYS_IN_WEEK)


def weeks_of(days: "pd.Series", starts_on: int = THURSDAY) -> "pd.Series":
    """First day of the week that each of `days` (datetime64) falls in."""
    import pandas as pd

    return days - pd.to_timedelta((days.dt.day_of_week - starts_on) % DAYS_IN_WEEK, unit="D")


def is_week_start(days: "pd.Series", starts_on: int = THURSDAY) -> "pd.Series":
    """Whether each of `days` (datetime64) opens a week."""
    return days.dt.day_of_week == starts_on


def days_of(week: date) -> list[date]:
    """The seven days of a week."""
    return [week + timedelta(days=offset) for offset in range(DAYS_IN_WEEK)]


def weeks_between(first: date, last: date) -> list[date]:
    """Every week from `first` to `last`, both included; empty when `last` is earlier."""
    return [first + WEEK * offset for offset in range((last - first).days // DAYS_IN_WEEK + 1)]


def dominicks_week(number: int) -> date:
    """First day of the week that the Dominick's data gives this number."""
    return DOMINICKS_WEEK_1 + WEEK * (number - 1)


def dominicks_weeks(numbers: "pd.Series | np.ndarray") -> "pd.DatetimeIndex":
    """First days of many numbered Dominick's weeks."""
    import numpy as np
    import pandas as pd

    return pd.Timestamp(DOMINICKS_WEEK_1) + pd.to_timedelta((np.asarray(numbers) - 1) * DAYS_IN_WEEK, unit="D")
