"""What differs between a forecast and the one that replaced it."""

from datetime import date

import pandas as pd
import pytest

from forecasting.core.revision import RevisedForecast, compare_forecasts, revision_of

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


def test_a_revision_counts_changes_of_more_than_one_unit() -> None:
    """Half a unit is no change; series that only one of the forecasts has are counted."""
    found = revision_of(BEFORE, AFTER)

    assert (found.series_changed, found.series_new, found.series_gone) == (1, 1, 1)
    assert (found.total_before, found.total_after) == pytest.approx((100, 107.5))
    assert found.biggest == (RevisedForecast(5, 1, date(1992, 4, 30), 2, 40, 47),)


def test_the_same_forecast_has_not_changed() -> None:
    """No series is listed."""
    found = revision_of(BEFORE, BEFORE)

    assert (found.series_changed, found.biggest) == (0, ())


def test_at_most_ten_changes_are_listed() -> None:
    """The biggest ones."""
    before, after = ({s: (0.0, scale * s) for s in range(1, 20)} for scale in (0.0, 10.0))

    found = revision_of(forecast(before), forecast(after))

    assert [row.store for row in found.biggest] == list(range(19, 9, -1))
