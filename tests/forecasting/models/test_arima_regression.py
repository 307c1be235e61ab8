"""Tests of the ARIMA with regressors: series whose effects are known, and the model's mathematics done densely."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.models.arima_regression import EFFECT_VARIANCES, LEVEL_VARIANCE, MIN_WEEKS, _model
from tests.forecasting.models.series import Units, forecast_of, plan_of

WEEKS, AHEAD = 60, 4
RANDOM = np.random.default_rng(3)
PRICE = RANDOM.choice([2.0, 2.5, 3.0], WEEKS + AHEAD)
DEAL = RANDOM.integers(0, 2, WEEKS + AHEAD)
FEAT = RANDOM.choice([0.0, 1.0], WEEKS + AHEAD)
# An elasticity of −2; a deal sells half as much again, an advert twice as much.
EXPECTED = 4000 * PRICE**-2.0 * 1.5**DEAL * 2**FEAT
NOISE = RANDOM.normal(0, 0.05, WEEKS)
UNITS: list[int | None] = (EXPECTED[:WEEKS] * np.exp(NOISE)).round().astype(int).tolist()
PLAN = plan_of(PRICE, DEAL, FEAT, ahead=AHEAD)


def medians(units: Units, plan: pd.DataFrame, **options: int) -> np.ndarray:
    return np.median(forecast_of("arima_regression", units, plan, **options).samples, axis=1)


def test_known_effects_are_found() -> None:
    """Sales made by an elasticity, a deal and an advert are forecast by them, within the noise."""
    assert medians(UNITS, PLAN, horizon=4) == pytest.approx(EXPECTED[WEEKS:], rel=0.1)


def test_the_steps_after_a_gap_are_the_same_steps() -> None:
    """Weeks between the cutoff and the first forecast are forecast like the others, and not asked for."""
    assert medians(UNITS, PLAN, horizon=2, gap=2) == pytest.approx(medians(UNITS, PLAN, horizon=4)[2:])


def test_a_promotion_at_step_3_moves_step_3() -> None:
    """A third off, a deal and an advert multiply that step, a little less than they did, and touch no other."""
    quiet = plan_of([*PRICE[:WEEKS], *[3.0] * 4], [*DEAL[:WEEKS], *[0] * 4], [*FEAT[:WEEKS], *[0.0] * 4], ahead=4)
    third = quiet["week"] == quiet["week"].iloc[-2]
    promoted = quiet.assign(
        price=quiet["price"].mask(third, 2.0),
        deal=quiet["deal"].mask(third, 1).astype("int8"),
        feat=quiet["feat"].mask(third, 1.0),
    )

    before, after = medians(UNITS, quiet, horizon=4), medians(UNITS, promoted, horizon=4)

    assert after[[0, 1, 3]] == pytest.approx(before[[0, 1, 3]])
    assert 0.75 < after[2] / (before[2] * (3 / 2) ** 2 * 1.5 * 2) < 1


def test_what_never_varied_has_no_effect() -> None:
    """The effect of a price that was always the same is unknown: changing it changes nothing."""
    same = plan_of([3.0] * (WEEKS + 2), DEAL[:-2], FEAT[:-2], ahead=2)
    changed = plan_of([*[3.0] * WEEKS, 1.0, 2.0], DEAL[:-2], FEAT[:-2], ahead=2)

    assert (medians(UNITS, changed, horizon=2) == medians(UNITS, same, horizon=2)).all()


def test_without_any_plan_an_autocorrelated_level_is_forecast() -> None:
    """No plan known at all: all weeks are alike, and the forecast falls back from the last week to the level."""
    units = [100] * 10 + [50] * 10 + [100] * 10 + [50] * 10

    steps = medians(units, plan_of([], [], [], ahead=0), horizon=20)

    assert 50 <= steps[0] < steps[-1] < 100
    assert (np.diff(steps) > 0).all()


@pytest.mark.parametrize("level", [0, 1, 64])
def test_a_constant_series_goes_on_without_doubt(level: int) -> None:
    """What never changed is expected to stay, whatever the plan."""
    found = forecast_of("arima_regression", [level] * WEEKS, PLAN, horizon=3)

    assert found.samples == pytest.approx(np.full((3, 99), float(level)))


def test_gaps_in_sales_are_weeks_without_observation() -> None:
    """A dozen missing weeks, the last among them, leave the effects as they are."""
    units = [None if week in {*range(20, 31), WEEKS - 1} else sold for week, sold in enumerate(UNITS)]

    assert medians(units, PLAN, horizon=4) == pytest.approx(EXPECTED[WEEKS:], rel=0.1)


def test_gaps_in_the_plan_are_completed() -> None:
    """Weeks of which nobody knows the plan count as weeks at the usual price without deal or advert."""
    unknown = PLAN["week"].isin(PLAN["week"].iloc[[3, 17, WEEKS]])
    usual = PLAN[~unknown & (PLAN["week"] < PLAN["week"].iloc[WEEKS])]["price"].median()
    filled = PLAN.assign(
        price=PLAN["price"].mask(unknown, usual),
        deal=PLAN["deal"].mask(unknown, 0).astype("int8"),
        feat=PLAN["feat"].mask(unknown, 0.0),
    )

    assert medians(UNITS, PLAN[~unknown], horizon=2) == pytest.approx(medians(UNITS, filled, horizon=2))


def test_the_filter_is_the_normal_distribution_worked_out_densely() -> None:
    """Mean and variance of the coming weeks given the seen ones, by one big covariance matrix instead of a filter."""
    random = np.random.default_rng(7)
    weeks, rho = 25, 0.6
    x = random.normal(size=(weeks, 3))
    log_units = random.normal(size=weeks)
    log_units[[4, 5, 11, 22, 23, 24]] = np.nan

    model = _model(log_units, x, EFFECT_VARIANCES)
    log_likelihood = model.loglike([rho])
    model.update([rho])
    filtered = model.ssm.filter()

    with_level = np.column_stack([np.ones(weeks), x])
    apart = np.abs(np.subtract.outer(np.arange(weeks), np.arange(weeks)))
    prior = np.diag([LEVEL_VARIANCE, *EFFECT_VARIANCES])
    covariance = with_level @ prior @ with_level.T + rho**apart / (1 - rho**2)
    seen = ~np.isnan(log_units)
    inside, across = covariance[np.ix_(seen, seen)], covariance[np.ix_(~seen, seen)]
    solved = np.linalg.solve(inside, log_units[seen])
    scale = log_units[seen] @ solved / seen.sum()
    left = covariance[np.ix_(~seen, ~seen)] - across @ np.linalg.solve(inside, across.T)
    expected = -0.5 * (seen.sum() * (np.log(2 * np.pi * scale) + 1) + np.linalg.slogdet(inside)[1])
    assert log_likelihood == pytest.approx(expected)
    assert filtered.forecasts[0, -3:] == pytest.approx((across @ solved)[-3:])
    assert filtered.forecasts_error_cov[0, 0, -3:] == pytest.approx(scale * np.diag(left)[-3:])


def test_a_short_series_is_refused_by_name() -> None:
    """Too few weeks raise, which costs the series its model and nothing else."""
    with pytest.raises(ValueError, match=rf"\(2, 1\).* has {MIN_WEEKS - 1} observed weeks, .* needs {MIN_WEEKS}"):
        forecast_of("arima_regression", [7] * (MIN_WEEKS - 1))


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.integers(0, 10**6), min_size=MIN_WEEKS, max_size=30),
    st.sets(st.integers(0, 40)),
    st.integers(1, 3),
    st.integers(0, 26),
    st.integers(0, 99),
)
def test_samples_ascend_are_finite_and_never_negative(
    units: list[int | None], unplanned: set[int], horizon: int, gap: int, seed: int
) -> None:
    """Any series and plan, however absurd, has usable samples at every step, and the same ones when asked again."""
    random = np.random.default_rng(seed)
    length = len(units) + gap + horizon
    price = random.choice([0.01, 2.0, 2.5, 99_999.0], length)
    plan = plan_of(price, random.integers(0, 2, length), random.random(length), ahead=gap + horizon)
    plan = plan[~plan.index.isin(unplanned)]

    found = forecast_of("arima_regression", units, plan, horizon=horizon, gap=gap)

    assert found.samples.shape == (horizon, 99)
    assert np.isfinite(found.samples).all()
    assert (found.samples >= 0).all()
    assert (np.diff(found.samples, axis=1) >= 0).all()
    assert (forecast_of("arima_regression", units, plan, horizon=horizon, gap=gap).samples == found.samples).all()
