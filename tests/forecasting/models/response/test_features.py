"""Regressors and risks: worked by hand, and as far as a panel has covariates of each role."""

import numpy as np
import pandas as pd
import pytest

from forecasting.models.response.features import (
    ChainOffers,
    Own,
    annual_waves,
    own_columns,
    product_regressors,
    product_risk,
)
from forecasting.models.response.offers import Offers, Roles, nearest_rivals
from forecasting.models.response.shared import Learn, Recall, Shared

WEEKS, STORES = pd.date_range("1991-01-03", periods=20, freq="7D"), np.array([2, 5])
SEASON = 0.25
JUICE = Roles(("price",), ("feat",), ("deal",), ())


def own_of(roles: Roles, products: int = 3, stores: int = 2) -> Own:
    """All products of a made-up panel with covariates of these roles."""
    values = np.random.default_rng(0)
    shape = (products, stores, len(WEEKS))
    promotions = roles.main + roles.other
    known = {name: values.integers(0, 2, shape).astype(float) for name in promotions}
    known |= {name: values.normal(1, 0.2, shape) for name in roles.price + roles.numbers}
    offers = Offers.of(roles, np.arange(stores), np.arange(products), WEEKS, known)
    return Own(offers, np.arange(products), nearest_rivals(offers, np.arange(products)))


def regressors_of(own: Own, shared: Shared | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """With a season that is always the same as their last column."""
    season = np.full((len(WEEKS), 1, len(own.positions), len(own.offers.stores)), SEASON)
    return product_regressors(own, ChainOffers.of(own, shared or Learn()), season)


def test_waves_come_back_after_a_year() -> None:
    """Two pairs; the day of the year decides, so 52 weeks later all are nearly the same."""
    waves = np.stack(annual_waves(pd.date_range("1990-01-04", periods=53, freq="7D"), pairs=2))

    assert waves.shape == (4, 53)
    assert waves[:, 0] == pytest.approx(waves[:, 52], abs=0.05)
    assert waves[0].max() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("stores", [1, 2])
@pytest.mark.parametrize("products", [1, 2, 12])
@pytest.mark.parametrize(
    "roles",
    [
        JUICE,
        Roles((), (), (), ()),
        Roles((), ("promo",), (), ()),
        Roles(("price",), (), (), ()),
        Roles(("price",), ("a", "b"), (), ("list price", "temperature")),
        Roles((), (), (), ("temperature",), "US"),
    ],
)
def test_regressors_have_a_penalty_each_and_are_finite(roles: Roles, products: int, stores: int) -> None:
    """Whatever the panel knows in advance, with rivals and without; the own offer comes first."""
    own = own_of(roles, products, stores)

    x, penalty, changing = regressors_of(own)

    assert x.shape == (len(WEEKS), len(penalty) + 1, products, stores)
    assert (x[:, -1] == SEASON).all()
    assert np.isfinite(x).all()
    assert (penalty > 0).all()
    assert (np.diff(changing) > 0).all()
    for column, offer in enumerate(own_columns(own)):
        assert np.array_equal(x[:, column], offer.transpose(2, 0, 1))
        assert column in changing


def test_no_column_of_a_rival_is_among_those_whose_changes_count() -> None:
    """The orange juice: own offers, their means over the stores, and the waves of the year."""
    own = own_of(JUICE, products=5)
    *_, changing = regressors_of(own)
    assert len(changing) == 2 * len(own_columns(own)) + 4


def test_a_product_has_the_same_regressors_alone_and_among_others() -> None:
    """To the last bit."""
    own = own_of(JUICE, products=5)
    together, *_ = regressors_of(own)

    for each in range(5):
        alone = Own(own.offers, own.positions[each : each + 1], own.rivals[each : each + 1])
        assert np.array_equal(regressors_of(alone)[0][:, :, 0], together[:, :, each])


@pytest.mark.parametrize("roles", [JUICE, Roles((), ("promo",), (), ("temperature",))])
def test_a_store_has_the_same_regressors_alone_as_among_all(roles: Roles) -> None:
    """By what the offers of all have in common, to the last bit."""
    own = own_of(roles, products=1, stores=4)
    learn = Learn()
    together, *_ = regressors_of(own, learn)

    for store in range(4):
        alone = own.of_stores(np.array([store]))
        found, *_ = regressors_of(alone, Recall.of([learn.of_product(0)]))
        assert np.array_equal(found, together[..., [store]])


def test_the_orange_juice_s_own_offer_is_price_deal_feat_and_discount() -> None:
    """In this order; a panel without covariates offers nothing."""
    own = own_of(JUICE)

    expected = (own.offers.log_price, own.offers.known["deal"], own.offers.known["feat"], own.offers.discount)

    assert all(np.array_equal(found, of) for found, of in zip(own_columns(own), expected, strict=True))
    assert own_columns(own_of(Roles((), (), (), ("temperature",)))) == []


def test_numbers_and_single_flags_come_last_as_they_are() -> None:
    """Two flags count together as the main promotion, and each by itself."""
    roles = Roles((), ("a", "b"), (), ("temperature",))
    own = own_of(roles)

    x, *_ = regressors_of(own)

    for column, name in ((-4, "a"), (-3, "b"), (-2, "temperature")):
        assert np.array_equal(x[:, column], own.offers.known[name].transpose(2, 0, 1))


def test_risk_is_one_and_the_promotions() -> None:
    """Other, then main promotions, as far as the panel has them; in the order of weeks, products and stores."""
    own = own_of(JUICE)

    risk = product_risk(own)

    assert (risk[..., 0] == 1).all()
    assert np.array_equal(risk[..., 1], own.offers.known["deal"].transpose(2, 0, 1))
    assert np.array_equal(risk[..., 2], own.offers.known["feat"].transpose(2, 0, 1))
    assert product_risk(own_of(Roles(("price",), (), (), ()))).shape[-1] == 1
