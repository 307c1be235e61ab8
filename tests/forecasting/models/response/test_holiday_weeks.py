"""Tests of the weeks with holidays: the calendar's days, weeks before and after, and countries."""

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts.errors import DataError
from forecasting.models.response.holiday_weeks import holiday_columns, usual_holidays

WEEKS = pd.date_range("2023-11-02", periods=10, freq="7D")  # Thursdays


def test_a_holiday_marks_its_week_and_counts_before_and_after() -> None:
    """Thanksgiving 2023 is 23 November, Christmas a Monday in the week of 21 December."""
    columns = holiday_columns("US", WEEKS)

    names = usual_holidays("US")
    assert len(columns) == len(names) + 2
    of = dict(zip(names, columns, strict=False))
    assert WEEKS[of["Thanksgiving Day"] == 1].tolist() == [pd.Timestamp("2023-11-23")]
    assert WEEKS[of["Christmas Day"] == 1].tolist() == [pd.Timestamp("2023-12-21")]
    total, coming, gone = np.sum(columns[:-2], axis=0), columns[-2], columns[-1]
    assert np.array_equal(coming[:-1], total[1:])
    assert np.array_equal(gone[1:], total[:-1])
    assert coming[-1] == 1  # Martin Luther King Jr. Day, 15 January, lies beyond the weeks


def test_the_columns_do_not_depend_on_the_weeks() -> None:
    """As many for a week as for ten years, in any century; each week is the same in any cut."""
    long = holiday_columns("US", pd.date_range("1989-06-01", periods=520, freq="7D"))
    short = holiday_columns("US", pd.date_range("1989-06-01", periods=520, freq="7D")[100:103])

    assert len(long) == len(short)
    assert all(np.array_equal(whole[100:103], part) for whole, part in zip(long, short, strict=True))


def test_without_a_country_there_are_none() -> None:
    """A country that nobody knows is an error that says what to write."""
    assert holiday_columns("", WEEKS) == []
    with pytest.raises(DataError, match="holidays='XX'.*ISO 3166"):
        holiday_columns("XX", WEEKS)
