"""Tests of the state of a product: weeks ahead, other offers, samples of one cell."""

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts.calendar import WEEK
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.panel import build_panel, series_of
from forecasting.models.price_response import PriceResponse
from forecasting.models.response.product_state import ProductState
from tests.forecasting.models.made_up import made_up
from tests.strategies import Market

TRAINED_FOR = 4  # weeks before the cutoff


@pytest.fixture(scope="module")
def market() -> Market:
    return made_up(stores=(2, 5, 8), products=(1, 2), n_weeks=60)


@pytest.fixture(scope="module")
def state(market: Market) -> ProductState:
    """Product 1, fitted four weeks ago."""
    spec = ForecastSpec(market.cutoff, gap=1)
    fitted_at = ForecastSpec(market.cutoff - TRAINED_FOR * WEEK, gap=1)
    panel, then = (
        build_panel(market.sales[market.sales["week"] <= pd.Timestamp(cutoff)], market.promotions, series, cutoff)
        for cutoff, series in ((each.cutoff, series_of(market.sales)) for each in (spec, fitted_at))
    )
    model = PriceResponse()
    return model.prepare(model.fit(then, market.promotions, fitted_at), panel, market.promotions, spec)[0]


def planned(market: Market, store: int, week: pd.Timestamp) -> dict[str, float]:
    rows = market.promotions
    row = rows[rows["store"].eq(store) & rows["product"].eq(1) & rows["week"].eq(week)].iloc[0]
    return {name: float(row[name]) for name in ("price", "deal", "feat")}


def test_the_weeks_ahead_are_those_of_the_steps(market: Market, state: ProductState) -> None:
    """With a gap of one week: the second and third week after the cutoff."""
    assert [week.date() for week in state.weeks_ahead] == [market.cutoff + 2 * WEEK, market.cutoff + 3 * WEEK]
    assert state.log_samples().shape[:2] == (3, 2)
    assert (np.diff(state.log_samples(), axis=-1) >= 0).all()


def test_the_plan_s_own_values_give_the_same_samples(market: Market, state: ProductState) -> None:
    """In every store and week ahead, to the last bit."""
    for store in (2, 5, 8):
        for week in state.weeks_ahead:
            again = state.with_offer(store, week, planned(market, store, week))
            assert np.array_equal(again.log_samples(), state.log_samples())


def test_another_offer_changes_its_own_week_alone(market: Market, state: ProductState) -> None:
    """A lower price sells more in that store, far more than in others; the state that was asked stays as it was."""
    before, week = state.log_samples(), state.weeks_ahead[1]
    offer = planned(market, 5, week) | {"price": 1.2, "feat": 1.0}

    after = state.with_offer(5, week, offer)

    assert np.median(after.samples_of(5, week)) > 1.2 * np.median(state.samples_of(5, week))
    shift = np.abs(after.log_samples() - before).max(axis=-1)
    assert (shift[:, 0] == 0).all()
    assert shift[1, 1] > 5 * shift[[0, 2], 1].max()
    assert np.array_equal(state.log_samples(), before)


def test_a_covariate_that_the_model_does_not_use_changes_nothing(state: ProductState) -> None:
    """Nor does an empty offer."""
    for offer in ({}, {"display": 1.0}):
        changed = state.with_offer(2, state.weeks_ahead[0], offer)
        assert np.array_equal(changed.log_samples(), state.log_samples())


def test_samples_of_a_cell_are_in_units(state: ProductState) -> None:
    """One row of the log samples, as units."""
    found = state.samples_of(8, state.weeks_ahead[0])
    assert found.shape == (1, state.log_samples().shape[-1])
    assert found[0] == pytest.approx(np.exp(state.log_samples()[2, 0]))
