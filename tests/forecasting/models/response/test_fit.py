"""Tests of the rolling regression: no forecast knows what came after its origin, and known slopes are found."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting.models.response.fit import FitOptions, rolling_fit
from forecasting.models.response.season import COLUMNS
from forecasting.models.response.shared import Learn, Recall

OPTIONS = FitOptions()
LOOSE = replace(OPTIONS, ridge_weeks=0.01, slope_ridge=1000.0)
STEPS = np.array([1, 2, 3])
W, S, K = 64, 5, 6


def rolling_forecasts(
    x: np.ndarray, penalty: np.ndarray, y: np.ndarray, steps: np.ndarray, last: int, o: FitOptions, own_slopes: int = 4
) -> np.ndarray:
    """The forecasts of every origin of one product without a season, by the first candidate, (origins, H, S)."""
    return all_forecasts(x, penalty, y, steps, last, o, own_slopes)[:, 0]


def all_forecasts(
    x: np.ndarray, penalty: np.ndarray, y: np.ndarray, steps: np.ndarray, last: int, o: FitOptions, own_slopes: int = 4
) -> np.ndarray:
    """By every candidate, (origins, C, H, S)."""
    x = np.concatenate([x, np.zeros((*x.shape[:2], COLUMNS))], axis=-1)
    own_slopes = min(own_slopes, len(penalty))
    penalty = np.append(penalty, np.ones(COLUMNS))
    found = rolling_fit(of_one(x), penalty, y[:, None], steps, last, o, own_slopes, np.arange(len(penalty)), Learn())
    return found.forecasts[..., 0, :]


def of_one(x: np.ndarray) -> np.ndarray:
    """The regressors (W, S, K) of one product as (W, K, P, S)."""
    return np.ascontiguousarray(x.transpose(0, 2, 1)[:, :, None])


def a_chain(seed: int = 0, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Regressors (W, S, K), slopes (K,) and log sales (W, S) of stores with levels 3 to 5."""
    values = np.random.default_rng(seed)
    x = values.normal(0, 1, (W, S, K))
    slope = np.array([-2.0, 0.8, 0.5, 0.0, 0.0, 1.0])
    return x, slope, np.linspace(3, 5, S) + x @ slope + values.normal(0, noise, (W, S))


PENALTY = np.ones(K)


@pytest.mark.parametrize("origin", [0, 2, 5, 31, 48, 59])
def test_a_forecast_does_not_know_what_came_after_its_origin(origin: int) -> None:
    """Later sales made absurd, or unseen: not a bit of the origin's forecasts changes, nor of those before."""
    x, _, y = a_chain()
    known = all_forecasts(x, PENALTY, y, STEPS, last=60, o=OPTIONS)
    for other in (1e3, np.nan):
        later = y.copy()
        later[origin + 1 :] = other
        found = all_forecasts(x, PENALTY, later, STEPS, last=60, o=OPTIONS)
        assert np.array_equal(found[: origin + 1], known[: origin + 1], equal_nan=True)


@pytest.mark.parametrize("origin", [4, 20, 40, 58])
def test_a_past_forecast_is_what_would_have_been_forecast_then(origin: int) -> None:
    """Cut off at the origin, with the same offers known, the same bits come out."""
    x, _, y = a_chain()

    now = all_forecasts(x, PENALTY, y, STEPS, last=60, o=OPTIONS)[origin]

    then = all_forecasts(x, PENALTY, y[: origin + 1], STEPS, last=origin, o=OPTIONS)[-1]
    assert np.array_equal(now, then)


def test_the_origin_itself_does_matter() -> None:
    """What was sold in the last week moves the forecast: the tests above can fail."""
    x, _, y = a_chain()
    other = y.copy()
    other[60] += 1.0

    before, after = (rolling_forecasts(x, PENALTY, sales, STEPS, last=60, o=OPTIONS)[-1] for sales in (y, other))

    assert (after != before).all()
    assert np.abs(after - before).max() > 0.01


def test_known_slopes_are_found() -> None:
    """With hardly any penalty or noise the coming weeks are forecast nearly exactly, in every store."""
    x, _, y = a_chain(noise=0.01)

    found = rolling_forecasts(x, PENALTY, y, STEPS, last=60, o=LOOSE)[-1]

    assert found == pytest.approx(y[61:], abs=0.1)


def test_a_slope_of_the_store_is_found() -> None:
    """One store reacts twice as strongly to the first regressor: with many weeks its forecasts follow."""
    values = np.random.default_rng(3)
    x = values.normal(0, 1, (203, 4, 1))
    slope = np.array([-1.0, -1.0, -1.0, -2.0])
    y = 4 + x[..., 0] * slope
    options = replace(OPTIONS, ridge_weeks=0.01, slope_ridge=1.0)

    found = rolling_forecasts(x, np.ones(1), y, STEPS, last=199, o=options)[-1]

    assert found == pytest.approx(y[200:], abs=0.15)


