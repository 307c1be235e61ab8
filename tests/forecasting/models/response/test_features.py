"""Tests of what a shopper sees on the shelf: worked by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.calendar import WEEK
from forecasting.models.response.features import (
    Offers,
    annual_waves,
    offers_on_grid,
    product_regressors,
    product_risk,
    regular_price,
    usual_prices,
)

WEEKS = pd.date_range("1991-01-03", periods=4, freq="7D")
STORES = np.array([2, 5])
NONE = float("nan")


def offers_of(*rows: tuple[int, int, int, float, int, float], product: int = 1) -> Offers:
    """Offers on four weeks and two stores from (store, product, week, price, deal, feat)."""
    frame = pd.DataFrame(rows, columns=["store", "product", "number", "price", "deal", "feat"])
    weeks = [date(1991, 1, 3) + WEEK * number for number in frame["number"]]
    return offers_on_grid(orange_juice.PROMOTIONS.cast(frame.assign(week=weeks)), product, STORES, WEEKS)


def test_every_offer_stands_in_its_own_cell() -> None:
    """Product 3 of store 5 in the third week; stores and weeks that were not asked for are left out."""
    found = offers_of((5, 3, 2, 2.0, 1, 0.5), (5, 1, 0, 4.0, 0, 0.0), (9, 1, 0, 9.0, 1, 1.0), (5, 1, 7, 9.0, 1, 1.0))

    assert found.products.tolist() == [1, 3]
    assert found.log_price[1, 1, 2] == pytest.approx(np.log(2.0))
    assert (found.deal[1, 1].tolist(), found.feat[1, 1].tolist()) == ([0, 0, 1, 0], [0, 0, 0.5, 0])
    assert found.deal[0].sum() == found.feat[0].sum() == 0


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

    assert found.feat[0].tolist() == [[0, 0.75, 0, 0], [0, 0.75, 0, 0]]
    assert found.deal[0].tolist() == [[0, 1, 0, 0], [0, 1, 0, 0]]


def test_a_price_of_zero_is_no_price() -> None:
    """It has no logarithm: the store's last is taken."""
    found = offers_of((2, 1, 0, 2.0, 0, 0.0), (2, 1, 1, 0.0, 1, 0.0))

    assert np.exp(found.log_price[0, 0]) == pytest.approx([2, 2, 2, 2])


def test_a_product_without_any_offer_has_a_place() -> None:
    """Product 7 is asked for and not in the table: finite, and without promotion."""
    found = offers_of((2, 1, 0, 2.0, 1, 1.0), product=7)

    assert found.products.tolist() == [1, 7]
    assert np.isfinite(found.log_price).all()
    assert found.feat[1].sum() == 0


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


def test_offers_cover_just_their_own_stores_and_weeks() -> None:
    """The same stores, weeks and a product among them; anything else must be looked up anew."""
    found = offers_of((2, 1, 0, 2.0, 0, 0.0), (2, 3, 0, 2.0, 0, 0.0))

    assert found.cover(3, STORES, WEEKS)
    assert not found.cover(2, STORES, WEEKS)
    assert not found.cover(3, STORES[:1], WEEKS)
    assert not found.cover(3, STORES, WEEKS[:3])


def test_waves_come_back_after_a_year() -> None:
    """Two pairs; the day of the year decides, so 52 weeks later all are nearly the same."""
    waves = np.stack(annual_waves(pd.date_range("1990-01-04", periods=53, freq="7D"), pairs=2))

    assert waves.shape == (4, 53)
    assert waves[:, 0] == pytest.approx(waves[:, 52], abs=0.05)
    assert waves[0].max() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("products", [(1,), (1, 2), (1, 2, 3, 4)])
def test_regressors_have_a_penalty_each_and_are_finite(products: tuple[int, ...]) -> None:
    """With rivals and without; the own offer comes first, and the arrays are week by store."""
    found = offers_of(*[(store, product, 0, 2.0 + product, 0, 0.5) for store in (2, 5) for product in products])

    x, penalty = product_regressors(found, 1, usual_prices(found, 1))

    assert x.shape == (4, 2, len(penalty))
    assert np.isfinite(x).all()
    assert (penalty > 0).all()
    assert x[..., 0] == pytest.approx(np.full((4, 2), np.log(3.0)))
    assert (x[0, :, 2] == 0.5).all()


def test_risk_is_one_deal_and_feat() -> None:
    """In the order of weeks and stores."""
    found = offers_of((2, 1, 0, 2.0, 0, 0.0), (5, 1, 0, 2.0, 1, 0.5), (2, 1, 1, 2.0, 1, 1.0), (5, 1, 1, 2.0, 0, 0.0))

    risk = product_risk(found, 1)

    assert risk[:2].tolist() == [[[1, 0, 0], [1, 1, 0.5]], [[1, 1, 1], [1, 0, 0]]]
