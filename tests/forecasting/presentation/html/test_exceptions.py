"""What needs a decision, and what explains it."""

from dataclasses import replace

import pandas as pd

from forecasting.presentation.html import words
from forecasting.presentation.html.exceptions import exception_lists, missed, movers, quiet
from tests.forecasting.presentation.html.material import earlier_forecasts, made_up


def test_a_jump_is_explained_by_its_plan() -> None:
    """A lower price and an advert; the end of a promotion; nothing at all."""
    planned = pd.Series({"price": 1.99, "deal": 0, "feat": 0.5, "recent_price": 2.49, "recent_promoted": False})
    assert words.why(planned) == "price down to $1.99 from $2.49; advert planned"
    over = pd.Series({"price": 2.49, "deal": 0, "feat": 0.0, "recent_price": 2.45, "recent_promoted": True})
    assert words.why(over) == "no promotion after one of late"
    unknown = pd.Series({"price": float("nan"), "deal": 0, "feat": 0, "recent_price": 2, "recent_promoted": False})
    assert words.why(unknown) == "no plan is known for that week"
    assert words.why(over.replace({True: False})) == "nothing in the plan explains it"


def test_the_biggest_jump_comes_first() -> None:
    """With its store and product, so that the page can lead to it."""
    content = made_up()
    table = content.report.copy()
    jumps = (table["kind"] == "forecast") & (table["store"] == 2) & (table["product"] == 1)
    table.loc[jumps, "units"] = 500.0
    found = movers(replace(content, report=table))
    assert found
    assert found.rows[0][:2] == (2, 1)
    assert found.rows[0][2][:2] == ("2", "Product 1")


def test_missed_intervals_are_those_of_last_week() -> None:
    """Actuals outside 95 % of the latest forecast for the last week, the widest miss first, both sides counted."""
    content = made_up()
    table = content.report.copy()
    last = table["week"] == content.cutoff
    table.loc[last, "units"] = 100.0
    table.loc[last & (table["store"] == 1) & (table["product"] == 2), "units"] = 400.0
    table.loc[last & (table["store"] == 3) & (table["product"] == 1), "units"] = 10.0
    content = replace(content, report=table)
    found = missed(replace(content, earlier=earlier_forecasts(content, 4)))
    assert found
    assert [row[:2] for row in found.rows] == [(1, 2), (3, 1)]
    assert "2 of 6 series sold outside" in found.sentence
    assert "1 sold more, 1 less" in found.sentence


def test_a_quiet_week_says_what_was_looked_for() -> None:
    """Every kind of exception is either listed or named as absent."""
    content = made_up()
    found = exception_lists(content)
    assert [listing.key for listing in found] == ["movers"]
    assert quiet(content, found).count(",") == 3
    assert "every expected store has reported" in quiet(content, found)


def test_of_intervals_something_is_said_where_there_were_some() -> None:
    """A first week has none that could have been missed."""
    content = made_up()
    assert "interval" not in quiet(content, [])
    assert "no interval was missed" in quiet(replace(content, earlier=earlier_forecasts(content, 4)), [])


def test_without_a_ledger_nothing_is_said_of_stores() -> None:
    """Nobody knows then which of them were expected."""
    content = replace(made_up(), record={})
    assert "store" not in quiet(content, exception_lists(content))
