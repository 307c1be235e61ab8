"""Offers, announcements and rivals: worked by hand."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.panel_definition import ORANGE_JUICE, Covariate
from forecasting.models.response.offers import (
    MOST_RIVALS,
    Announcements,
    Offers,
    Roles,
    nearest_rivals,
    regular_price,
)
from tests.strategies import whole_offers

WEEKS = pd.date_range("1991-01-03", periods=4, freq="7D")
STORES = np.array([2, 5])


def announced(*rows: tuple[int, int, int, float, int, float]) -> Announcements:
    """Announcements for two stores and four weeks from (store, product, week, price, deal, feat)."""
    frame = pd.DataFrame(rows, columns=["store", "product", "number", "price", "deal", "feat"])
    weeks = [date(1991, 1, 3) + WEEK * number for number in frame["number"]]
    promotions = orange_juice.PROMOTIONS.cast(whole_offers(frame.assign(week=weeks)))
    panel = pd.DataFrame({"store": STORES, "product": 1, "week": WEEKS[0]})
    return Announcements.of(promotions, ORANGE_JUICE, panel, WEEKS[-1])


def offers_of(*rows: tuple[int, int, int, float, int, float], product: int = 1) -> Offers:
    """The offers that these make, product 1 among them."""
    found = announced(*rows)
    return found.offers(STORES, np.array([product]))


def test_every_offer_stands_in_its_own_cell() -> None:
    """Product 3 of store 5 in the third week; stores and weeks that were not asked for are left out."""
    found = offers_of((5, 3, 2, 2.0, 1, 0.5), (5, 1, 0, 4.0, 0, 0.0), (9, 1, 0, 9.0, 1, 1.0), (5, 1, 7, 9.0, 1, 1.0))

    assert found.products.tolist() == [1, 3]
    assert found.log_price[1, 1, 2] == pytest.approx(np.log(2.0))
    assert (found.other[1, 1].tolist(), found.main[1, 1].tolist()) == ([0, 0, 1, 0], [0, 0, 0.5, 0])
    assert found.other[0].sum() == found.main[0].sum() == 0


def test_a_missing_price_is_that_of_the_chain_in_that_week() -> None:
    """Store 5 has no price of week 1, where store 2 asks 3; of weeks 2 and 3 nobody has one, so its own 3 stays."""
    found = offers_of((2, 1, 0, 2.0, 0, 0.0), (5, 1, 0, 2.5, 0, 0.0), (2, 1, 1, 3.0, 0, 0.0))

    assert np.exp(found.log_price[0, 1]) == pytest.approx([2.5, 3.0, 3.0, 3.0])


def test_a_price_before_the_first_is_the_first() -> None:
    """Known from the third week on, and taken for the two before."""
    found = offers_of((2, 1, 2, 2.0, 0, 0.0), (2, 1, 3, 3.0, 0, 0.0))

    assert np.exp(found.log_price[0, 0]) == pytest.approx([2, 2, 2, 3])


def test_a_missing_promotion_is_that_of_the_chain_else_none() -> None:
    """Store 5 announces nothing: the advert of store 2 in week 1 is taken for its own, and no other week has one."""
    found = offers_of((2, 1, 0, 2.0, 0, 0.0), (2, 1, 1, 2.0, 1, 0.75))

    assert found.main[0].tolist() == [[0, 0.75, 0, 0], [0, 0.75, 0, 0]]
    assert found.other[0].tolist() == [[0, 1, 0, 0], [0, 1, 0, 0]]


def test_a_price_of_zero_is_no_price() -> None:
    """It has no logarithm: the store's last is taken."""
    found = offers_of((2, 1, 0, 2.0, 0, 0.0), (2, 1, 1, 0.0, 1, 0.0))

    assert np.exp(found.log_price[0, 0]) == pytest.approx([2, 2, 2, 2])


def test_a_product_without_any_offer_has_a_place() -> None:
    """Product 1 is sold and not in the table: finite, and without promotion; only where it is asked for."""
    found = announced((2, 3, 0, 2.0, 1, 1.0))

    assert not found.has_plan(1, STORES)
    assert found.offers(STORES, np.array([3])).products.tolist() == [3]
    with_it = found.offers(STORES, np.array([1]))
    assert with_it.products.tolist() == [1, 3]
    assert np.isfinite(with_it.log_price).all()
    assert with_it.main[0].sum() == 0


