"""Tests of the kept response: it survives being written down, and its state does not depend on how it came there."""

import numpy as np
import pytest

from forecasting.contracts import schemas
from forecasting.models.response.fit import FitOptions, rolling_fit
from forecasting.models.response.parameters import ResponseParameters
from forecasting.models.response.spread import SAMPLES, Spread

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
    rows = schemas.PARAMETERS.cast(frozen.as_rows(1).sample(frac=1, random_state=0))
    require_equal(ResponseParameters.from_rows(rows), frozen)
    assert not rows.duplicated(list(schemas.PARAMETERS.key)).any()


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
