"""Tests of the kept response: it survives being written down, and its state does not depend on how it came there."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.models.response.fit import FitOptions, RollingFit, rolling_fit
from forecasting.models.response.memory import CANDIDATES
from forecasting.models.response.parameters import ResponseParameters
from forecasting.models.response.shared import Learn
from forecasting.models.response.spread import SAMPLES, Spread

OPTIONS = FitOptions()
WEEKS, STORES, K = 50, 4, 6
CHANGING = np.array([0, 2, 4, 5])
COUNT = len(CANDIDATES) + 1  # the changes are the last


@pytest.fixture(scope="module")
def chain() -> tuple[np.ndarray, np.ndarray]:
    """Regressors (W, K, 1, S) and log sales (W, S), with a gap."""
    values = np.random.default_rng(3)
    x = values.normal(0, 1, (WEEKS, K, 1, STORES))
    slope = np.array([-2.0, 0.8, 0.5, 0, 0, 1.0])
    y = np.linspace(3, 5, STORES) + x[:, :, 0].swapaxes(1, 2) @ slope + values.normal(0, 0.1, (WEEKS, STORES))
    y[44, 1] = np.nan
    return x, y


@pytest.fixture(scope="module")
def rolled(chain: tuple[np.ndarray, np.ndarray]) -> RollingFit:
    """The chain's fit after week 39."""
    x, y = chain
    return rolling_fit(x, np.ones(K), y[:, None], np.array([1, 2]), 39, OPTIONS, 4, CHANGING, Learn())


@pytest.fixture(scope="module")
def frozen(rolled: RollingFit) -> ResponseParameters:
    """The chain's response."""
    response = rolled.responses[0]
    weights, slopes, changes = np.zeros(COUNT), rolled.change_slopes, rolled.change_state
    weights[0] = 1.0
    return ResponseParameters(
        stores=np.array([2, 5, 8, 137]),
        rivals=np.array([1, 3]),
        usual_prices=np.array([0.9, 0.8, 0.7, 0.6]),
        centre=rolled.scale.centre[0],
        factor=rolled.scale.factor[0],
        slope=response.slope[0],
        own_slope=response.own_slope[:, 0].T,
        level=np.stack([each.level[0] for each in rolled.responses], axis=-1),
        lowest=rolled.lowest[0],
        highest=rolled.highest[0],
        weights=weights,
        **{name: value[:, 0].T for name, value in vars(rolled.state).items()},
        changing=rolled.changing,
        change_ahead=slopes.ahead[:, 0],
        change_origin=slopes.origin[:, 0],
        change_reversion=slopes.reversion[:, 0],
        change_base=changes.base[:, 0].T,
        last_sale=changes.last[0],
        mean_weight=changes.mean_weight[:, 0].T,
        mean_total=changes.mean_total[:, 0].T,
        risk=np.arange(6.0).reshape(2, 3),
        shape=np.sort(np.random.default_rng(1).normal(size=(2, SAMPLES))),
        store_size=np.arange(8.0).reshape(STORES, 2),
    )


def require_equal(found: ResponseParameters, expected: ResponseParameters) -> None:
    for name, value in vars(expected).items():
        assert np.array_equal(getattr(found, name), value), name
        assert getattr(found, name).shape == value.shape, name


def written_down(parameters: ResponseParameters, product: int | str) -> ResponseParameters:
    """As rows in another order and back."""
    return ResponseParameters.from_rows(parameters.as_rows(product).sample(frac=1, random_state=0))


def test_it_survives_being_written_down(frozen: ResponseParameters) -> None:
    """As rows of the table `parameters` and back: every array is the same to the last bit."""
    rows = orange_juice.PARAMETERS.cast(frozen.as_rows(1).sample(frac=1, random_state=0))
    require_equal(ResponseParameters.from_rows(rows), frozen)
    assert not rows.duplicated(list(orange_juice.PARAMETERS.key)).any()


