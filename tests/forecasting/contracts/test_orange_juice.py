"""Tests of the shipped data set's tables and calendar."""

from datetime import date

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import orange_juice


def test_week_1_of_the_data_opens_on_its_thursday() -> None:
    """The numbers of the data set begin on 1989-09-14 and its last week, 160, opens on 1992-10-01."""
    assert orange_juice.dominicks_week(1) == date(1989, 9, 14)
    assert orange_juice.dominicks_week(160) == date(1992, 10, 1)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=10))
def test_many_numbers_find_the_same_weeks_as_single_numbers_do(numbers: list[int]) -> None:
    """The column form takes a series or an array and agrees with the scalar form."""
    expected = [orange_juice.dominicks_week(number) for number in numbers]

    assert [week.date() for week in orange_juice.dominicks_weeks(pd.Series(numbers))] == expected
    assert [week.date() for week in orange_juice.dominicks_weeks(np.array(numbers))] == expected
