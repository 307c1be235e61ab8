"""Tests of the kept response: it survives being written down, and its state does not depend on how it came there."""

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.panel import build_panel, series_of
from forecasting.models.price_response import PriceResponse
from forecasting.models.response.fit import FitOptions, rolling_fit
from forecasting.models.response.parameters import ProductState, ResponseParameters
from forecasting.models.response.spread import SAMPLES, Spread
from tests.forecasting.models.made_up import made_up
from tests.strategies import Market

OPTIONS = FitOptions()
WEEKS, STORES, K = 50, 4, 6


@pytest.fixture(scope="module")
def chain() -> tuple[np.ndarray, np.ndarray]:
    """Regressors (W, S, K) and log sales (W, S), with a gap."""
    values = np.random.default_rng(3)
    x = values.normal(0, 1, (WEEKS, STORES, K))
    y = np.linspace(3, 5, STORES) + x @ np.array([-2.0, 0.8, 0.5, 0, 0, 1.0]) + values.normal(0, 0.1, (WEEKS, STORES))
    y[44, 1] = np.nan
    return x, y


@pytest.fixture(scope="module")
def frozen(chain: tuple[np.ndarray, np.ndarray]) -> ResponseParameters:
    """The chain's response after week 39."""
    x, y = chain
    rolled = rolling_fit(x, np.ones(K), y, np.array([1, 2]), last=39, o=OPTIONS)
    return ResponseParameters(
        stores=np.array([2, 5, 8, 137]),
        products=np.array([1, 3]),
        usual_prices=np.array([0.9, 0.8, 0.7, 0.6]),
        centre=rolled.scale.centre,
        factor=rolled.scale.factor,
        slope=rolled.response.slope,
        own_slope=rolled.response.own_slope,
        level=rolled.response.level,
        lowest=rolled.lowest,
        highest=rolled.highest,
        **vars(rolled.state),
        risk=np.arange(6.0).reshape(2, 3),
        shape=np.sort(np.random.default_rng(1).normal(size=(2, SAMPLES))),
    )


def require_equal(found: ResponseParameters, expected: ResponseParameters) -> None:
    for name, value in vars(expected).items():
        assert np.array_equal(getattr(found, name), value), name


def test_it_survives_being_written_down(frozen: ResponseParameters) -> None:
    """As rows of the table `parameters` and back: every array is the same to the last bit."""
    rows = orange_juice.PARAMETERS.cast(frozen.as_rows(1).sample(frac=1, random_state=0))
    require_equal(ResponseParameters.from_rows(rows), frozen)
    assert not rows.duplicated(list(orange_juice.PARAMETERS.key)).any()


def test_at_the_end_of_the_fit_it_forecasts_as_the_fit(
    chain: tuple[np.ndarray, np.ndarray], frozen: ResponseParameters
) -> None:
    """Its forecasts are the last ones of the fit, to the last bit."""
    x, y = chain
    rolled = rolling_fit(x, np.ones(K), y, np.array([1, 2]), last=39, o=OPTIONS)
    scaled = rolled.scale(x)
    assert np.array_equal(frozen.forecast(scaled[[40, 41]], OPTIONS), rolled.forecasts[-1])


def test_weeks_one_by_one_or_together_lead_to_the_same_state(
    chain: tuple[np.ndarray, np.ndarray], frozen: ResponseParameters
) -> None:
    """A model that is scored every week is in the state of one that is scored after ten."""
    x, y = chain
    together = frozen.after(x[40:], y[40:], 1, OPTIONS)
    one_by_one = frozen
    for week in range(40, WEEKS):
        one_by_one = one_by_one.after(x[week : week + 1], y[week : week + 1], 1, OPTIONS)
    require_equal(one_by_one, together)


def test_an_unseen_week_only_lets_the_state_fade(frozen: ResponseParameters) -> None:
    """Without a sale no miss is added, and those of the past count for less."""
    found = frozen.after(np.zeros((1, STORES, K)), np.full((1, STORES), np.nan), 1, OPTIONS)
    fade = 0.5 ** (1 / OPTIONS.drift_half_life)
    assert found.drift_miss == pytest.approx(fade * frozen.drift_miss)
    assert found.drift_weight == pytest.approx(fade * frozen.drift_weight)


def test_some_of_its_stores_keep_what_is_theirs(frozen: ResponseParameters) -> None:
    """Stores 5 and 137 alone have their own rows; what all share stays."""
    found = frozen.only(np.array([5, 137]))
    assert found.stores.tolist() == [5, 137]
    assert np.array_equal(found.own_slope, frozen.own_slope[[1, 3]])
    assert np.array_equal(found.level, frozen.level[[1, 3]])
    assert np.array_equal(found.slope, frozen.slope)


def test_beyond_the_last_step_the_last_spread_serves(frozen: ResponseParameters) -> None:
    """Steps 1 and 2 have their own; every further one has that of step 2."""
    assert isinstance(frozen.spread(0), Spread)
    assert np.array_equal(frozen.spread(1).shape, frozen.spread(7).shape)
    assert not np.array_equal(frozen.spread(0).shape, frozen.spread(1).shape)


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