def test_ids_may_be_texts(frozen: ResponseParameters) -> None:
    """Stores and rivals come back as they were."""
    texts = replace(
        frozen,
        stores=np.array(["007", "12", "Köln", "north"], dtype=object),
        rivals=np.array(["1.0", "=1+1"], dtype=object),
    )
    require_equal(written_down(texts, "juice"), texts)


def test_a_product_without_rivals_or_own_slopes_survives(frozen: ResponseParameters) -> None:
    """As in a panel without covariates."""
    bare = replace(frozen, rivals=np.empty(0, dtype="int32"), own_slope=np.zeros((STORES, 0)))
    require_equal(written_down(bare, 1), bare)


def test_at_the_end_of_the_fit_it_forecasts_as_the_fit(
    chain: tuple[np.ndarray, np.ndarray], rolled: RollingFit, frozen: ResponseParameters
) -> None:
    """Its forecasts are the last ones of the fit, to the last bit, also of several candidates."""
    scaled = rolled.scale(chain[0])[[40, 41]]
    assert np.array_equal(frozen.forecast(scaled), rolled.forecasts[-1, 0, :, 0])
    weights = np.full(COUNT, 1 / COUNT)
    mixed = np.einsum("pc,tchps->pths", weights[None], rolled.forecasts)[0, -1]
    assert np.array_equal(replace(frozen, weights=weights).forecast(scaled), mixed)


def test_weeks_one_by_one_or_together_lead_to_the_same_state(
    chain: tuple[np.ndarray, np.ndarray], frozen: ResponseParameters
) -> None:
    """A model that is scored every week is in the state of one that is scored after ten."""
    x, y = chain
    together = frozen.after(x[40:], y[40:], 1, OPTIONS.outlier)
    one_by_one = frozen
    for week in range(40, WEEKS):
        one_by_one = one_by_one.after(x[week : week + 1], y[week : week + 1], 1, OPTIONS.outlier)
    require_equal(one_by_one, together)


def test_an_unseen_week_only_lets_the_state_fade(frozen: ResponseParameters) -> None:
    """Without a sale no miss is added, and those of the past count for less."""
    found = frozen.after(np.zeros((1, K, 1, STORES)), np.full((1, STORES), np.nan), 1, OPTIONS.outlier)
    fade = 0.5 ** (1 / np.array([each.half_life for each in CANDIDATES]))
    assert found.drift_miss == pytest.approx(fade * frozen.drift_miss)
    assert found.drift_weight == pytest.approx(fade * frozen.drift_weight)


def test_some_of_its_stores_keep_what_is_theirs(frozen: ResponseParameters) -> None:
    """Stores 5 and 137 alone have their own rows; what all share stays."""
    found = frozen.only(np.array([5, 137]))
    assert found.stores.tolist() == [5, 137]
    assert np.array_equal(found.own_slope, frozen.own_slope[[1, 3]])
    assert np.array_equal(found.level, frozen.level[[1, 3]])
    assert np.array_equal(found.slope, frozen.slope)


def test_parts_of_its_stores_are_joined(frozen: ResponseParameters) -> None:
    """In order, to the same values."""
    parts = [frozen.only(stores) for stores in (np.array([2]), np.array([5, 8]), np.array([137]))]
    require_equal(ResponseParameters.joined(parts), frozen)


def test_beyond_the_last_step_the_last_spread_serves(frozen: ResponseParameters) -> None:
    """Steps 1 and 2 have their own; every further one has that of step 2."""
    assert isinstance(frozen.spread(0), Spread)
    assert np.array_equal(frozen.spread(1).shape, frozen.spread(7).shape)
    assert not np.array_equal(frozen.spread(0).shape, frozen.spread(1).shape)


def test_its_rows_name_stores_where_parameters_are_theirs(frozen: ResponseParameters) -> None:
    """And rivals on the rows of rivals alone."""
    rows: pd.DataFrame = frozen.as_rows(1)
    by_name = rows.groupby("name")
    assert by_name["store"].nunique().loc[["level", "slope"]].tolist() == [STORES, 0]
    assert rows.loc[rows["rival"].notna(), "name"].unique().tolist() == ["rivals"]
