"""Offers, regressors and tree features: worked by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.calendar import WEEK
from forecasting.models.response.features import (
    LONG_AGO,
    Offers,
    annual_waves,
    lagged,
    offers_on_grid,
    product_regressors,
    product_risk,
    regular_price,
    tree_features,
    usual_prices,
)
from tests.strategies import whole_offers

WEEKS = pd.date_range("1991-01-03", periods=4, freq="7D")
STORES = np.array([2, 5])
NONE = float("nan")


def offers_of(*rows: tuple[int, int, int, float, int, float], product: int = 1) -> Offers:
    """Offers on four weeks and two stores from (store, product, week, price, deal, feat)."""
    frame = pd.DataFrame(rows, columns=["store", "product", "number", "price", "deal", "feat"])
    weeks = [date(1991, 1, 3) + WEEK * number for number in frame["number"]]
    return offers_on_grid(orange_juice.PROMOTIONS.cast(whole_offers(frame.assign(week=weeks))), product, STORES, WEEKS)


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


PRICE, DEAL, FEAT, DISCOUNT = range(4)


def offers_by_price(price: list[list[list[float]]], feat: list[list[list[float]]] | None = None) -> Offers:
    """Offers of (product, store, week); without deals, and without discounts."""
    log_price = np.log(np.array(price))
    none = np.zeros_like(log_price)
    products, stores, weeks = log_price.shape
    return Offers(
        stores=np.arange(stores),
        products=np.arange(1, products + 1),
        weeks=pd.date_range("1991-01-03", periods=weeks, freq="7D"),
        log_price=log_price,
        deal=none,
        feat=none if feat is None else np.array(feat),
        discount=none,
    )


def test_the_own_offer_comes_first_by_week_and_store() -> None:
    """Axes are turned from (store, week) to (week, store)."""
    found = tree_features(offers_by_price([[[2, 3, 4], [5, 6, 7]]]), 1)

    assert found.shape[:2] == (3, 2)
    assert np.exp(found[..., PRICE]).tolist() == pytest.approx(np.array([[2, 5], [3, 6], [4, 7]]))


def test_the_chains_mean_stands_in_every_store() -> None:
    """The fifth feature is the mean log price of the week."""
    found = tree_features(offers_by_price([[[2, 3], [8, 3]]]), 1)

    assert np.exp(found[..., 4]) == pytest.approx(np.array([[4, 4], [3, 3]]))


def test_nothing_names_the_product_or_the_store() -> None:
    """The same offers under other numbers, and stores in another order, are the same features."""
    price = np.random.default_rng(0).choice([2.0, 2.5, 3.0], (3, 4, 10))
    feat = np.random.default_rng(1).choice([0.0, 1.0], (3, 4, 10))
    found = tree_features(offers_by_price(price.tolist(), feat.tolist()), 2)

    products_turned = tree_features(offers_by_price(price[[1, 0, 2]].tolist(), feat[[1, 0, 2]].tolist()), 1)
    stores_turned = tree_features(offers_by_price(price[:, ::-1].tolist(), feat[:, ::-1].tolist()), 2)

    assert products_turned == pytest.approx(found)
    assert stores_turned[:, ::-1] == pytest.approx(found)


def test_only_the_past_and_the_week_itself_are_looked_at() -> None:
    """Changing the last two weeks changes no feature of the weeks before."""
    price = np.random.default_rng(0).choice([2.0, 2.5, 3.0], (3, 4, 10))
    later = price.copy()
    later[..., 8:] = 9.0

    found, other = (tree_features(offers_by_price(values.tolist()), 1) for values in (price, later))

    assert np.array_equal(found[:8], other[:8])
    assert not np.array_equal(found[8:], other[8:])


def test_a_lag_repeats_the_first_value() -> None:
    """1, 2, 3, 4 two weeks earlier is 1, 1, 1, 2."""
    assert lagged(np.array([[1, 2, 3, 4]]), 2).tolist() == [[1, 1, 1, 2]]


def test_weeks_since_the_last_advert_are_counted_up_to_half_a_year() -> None:
    """13 where none is known yet; an advert counts from the week after it, and a small one is none."""
    advert = [0.0, 0.0, 1.0, 0.0, 0.4, 1.0] + [0.0] * 40
    found = tree_features(offers_by_price([[[2.0] * 46]], [[advert]]), 1)[:, 0]

    since = found[:, -1]
    assert since[:7].tolist() == [13, 14, 15, 1, 2, 3, 1]
    assert since[-1] == since.max() == LONG_AGO


def test_the_rank_is_the_share_of_stores_that_ask_no_more() -> None:
    """Of 2, 3, 3 and 5 the ranks are 1/4, 3/4, 3/4 and 1."""
    found = tree_features(offers_by_price([[[2.0], [3.0], [3.0], [5.0]]]), 1)

    assert found[0, :, -2].tolist() == [0.25, 0.75, 0.75, 1.0]


def test_rivals_are_counted_where_there_are_any() -> None:
    """Two of three rivals ask less; the cheapest asks half; without rivals nine features fewer."""
    alone = tree_features(offers_by_price([[[4.0]]]), 1)
    among = tree_features(offers_by_price([[[4.0]], [[2.0]], [[3.0]], [[6.0]]]), 1)

    assert among.shape[2] == alone.shape[2] + 9
    cheaper, over_mean, over_cheapest = among[0, 0, alone.shape[2] : alone.shape[2] + 3]
    assert cheaper == 2
    assert over_mean == pytest.approx(np.log(4) - np.log(36) / 3)
    assert over_cheapest == pytest.approx(np.log(2))