def test_there_is_no_forecast_before_the_first_fit_nor_beyond_the_grid() -> None:
    """Two weeks are too few where more are there; at the end of the grid only the near steps have offers."""
    x, _, y = a_chain()

    found = rolling_forecasts(x, PENALTY, y, STEPS, last=W - 1, o=OPTIONS)

    assert np.isnan(found[:2]).all()
    assert np.isfinite(found[2 : W - 3]).all()
    assert np.isfinite(found[W - 2, 0]).all()
    assert np.isnan(found[W - 2, 1:]).all()
    assert np.isnan(found[W - 1]).all()


@pytest.mark.parametrize("last", [0, 1, 2])
def test_today_is_forecast_however_short_the_history(last: int) -> None:
    """From the first week on; with one week the level of the store is carried on."""
    x, _, y = a_chain()

    found = rolling_forecasts(x, PENALTY, y, STEPS, last=last, o=OPTIONS)[-1]

    assert np.isfinite(found).all()


def test_a_store_that_was_never_seen_gets_the_chains_level() -> None:
    """Its own level begins with that of the others."""
    x, _, y = a_chain(noise=0.01)
    y[:, 2] = np.nan

    found = rolling_forecasts(np.zeros_like(x), PENALTY, y * 0 + np.array([3, 3, 3, 5, 5]), STEPS, last=60, o=OPTIONS)

    assert np.isfinite(found[-1]).all()
    assert 3 < found[-1, 0, 2] < 5


def test_a_constant_regressor_changes_nothing() -> None:
    """It says nothing, whatever its value."""
    x, _, y = a_chain()
    constant = np.concatenate([x, np.full((W, S, 1), 7.0)], axis=-1)

    found = rolling_forecasts(constant, np.ones(K + 1), y, STEPS, last=60, o=OPTIONS)

    assert found[-1] == pytest.approx(rolling_forecasts(x, PENALTY, y, STEPS, last=60, o=OPTIONS)[-1])


def test_a_single_absurd_week_hardly_moves_the_slopes() -> None:
    """A sale e⁵ times too high counts little: the coming weeks are forecast nearly as before."""
    x, _, y = a_chain()
    absurd = y.copy()
    absurd[30, 1] += 5

    before, after = (rolling_forecasts(x, PENALTY, sales, STEPS, last=60, o=OPTIONS)[-1] for sales in (y, absurd))

    assert after == pytest.approx(before, abs=0.15)


def test_a_forecast_stays_near_what_the_product_ever_did() -> None:
    """An offer a hundred deviations away cannot raise it beyond the highest ever and 0.7 log points."""
    x, _, y = a_chain()
    x[61:, :, 0] = -100.0

    found = rolling_forecasts(x, PENALTY, y, STEPS, last=60, o=OPTIONS)[-1]

    spread = (y[:61] - y[:61].mean(axis=0)).max()
    assert (found <= y[:61].mean(axis=0) + spread + OPTIONS.beyond + 0.3).all()


@pytest.mark.parametrize("stores", range(1, S + 1))
def test_products_fitted_at_once_do_not_depend_on_each_other(stores: int) -> None:
    """Three chains together: the same bits as each alone, in however few stores."""
    chains = [tuple(each[:, :stores] for each in a_chain(seed)[::2]) for seed in range(3)]
    x = np.concatenate([of_one(x) for x, _ in chains], axis=2)
    y = np.stack([y for _, y in chains], axis=1)

    def fit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return rolling_fit(x, PENALTY, y, STEPS, 60, OPTIONS, 4, np.arange(K), Learn()).forecasts

    together = fit(x, y)
    for each in range(3):
        alone = fit(x[:, :, each : each + 1], y[:, each : each + 1])
        assert np.array_equal(together[:, :, :, each], alone[:, :, :, 0], equal_nan=True)


def test_slopes_learnt_from_a_part_of_the_stores_serve_all() -> None:
    """With hardly any noise two stores of five teach the slopes, and every store has its own level."""
    x, _, y = a_chain(noise=0.01)

    learn = Learn()
    two = np.array([1, 3])
    rolling_fit(of_one(x[:, two]), PENALTY, y[:, None, two], STEPS, 60, LOOSE, 4, np.arange(K), learn)
    recall = Recall.of([learn.of_product(0)])

    found = rolling_fit(of_one(x), PENALTY, y[:, None], STEPS, 60, LOOSE, 4, np.arange(K), recall).forecasts

    assert found[-1, 0, :, 0] == pytest.approx(y[61:], abs=0.15)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_stores_are_forecast_part_by_part_as_in_one_piece(size: int) -> None:
    """By what all of them taught: every forecast of every origin is the same up to the last bits."""
    x, _, y = a_chain()
    y[30:40, 2] = np.nan
    learn = Learn()
    whole = rolling_fit(of_one(x), PENALTY, y[:, None], STEPS, 60, OPTIONS, 4, np.arange(K), learn).forecasts

    for begin in range(0, S, size):
        part = slice(begin, begin + size)
        recall = Recall.of([learn.of_product(0)])
        found = rolling_fit(of_one(x[:, part]), PENALTY, y[:, None, part], STEPS, 60, OPTIONS, 4, np.arange(K), recall)
        assert found.forecasts == pytest.approx(whole[..., part], abs=1e-11, nan_ok=True)
