"""Features for the trees: worked by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecasting.models.response.offers import Offers, Roles
from forecasting.models.response.tree_features import LONG_AGO, lagged, tree_features

PRICE = 0


def offers_by_price(price: list[list[list[float]]], feat: list[list[list[float]]] | None = None) -> Offers:
    """Offers of (product, store, week); without deals, and without discounts."""
    log_price = np.log(np.array(price))
    none = np.zeros_like(log_price)
    products, stores, weeks = log_price.shape
    known = {"price": log_price, "feat": none if feat is None else np.array(feat)}
    offers = Offers.of(
        Roles(("price",), ("feat",), (), ()),
        np.arange(stores),
        np.arange(1, products + 1),
        pd.date_range("1991-01-03", periods=weeks, freq="7D"),
        known,
    )
    return replace(offers, discount=none)


def features_of(offers: Offers, product: int) -> np.ndarray:
    """The features of the product among all others."""
    return tree_features(offers, product - 1, np.delete(np.arange(len(offers.products)), product - 1))


def test_the_own_offer_comes_first_by_week_and_store() -> None:
    """Axes are turned from (store, week) to (week, store)."""
    found = features_of(offers_by_price([[[2, 3, 4], [5, 6, 7]]]), 1)

    assert found.shape[:2] == (3, 2)
    assert np.exp(found[..., PRICE]).tolist() == pytest.approx(np.array([[2, 5], [3, 6], [4, 7]]))


def test_the_chains_mean_stands_in_every_store() -> None:
    """The fifth feature is the mean log price of the week."""
    found = features_of(offers_by_price([[[2, 3], [8, 3]]]), 1)

    assert np.exp(found[..., 4]) == pytest.approx(np.array([[4, 4], [3, 3]]))


def test_nothing_names_the_product_or_the_store() -> None:
    """The same offers under other numbers, and stores in another order, are the same features."""
    price = np.random.default_rng(0).choice([2.0, 2.5, 3.0], (3, 4, 10))
    feat = np.random.default_rng(1).choice([0.0, 1.0], (3, 4, 10))
    found = features_of(offers_by_price(price.tolist(), feat.tolist()), 2)

    products_turned = features_of(offers_by_price(price[[1, 0, 2]].tolist(), feat[[1, 0, 2]].tolist()), 1)
    stores_turned = features_of(offers_by_price(price[:, ::-1].tolist(), feat[:, ::-1].tolist()), 2)

    assert products_turned == pytest.approx(found)
    assert stores_turned[:, ::-1] == pytest.approx(found)


def test_only_the_past_and_the_week_itself_are_looked_at() -> None:
    """Changing the last two weeks changes no feature of the weeks before."""
    price = np.random.default_rng(0).choice([2.0, 2.5, 3.0], (3, 4, 10))
    later = price.copy()
    later[..., 8:] = 9.0

    found, other = (features_of(offers_by_price(values.tolist()), 1) for values in (price, later))

    assert np.array_equal(found[:8], other[:8])
    assert not np.array_equal(found[8:], other[8:])


def test_a_lag_repeats_the_first_value() -> None:
    """1, 2, 3, 4 two weeks earlier is 1, 1, 1, 2."""
    assert lagged(np.array([[1, 2, 3, 4]]), 2).tolist() == [[1, 1, 1, 2]]


def test_weeks_since_the_last_advert_are_counted_up_to_half_a_year() -> None:
    """13 where none is known yet; an advert counts from the week after it, and a small one is none."""
    advert = [0.0, 0.0, 1.0, 0.0, 0.4, 1.0] + [0.0] * 40
    found = features_of(offers_by_price([[[2.0] * 46]], [[advert]]), 1)[:, 0]

    since = found[:, -1]
    assert since[:7].tolist() == [13, 14, 15, 1, 2, 3, 1]
    assert since[-1] == since.max() == LONG_AGO


def test_the_rank_is_the_share_of_stores_that_ask_no_more() -> None:
    """Of 2, 3, 3 and 5 the ranks are 1/4, 3/4, 3/4 and 1."""
    found = features_of(offers_by_price([[[2.0], [3.0], [3.0], [5.0]]]), 1)

    assert found[0, :, -2].tolist() == [0.25, 0.75, 0.75, 1.0]


def test_rivals_are_counted_where_there_are_any() -> None:
    """Two of three rivals ask less; the cheapest asks half; without rivals nine features fewer."""
    alone = features_of(offers_by_price([[[4.0]]]), 1)
    among = features_of(offers_by_price([[[4.0]], [[2.0]], [[3.0]], [[6.0]]]), 1)

    assert among.shape[2] == alone.shape[2] + 9
    cheaper, over_mean, over_cheapest = among[0, 0, alone.shape[2] : alone.shape[2] + 3]
    assert cheaper == 2
    assert over_mean == pytest.approx(np.log(4) - np.log(36) / 3)
    assert over_cheapest == pytest.approx(np.log(2))
