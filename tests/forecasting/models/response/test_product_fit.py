"""Tests of the fit of products: what is fitted at once, what a product depends on, and panels of any kind."""

import numpy as np
import pandas as pd
import pytest

from forecasting.models.price_response import PriceResponse
from forecasting.models.response.product_fit import MOST_AT_ONCE, MOST_POOLED, fit_groups, fit_products, pooled_stores
from tests.forecasting.models.made_up import CUTOFF, definition_of, panel_of


@pytest.mark.parametrize("scale", [0.002, 5e6])
def test_units_may_be_of_any_size(scale: float) -> None:
    """Tonnes or cents with decimals: the forecast scales with the sales."""
    definition = definition_of("price", whole=False)
    usual = PriceResponse().forecast(*panel_of(definition, scale=1.0)).samples

    found = PriceResponse().forecast(*panel_of(definition, scale=scale)).samples

    assert found / scale == pytest.approx(usual, rel=1e-6)


def test_a_missing_number_is_tolerated() -> None:
    """Half of the past values are unknown."""
    panel, promotions, spec = panel_of(definition_of("number"))
    past = promotions["week"] <= pd.Timestamp(CUTOFF)
    hidden = past & (np.arange(len(promotions)) % 2 == 0)
    promotions = promotions.assign(number_0=promotions["number_0"].mask(hidden))

    found = PriceResponse().forecast(panel, promotions, spec)

    assert np.isfinite(found.samples).all()


def test_intermittent_sales_are_forecast_with_their_zeros() -> None:
    """A third of the weeks without a sale: about a third of the samples, and the mean is hardly biased."""
    panel, promotions, spec = panel_of(definition_of(), stores=4, zeros=1 / 3)

    found = PriceResponse().forecast(panel, promotions, spec)

    assert (found.samples == 0).mean() == pytest.approx(1 / 3, abs=0.1)
    recent = panel[panel["week"] > pd.Timestamp(CUTOFF) - pd.Timedelta(weeks=8)]
    assert found.samples.mean() == pytest.approx(recent["units"].mean(), rel=0.3)


def test_sales_that_grow_are_followed() -> None:
    """Two percent a week, without any covariate: the forecast does not lag by more than a week or so."""
    panel, promotions, spec = panel_of(definition_of(whole=False), zeros=0.0)
    week = (panel["week"] - panel["week"].min()).dt.days / 7
    panel = panel.assign(units=100 * np.exp(0.02 * week))

    found = PriceResponse().forecast(panel, promotions, spec)

    expected = 100 * np.exp(0.02 * (week.max() + found.frame["step"].to_numpy()))
    assert np.median(found.samples, axis=1) / expected == pytest.approx(1, abs=0.05)


def test_many_products_are_fitted_at_once_and_do_not_depend_on_each_other() -> None:
    """Of one store: as many groups as the limit asks for, and each product as if it were alone in the panel."""
    panel, promotions, spec = panel_of(definition_of("price"), stores=1, products=MOST_AT_ONCE + 4)

    sizes = [len(group.products) for group in fit_groups(panel, promotions, spec)]
    fits = fit_products(panel, promotions, spec)

    assert sizes == [MOST_AT_ONCE, 4]
    assert [fit.product for fit in fits] == sorted(panel["product"].unique())
    for fit in (fits[0], fits[-1]):
        (alone,) = fit_products(panel[panel["product"] == fit.product], promotions, spec)
        assert np.array_equal(alone.forecasts, fit.forecasts, equal_nan=True)
        assert np.array_equal(alone.log_samples(alone.forecasts), fit.log_samples(fit.forecasts))


def test_products_of_other_stores_or_weeks_are_fitted_apart() -> None:
    """One product is sold in two stores of three, another since last year only."""
    panel, promotions, spec = panel_of(definition_of("price"), products=4)
    late = (panel["product"] == "p 002") & (panel["week"] < pd.Timestamp("1991-06-01"))
    elsewhere = (panel["product"] == "p 001") & (panel["store"] == "s 000")

    fits = fit_products(panel[~late & ~elsewhere], promotions, spec)

    assert [len(fit.offers.stores) for fit in fits] == [3, 2, 3, 3]
    assert fits[2].today < fits[0].today


def test_the_pool_of_stores_is_capped_by_a_stable_rule() -> None:
    """All below the cap; beyond it always as many, of which a new store replaces at most one."""
    stores = np.array([f"store {n}" for n in range(2 * MOST_POOLED)], dtype=object)

    few, many, more = (pooled_stores(some) for some in (stores[:9], stores[:-1], stores))

    assert few.tolist() == list(range(9))
    assert len(many) == len(more) == MOST_POOLED
    assert len(set(stores[many]) - set(stores[more])) <= 1
