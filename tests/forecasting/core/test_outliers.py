"""Prices out of all proportion; those of units are tested with the validation."""

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts.calendar import WEEK
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.collected import prices_by_series, units_by_series
from forecasting.core.outliers import MIN_WEEKS, out_of_proportion, unusual_prices
from tests.forecasting.core.validation import LAST_YEAR, NOTHING, history
from tests.strategies import FIRST_WEEK


def usual(weeks: int) -> pd.DataFrame:
    rows = [(2, 1, pd.Timestamp(FIRST_WEEK - WEEK * back), 2.0 + back % 2) for back in range(weeks)]
    return prices_by_series(pd.DataFrame(rows, columns=["store", "product", "week", "price"]), ORANGE_JUICE)


@pytest.mark.parametrize(
    ("price", "is_unusual"), [(2.5, False), (0.8, False), (6.0, False), (25.0, True), (0.25, True)]
)
def test_a_price_ten_times_the_usual_one_is_unusual(price: float, is_unusual: bool) -> None:
    """And so is a tenth of it; a deep discount is not."""
    rows = pd.DataFrame({"store": [2, 5], "product": [1, 1], "price": [price, price]})
    found = unusual_prices(rows, usual(MIN_WEEKS), ORANGE_JUICE)
    assert {name: unusual.tolist() for name, unusual in found.items()} == {"price": [is_unusual, False]}
    assert not unusual_prices(rows, usual(MIN_WEEKS - 1), ORANGE_JUICE)["price"].any()


def test_no_price_is_usual() -> None:
    """An unknown one."""
    rows = pd.DataFrame({"store": [2], "product": [1], "price": [np.nan]})
    assert not unusual_prices(rows, usual(MIN_WEEKS), ORANGE_JUICE)["price"].any()


def test_units_are_judged_by_what_was_collected() -> None:
    """A series without history is not."""
    sold = pd.DataFrame({"store": [2], "product": [1], "week": [pd.Timestamp(FIRST_WEEK)], "units": [900.0]})
    assert out_of_proportion(sold, units_by_series(history({2: 10}, LAST_YEAR)), NOTHING).tolist() == [True]
    assert out_of_proportion(sold, units_by_series(NOTHING), NOTHING).tolist() == []
