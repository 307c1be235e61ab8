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


def test_logs_are_of_weeks_with_a_sale() -> None:
    """A week without one, or with more returns than sales, is unsold; an unseen week is neither."""
    found = sales_of(("a", 0, 1.0), ("a", 1, 0.0), ("a", 2, 0.25), ("b", 3, -2.0), ("b", 1, np.nan))

    assert found.logs[:, 0] == pytest.approx([0, np.nan, np.log(0.25), np.nan], nan_ok=True)
    assert np.isnan(found.logs[:, 1]).all()
    assert found.unsold.T.tolist() == [[False, True, False, False], [False, False, False, True]]


def test_the_share_of_unsold_weeks_is_that_of_the_recent_past() -> None:
    """Shrunk to the product's; certain where nothing was ever sold, and zero where every week had a sale."""
    fade = 0.5 ** (1 / HALF_LIFE)

    found = sales_of(("a", 2, 0.0), ("a", 3, 5.0), ("b", 3, 5.0)).unsold_share(3)

    share = fade / (2 + fade)
    assert found[0] == pytest.approx((fade + PRIOR_WEEKS * share) / (1 + fade + PRIOR_WEEKS))
    assert 0 < found[1] < found[0]
    assert sales_of(("a", 0, 0.0), ("b", 1, 0.0)).unsold_share(3).tolist() == [1, 1]
    assert sales_of(("a", 0, 1.0), ("b", 1, 2.0)).unsold_share(3).tolist() == [0, 0]


def test_weeks_to_come_do_not_count() -> None:
    """After the second week the third is not known."""
    assert sales_of(("a", 1, 1.0), ("b", 1, 1.0), ("a", 2, 0.0)).unsold_share(1).tolist() == [0, 0]
