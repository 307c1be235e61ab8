"""Numbers, counts and plans in words."""

import math
from dataclasses import replace

import pytest

from forecasting.contracts.panel_definition import ORANGE_JUICE, Covariate, Key, PanelDefinition
from forecasting.presentation import words

NONE = float("nan")


def row(price: float, deal: float, feat: float) -> dict[str, float]:
    return dict.fromkeys(ORANGE_JUICE.names, NONE if math.isnan(price + deal + feat) else 0.0) | {
        "price": price,
        "deal": deal,
        "feat": feat,
    }


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.day("1992-04-16"), "16 April 1992"),
        (words.number(1234.5), "1,234"),
        (words.number(NONE), "–"),
        (words.interval(ORANGE_JUICE, 9000, 11000), "9,000–11,000"),
        (words.signed(ORANGE_JUICE, -1234), "−1,234"),
        (words.signed(ORANGE_JUICE, 7), "+7"),
        (words.percent(-0.0739, 1), "−7.4 %"),
        (words.percent(None), "–"),
        (words.score("naive_wape", 0.345), "34.5 %"),
        (words.score("mase", 1.2345), "1.23"),
        (words.score("mase", NONE), "–"),
        (words.change(None), "new"),
        (words.change(0.001), "0\u00a0%"),
        (words.change(-0.25), "−25\u00a0%"),
        (words.count(1, "store"), "1 store"),
        (words.count(1204, "store"), "1,204 stores"),
        (words.series(2), "2 series"),
        (words.counts({"raised": 3, "timed_out": 2000}), "raised 3, timed_out 2,000"),
        (words.named(["a", "b", "c"], 2), "a, b and 1 more"),
        (words.named(["a", "b"], 2), "a, b"),
        (words.ahead(2), "2 weeks ahead"),
        (words.against(1200, 1000), "20\u00a0% more than"),
        (words.against(900, 1000), "10\u00a0% fewer than"),
        (words.against(1004, 1000), "as many as"),
        (words.sentence("it broke"), "It broke."),
        (words.sentence("It broke!"), "It broke!"),
    ],
)
def test_a_number_has_one_form(said: str, expected: str) -> None:
    """Whatever writer shows it."""
    assert said == expected


def test_a_plan_is_written_by_the_roles_of_its_covariates() -> None:
    """Price, then the labels of the promotions that are on; without any announcement it is unknown."""
    assert words.plan(ORANGE_JUICE, row(12.49, 1, 0.5)) == "$12.49 deal, advert"
    assert words.plan(ORANGE_JUICE, row(2.49, 0, 0)) == "$2.49"
    assert words.plan(ORANGE_JUICE, row(NONE, NONE, NONE)) == "unknown"


def test_a_panel_with_other_covariates_needs_no_other_words() -> None:
    """A lake without a price, with a holiday and a temperature."""
    covariates = (Covariate("h", "flag", "holiday", ""), Covariate("t", "number", "degrees", ""))
    panel = PanelDefinition(
        "ice", "cone", "cones", "€", Key("shop", "shops"), Key("flavour", "flavours"), covariates, 0, "UTC"
    )
    assert words.plan(panel, {"h": 1, "t": 31.5}) == "holiday degrees 31.5"
    assert words.plan(panel, {"h": 0, "t": NONE}) == "no promotion"
    assert words.why(panel, {"h": 1, "t": 31.5}, {}) == "holiday planned"


def test_a_plan_of_many_numbers_names_the_first() -> None:
    """Others are in the tables; a panel without covariates has no plan."""
    panel = replace(ORANGE_JUICE, covariates=tuple(Covariate(name, "number", name, "") for name in "abcd"))
    assert words.plan(panel, dict.fromkeys("abcd", 1.5)) == "a 1.5, b 1.5 and 2 more"
    assert words.plan(replace(panel, covariates=()), {}) == words.UNKNOWN


def test_a_change_is_explained_by_its_plan() -> None:
    """A lower price and an advert; the end of a promotion; nothing at all."""
    assert words.why(ORANGE_JUICE, row(1.99, 0, 0.5), row(2.49, 0, 0)) == (
        "price down to $1.99 from $2.49; advert planned"
    )
    assert words.why(ORANGE_JUICE, row(2.49, 0, 0), row(2.45, 0.25, 0)) == "no promotion, after one in the last weeks"
    assert words.why(ORANGE_JUICE, row(NONE, NONE, NONE), row(2, 0, 0)) == "no plan is announced for that week"
    assert words.why(ORANGE_JUICE, row(2.49, 0, 0), row(2.45, 0, 0)) == "nothing in the plan explains it"


@pytest.mark.parametrize(
    ("units", "shown"),
    [(0.37, "0.37"), (0.0041, "0.004"), (0, "0"), (4.256, "4.26"), (42.56, "42.6"), (1234.5, "1,234"), (-0.5, "-0.50")],
)
def test_units_have_decimals_where_they_are_not_whole(units: float, shown: str) -> None:
    """Three digits or more; of whole units none."""
    weighed = replace(ORANGE_JUICE, whole_units=False)
    assert words.amount(weighed, units) == shown
    assert words.amount(ORANGE_JUICE, units) == f"{units:,.0f}"


def test_people_sort_numbers_inside_of_names_by_their_size() -> None:
    """Whatever stands around them; the order is the same each time."""
    ids = ["item 10", "item 9", "Item 9", "7", "007", "²", "a", "", "item 9b"]
    expected = ["", "007", "7", "Item 9", "a", "item 9", "item 9b", "item 10", "²"]
    assert words.in_natural_order(ids) == words.in_natural_order(ids[::-1]) == expected
    assert words.in_natural_order([10, 9, 100]) == [9, 10, 100]


def test_a_word_begins_a_line_with_a_capital_and_keeps_its_others() -> None:
    """An SKU is no Sku."""
    assert [words.capital(word) for word in ("SKU", "store", "")] == ["SKU", "Store", ""]
