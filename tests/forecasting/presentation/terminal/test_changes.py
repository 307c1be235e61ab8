"""What the command line says of corrections, and of forecasts that moved."""

from forecasting.presentation.terminal.changes import corrected, moved

MOST = {"store": 5, "product": 2, "week": "1992-04-23", "step": 1, "before": 120.4, "after": 1340.0}
MOVED = {"series_moved": 912, "series_new": 0, "series_gone": 0, "total_before": 1e5, "total_after": 99e3}


def test_corrections_are_told_by_week() -> None:
    """How many rows of which weeks."""
    said = corrected({"corrected_by_week": {"1992-04-09": 2, "1992-04-16": 1}})

    assert "2 of the week of 1992-04-09, 1 of the week of 1992-04-16" in said


def test_a_forecast_that_moved_tells_how_far() -> None:
    """Series, totals, and the biggest change."""
    said = moved({"moved": MOVED | {"biggest": [MOST, MOST]}})

    assert said.splitlines() == [
        "912 series by more than a carton; in all 100,000 → 99,000",
        "most: store 5 product 2, week of 1992-04-23: 120 → 1,340",
    ]


def test_series_that_came_or_went_are_told() -> None:
    """They have no change to tell."""
    found = MOVED | {"series_moved": 0, "series_new": 11, "biggest": []}

    assert "11 series are new, 0 are gone" in moved({"moved": found})


def test_a_forecast_that_stands_says_so() -> None:
    """A new run of the same week that changed nothing worth a carton."""
    assert moved({"moved": MOVED | {"series_moved": 0, "biggest": []}}).startswith("nothing by more than a carton")
