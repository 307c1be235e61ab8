"""What stands out in a forecast."""

from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.presentation.highlights import fallbacks, headline, movers, point_warning
from tests.forecasting.presentation.material import made_up


def test_the_headline_is_one_sentence() -> None:
    """The amount, the week, and the comparison with the recent mean."""
    found = headline(made_up().report, ORANGE_JUICE)
    assert found.amount == "600 cartons"
    assert found.text.startswith("600 cartons are expected in the week of 23 April 1992, ")
    assert " in the mean of the last 4 weeks (" in found.text


def test_movers_come_with_plan_and_explanation() -> None:
    """Rises first, then drops; the plan and what explains it are the panel's words."""
    table = made_up().report.copy()
    ahead = (table["kind"] == "forecast") & (table["product"] == 1)
    table.loc[ahead & (table["store"] == 2), ["units", "price", "deal", "feat"]] = [500.0, 1.49, 1, 1.0]
    table.loc[ahead & (table["store"] == 3), ["units", *ORANGE_JUICE.names]] = [1.0, *[None] * len(ORANGE_JUICE.names)]
    found = movers(table, ORANGE_JUICE, 1)
    assert [(mover.store, mover.product) for mover in found] == [(2, 1), (3, 1)]
    assert found[0].plan == "$1.49 deal, advert"
    assert found[0].why.startswith("price down to $1.49 from $2.")
    assert found[0].change == 500 - found[0].recent
    assert (found[1].plan, found[1].why) == ("unknown", "no plan is announced for that week")


def test_a_fallback_is_named_once_with_its_reason() -> None:
    """One row a series, with its first forecast week."""
    table = made_up().report.copy()
    assert fallbacks(table) == ()
    table.loc[(table["kind"] == "forecast") & (table["store"] == 1) & (table["product"] == 2), "reason"] = "raised"
    (found,) = fallbacks(table)
    assert (found.store, found.product, found.product_name, found.expected) == (1, 2, "Product 2", 100.0)
    assert found.why == "the model raised an error"


def test_only_means_add_up() -> None:
    """A total of another point is not to be planned by."""
    assert "only means add up" in point_warning("median")
    assert point_warning("mean") == ""
