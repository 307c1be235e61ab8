"""Tests of the regression of changes: known slopes are found, and its state follows the weeks."""

import numpy as np
import pytest

from forecasting.models.response.changes import Changes, ChangeSlopes, ChangeState, above_means
from forecasting.models.response.season import COLUMNS
from forecasting.models.response.shared import Learn, Recall, Shared

W, T, P, S, C = 92, 90, 2, 5, 4
STEPS = np.array([1, 2])
SLOPE = np.array([-2.0, 0.5, 0.0, 0.0])


def by_slope(x: np.ndarray) -> np.ndarray:
    """What the slopes make of regressors (…, C, P, S)."""
    return np.moveaxis(x, -3, -1) @ SLOPE


@pytest.fixture
def walk() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Regressors (W, C, P, S) without a season, levels (W, P, S) that walk far, and log sales that follow both."""
    values = np.random.default_rng(4)
    x = values.normal(size=(W, C, P, S))
    x[:, -COLUMNS:] = 0.0
    level = values.normal(0, 0.1, (W, P, S)).cumsum(axis=0)
    return x, level, level + by_slope(x)


def added(x: np.ndarray, y: np.ndarray, shared: Shared | None = None) -> Changes:
    """The changes of all weeks of y, NaN where unseen."""
    seen = ~np.isnan(y)
    changes = Changes(x, np.where(seen, y, 0.0), seen, STEPS, shared or Learn())
    for week in range(len(y)):
        changes.add(week)
    return changes


def test_slopes_are_found_though_levels_walk(walk: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Own offers act by their slopes, then and now, and the coming weeks are forecast from the last level."""
    x, level, y = walk
    changes = added(x, y[:T])

    slopes = changes.slopes()
    found = changes.state(T - 1, slopes).forecast(slopes, x[T - 1 + STEPS])

    shrunk = slopes.ahead / (SLOPE + (SLOPE == 0))  # the penalty takes a part of each
    assert ((shrunk[..., :-COLUMNS] > 0.75) & (shrunk[..., :-COLUMNS] < 1.02)).all()
    assert slopes.ahead[..., -COLUMNS:] == pytest.approx(0.0)
    assert slopes.origin[..., :-COLUMNS] == pytest.approx(slopes.ahead[..., :-COLUMNS])
    ahead = by_slope(x[T - 1 + STEPS])
    assert np.abs(found - level[T - 1] - ahead).mean() < 0.3 * np.abs(ahead - by_slope(x[T - 1])).mean()


def test_a_sale_above_its_recent_means_falls_back() -> None:
    """Sales that scatter around a level: the mean of the past is forecast, not the last sale."""
    x = np.zeros((W, C, P, S))
    y = 3.0 + np.random.default_rng(5).normal(0, 0.3, (T, P, S))
    y[-1] = 4.0
    changes = added(x, y)

    slopes = changes.slopes()

    assert (slopes.reversion.sum(axis=-1) < -0.7).all()
    assert (changes.state(T - 1, slopes).forecast(slopes, x[T - 1 + STEPS]) < 3.4).all()


def test_last_years_season_counts_then_and_at_the_last_sale() -> None:
    """Sales scatter around a season known in advance: its level in the last week has a slope of its own."""
    values = np.random.default_rng(6)
    x = np.zeros((W, C, P, S))
    x[:, -1] = np.sin(np.arange(W) / 4)[:, None, None]
    y = 3.0 + x[:T, -1] + values.normal(0, 0.3, (T, P, S))

    changes = added(x, y)
    slopes = changes.slopes()
    found = changes.state(T - 1, slopes).forecast(slopes, x[T - 1 + STEPS])

    assert found == pytest.approx(3.0 + x[T - 1 + STEPS, -1], abs=0.35)


def test_slopes_that_others_taught_are_recalled(walk: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Absurd sales of stores that are not learnt from change no slope, and a store without a sale starts as others."""
    x, _, y = walk
    learn = Learn()
    expected = added(x[..., :2], y[:T, :, :2], learn).slopes()
    absurd = np.random.default_rng(7).normal(0, 9, (T, P, 3))
    absurd[..., 2] = np.nan

    changes = added(x[..., 2:], absurd, Recall.of([learn.of_product(each) for each in range(P)]))
    found = changes.slopes()

    for name, value in vars(expected).items():
        assert np.array_equal(getattr(found, name), value), name
    assert changes.state(T - 1, found).last[:, 2] == pytest.approx(y[T - 1, :, :2].mean(axis=-1))


def test_weeks_one_by_one_lead_to_the_same_state(walk: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Also over weeks without a sale; such a week keeps the last sale."""
    x, _, y = walk
    y = y[:T].copy()
    y[70:73, :, 1] = y[88:, 0, 2] = np.nan
    changes = added(x, y)
    slopes = changes.slopes()

    state = changes.state(59, slopes)
    for week in range(60, T):
        seen = ~np.isnan(y[week])
        state = state.after(slopes, x[week], np.where(seen, y[week], 0.0), seen)

    for name, value in vars(changes.state(T - 1, slopes)).items():
        assert getattr(state, name) == pytest.approx(value), name
    assert state.last[0, 2] == y[87, 0, 2]


def test_a_store_without_any_sale_starts_where_the_others_are() -> None:
    """And lies above no mean."""
    x, y = np.zeros((W, C, P, S)), np.full((T, P, S), 3.0)
    y[:, :, 4] = np.nan
    changes = added(x, y)

    slopes = changes.slopes()

    assert changes.state(T - 1, slopes).forecast(slopes, x[:2]) == pytest.approx(np.full((2, P, S), 3.0))
    assert (above_means(np.ones((1, 1)), np.zeros((2, 1, 1)), np.zeros((2, 1, 1))) == 0).all()


def test_beyond_the_last_step_its_slopes_serve() -> None:
    """Two steps were fitted, four are asked for."""
    values = np.random.default_rng(8)
    slopes = ChangeSlopes(values.normal(size=(2, P, C)), values.normal(size=(2, P, C)), values.normal(size=(2, P, 2)))
    state = ChangeState(values.normal(size=(2, P, S)), *values.normal(size=(1, P, S)), *values.random((2, 2, P, S)))
    x = np.repeat(values.normal(size=(1, C, P, S)), 4, axis=0)

    found = state.forecast(slopes, x)

    assert not np.array_equal(found[0], found[1])
    assert np.array_equal(found[1], found[2])
    assert np.array_equal(found[1], found[3])
