"""Tests of the sales grid: logs of weeks with a sale, and how probable a week without one is."""

import numpy as np
import pandas as pd
import pytest

from forecasting.models.response.sales import HALF_LIFE, PRIOR_WEEKS, Sales

WEEKS = pd.date_range("1991-01-03", periods=4, freq="7D")
STORES = np.array(["a", "b"], dtype=object)


def sales_of(*rows: tuple[str, int, float]) -> Sales:
    """Sales from (store, number of the week, units)."""
    frame = pd.DataFrame(rows, columns=["store", "number", "units"])
    return Sales.on_grid(frame.assign(week=WEEKS[frame["number"]]), STORES, WEEKS)


def unsold_share(sales: Sales, today: int) -> np.ndarray:
    """By what all of these stores share."""
    return sales.unsold_share(today, sales.unsold_of_product(today))


def test_logs_are_of_weeks_with_a_sale() -> None:
    """A week without one, or with more returns than sales, is unsold; an unseen week is neither."""
    found = sales_of(("a", 0, 1.0), ("a", 1, 0.0), ("a", 2, 0.25), ("b", 3, -2.0), ("b", 1, np.nan))

    assert found.logs[:, 0] == pytest.approx([0, np.nan, np.log(0.25), np.nan], nan_ok=True)
    assert np.isnan(found.logs[:, 1]).all()
    assert found.unsold.T.tolist() == [[False, True, False, False], [False, False, False, True]]


def test_the_share_of_unsold_weeks_is_that_of_the_recent_past() -> None:
    """Shrunk to the product's; certain where nothing was ever sold, and zero where every week had a sale."""
    fade = 0.5 ** (1 / HALF_LIFE)

    found = unsold_share(sales_of(("a", 2, 0.0), ("a", 3, 5.0), ("b", 3, 5.0)), 3)

    share = fade / (2 + fade)
    assert found[0] == pytest.approx((fade + PRIOR_WEEKS * share) / (1 + fade + PRIOR_WEEKS))
    assert 0 < found[1] < found[0]
    assert unsold_share(sales_of(("a", 0, 0.0), ("b", 1, 0.0)), 3).tolist() == [1, 1]
    assert unsold_share(sales_of(("a", 0, 1.0), ("b", 1, 2.0)), 3).tolist() == [0, 0]


def test_weeks_to_come_do_not_count() -> None:
    """After the second week the third is not known."""
    assert unsold_share(sales_of(("a", 1, 1.0), ("b", 1, 1.0), ("a", 2, 0.0)), 1).tolist() == [0, 0]


def test_weeks_before_the_grid_are_left_out() -> None:
    """The product's stores teach from their first week on; an earlier week of another store is not used."""
    frame = pd.DataFrame({"store": ["a", "a"], "week": WEEKS[:2], "units": [9.0, 5.0]})
    assert Sales.on_grid(frame, STORES, WEEKS[1:]).logs[0] == pytest.approx([np.log(5), np.nan], nan_ok=True)


def test_sales_of_other_stores_are_left_out() -> None:
    """Stores before, between and behind those of the grid."""
    frame = pd.DataFrame({"store": [*"Aabc"], "week": WEEKS[0], "units": [9.0, 5.0, 9.0, 9.0]})
    found = Sales.on_grid(frame, np.array(["a", "bb"], dtype=object), WEEKS)
    assert found.logs[0] == pytest.approx([np.log(5), np.nan], nan_ok=True)


def test_some_stores_keep_their_sales() -> None:
    """In the order that is asked for."""
    found = sales_of(("a", 0, 1.0), ("b", 1, 0.0)).of_stores(np.array([1]))
    assert found.unsold.tolist() == [[False], [True], [False], [False]]
    assert np.isnan(found.logs).all()
