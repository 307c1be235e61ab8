"""What moved between a forecast and the one that replaced it."""

from datetime import date

import pandas as pd
import pytest

from forecasting.core.revision import compare_forecasts, summary

WEEKS = pd.to_datetime([date(1992, 4, 23), date(1992, 4, 30)])


def forecast(of_series: dict[int, tuple[float, float]]) -> pd.DataFrame:
    """Two steps of product 1, by store."""
    rows = [(store, 1, WEEKS[i], i + 1, value) for store, values in of_series.items() for i, value in enumerate(values)]
    return pd.DataFrame(rows, columns=["store", "product", "week", "step", "forecast"])


BEFORE = forecast({2: (10, 20), 5: (30, 40), 8: (1, 1)})
AFTER = forecast({2: (10.5, 20), 5: (30, 47), 9: (3, 3)})


def test_the_biggest_change_comes_first() -> None:
    """One row per series and step that both have."""
    found = compare_forecasts(BEFORE, AFTER)

    assert found[["store", "step", "change"]].to_numpy().tolist() == [[5, 2, 7], [2, 1, 0.5], [2, 2, 0], [5, 1, 0]]


def test_the_summary_tells_what_moved_by_more_than_a_carton() -> None:
    """Half a carton is not told; series that only one of them has are counted."""
    found = summary(BEFORE, AFTER)

    assert (found["series_moved"], found["series_new"], found["series_gone"]) == (1, 1, 1)
    assert (found["total_before"], found["total_after"]) == pytest.approx((100, 107.5))
    assert found["biggest"] == [{"store": 5, "product": 1, "week": "1992-04-30", "step": 2, "before": 40, "after": 47}]


def test_the_same_forecast_has_not_moved() -> None:
    """Nothing to tell."""
    found = summary(BEFORE, BEFORE)

    assert (found["series_moved"], found["biggest"]) == (0, [])


def test_at_most_ten_changes_are_told() -> None:
    """Of many only the biggest."""
    before, after = ({s: (0.0, scale * s) for s in range(1, 20)} for scale in (0.0, 10.0))

    found = summary(forecast(before), forecast(after))

    assert [row["store"] for row in found["biggest"]] == list(range(19, 9, -1))
