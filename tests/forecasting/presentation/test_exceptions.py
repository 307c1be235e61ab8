"""What needs a decision."""

from dataclasses import replace

from forecasting.presentation.exceptions import exception_lists, movers, none_of, outside_intervals, revision
from tests.forecasting.presentation.material import earlier_forecasts, forecast_of, made_up


def test_the_biggest_jump_comes_first() -> None:
    """With its store and product, so that the page can lead to it."""
    week = made_up()
    table = week.report.copy()
    jumps = (table["kind"] == "forecast") & (table["store"] == 2) & (table["product"] == 1)
    table.loc[jumps, "units"] = 500.0
    found = movers(replace(week, report=table))
    assert found
    assert found.rows[0][:2] == (2, 1)
    assert found.rows[0][2][:2] == ("2", "Product 1")


def test_actuals_outside_their_interval_are_those_of_last_week() -> None:
    """Actuals outside 95 % of the latest forecast for the last week, the widest miss first, both sides counted."""
    week = made_up()
    table = week.report.copy()
    last = table["week"] == week.cutoff
    table.loc[last, "units"] = 100.0
    table.loc[last & (table["store"] == 1) & (table["product"] == 2), "units"] = 400.0
    table.loc[last & (table["store"] == 3) & (table["product"] == 1), "units"] = 10.0
    week = replace(week, report=table)
    found = outside_intervals(replace(week, earlier=earlier_forecasts(week, 4)))
    assert found
    assert [row[:2] for row in found.rows] == [(1, 2), (3, 1)]
    assert "2 of 6 series in the week of 16 April 1992" in found.sentence
    assert "1 above, 1 below" in found.sentence


def test_a_quiet_week_says_what_was_looked_for() -> None:
    """Every kind of exception is either listed or named as absent."""
    week = made_up()
    found = exception_lists(week)
    assert [listing.key for listing in found] == ["movers"]
    assert none_of(week, found).count(",") == 3
    assert "every expected store has reported" in none_of(week, found)


def test_of_intervals_something_is_said_where_there_were_some() -> None:
    """A first week has none that could have been missed."""
    week = made_up()
    assert "interval" not in none_of(week, [])
    assert "no actual was outside its 95 % interval" in none_of(replace(week, earlier=earlier_forecasts(week, 4)), [])


def test_without_a_completeness_report_nothing_is_said_of_stores() -> None:
    """Nobody knows then which of them were expected."""
    week = replace(made_up(), record=None, completeness=None)
    assert "store" not in none_of(week, exception_lists(week))


def test_a_revision_counts_series_and_shows_the_biggest_changes() -> None:
    """Series that changed by a unit or less are not counted; at most eight rows are shown."""
    week = made_up()
    assert revision(week) is None
    before = forecast_of(week.forecast[["store", "product", "week"]], week.cutoff, 90.0)
    found = revision(replace(week, replaced=before))
    assert found
    assert "6 series by more than one carton; in all 1,080 → 1,200" in found.sentence
    assert len(found.rows) == 8
    assert found.rows[0][2][2:] == ("23 April 1992", "90", "100", "+10")