def test_the_regular_price_is_the_upper_quartile_of_the_last_quarter() -> None:
    """A single week at half price does not move the regular price; a new level is taken on."""
    price = np.log(np.array([[4.0] * 20 + [2.0] + [4.0] * 3 + [5.0] * 12]))

    regular = np.exp(regular_price(price))[0]

    assert regular[:24] == pytest.approx(np.full(24, 4.0))
    assert regular[24] == pytest.approx(4.0)
    assert regular[-1] == pytest.approx(5.0)


def test_the_regular_price_does_not_look_ahead() -> None:
    """A later price changes no earlier regular price."""
    values = np.random.default_rng(1).choice([2.0, 3.0, 4.0], (3, 2, 40))
    later = values.copy()
    later[..., 25:] = 99.0

    assert (regular_price(values)[..., :25] == regular_price(later)[..., :25]).all()


def test_a_discount_is_never_below_zero() -> None:
    """A price above the regular one is no discount; half of it is log 2."""
    found = offers_of(*[(2, 1, number, price, 0, 0.0) for number, price in enumerate([4.0, 4.0, 2.0, 8.0])])

    assert found.discount[0, 0, :3] == pytest.approx([0, 0, np.log(2)])
    assert (found.discount >= 0).all()


def test_another_value_stands_in_its_cell_alone() -> None:
    """The discount of the cell follows its price; unknown names change nothing, and the offers stay as they were."""
    found = offers_of(*[(store, 1, number, 4.0, 0, 0.0) for store in (2, 5) for number in range(4)])

    changed = found.with_values((0, 1, 2), {"price": 2.0, "feat": 0.5, "display": 1.0})

    assert changed.discount[0, 1, 2] == pytest.approx(np.log(2))
    assert changed.main[0, 1].tolist() == [0, 0, 0.5, 0]
    assert found.main.sum() == found.discount.sum() == 0


def test_roles_take_the_place_of_names() -> None:
    """Shares are the main promotions, flags the others; without shares the flags are; a second price is a number."""
    price, flag, share, number = (Covariate(role[0], role, role, "") for role in ("price", "flag", "share", "number"))

    def roles(*covariates: Covariate) -> Roles:
        return Roles.of(replace(ORANGE_JUICE, covariates=covariates))

    assert Roles.of(ORANGE_JUICE) == Roles(("price",), ("feat",), ("deal",), ())
    assert roles(number, flag) == Roles((), ("f",), (), ("n",))
    assert roles(price, share, replace(price, name="list")) == Roles(("p",), ("s",), (), ("list",))
    assert roles() == Roles((), (), (), ())


def test_several_flags_count_as_their_strongest() -> None:
    """Week by week; each stays known by its name."""
    shape = (1, 1, 3)
    first, second = np.array([1.0, 0, 0]).reshape(shape), np.array([0, 0, 1.0]).reshape(shape)
    roles = Roles((), ("a", "b"), (), ())

    found = Offers.of(roles, STORES[:1], np.array(["x"]), WEEKS[:3], {"a": first, "b": second})

    assert found.main.ravel().tolist() == [1, 0, 1]
    assert found.log_price.sum() == found.other.sum() == 0


def by_price(prices: np.ndarray) -> Offers:
    """Offers of products at these prices for ever."""
    cube = np.log(np.broadcast_to(prices[:, None, None], (len(prices), 1, 2)))
    products = np.array([f"p{number:04}" for number in range(len(prices))], dtype=object)
    return Offers.of(Roles(("price",), (), (), ()), STORES[:1], products, WEEKS[:2], {"price": cube})


def test_few_products_are_all_rivals() -> None:
    """All others, in order; one product has none."""
    found = nearest_rivals(by_price(np.arange(1.0, MOST_RIVALS + 2)), np.arange(MOST_RIVALS + 1))

    assert found[3].tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert nearest_rivals(by_price(np.ones(1)), np.array([0])).shape == (1, 0)


def test_of_many_products_those_at_the_nearest_price_are_rivals() -> None:
    """As a search through all of them finds, also at both ends of the prices."""
    prices = np.random.default_rng(0).permutation(np.exp(np.random.default_rng(1).normal(0, 1, 60)))

    found = nearest_rivals(by_price(prices), np.arange(60))

    for own in range(60):
        distance = np.abs(np.log(prices) - np.log(prices[own]))
        expected = [other for other in np.argsort(distance, kind="stable") if other != own][:MOST_RIVALS]
        assert found[own].tolist() == sorted(expected)
