"""ARIMA with regressors: log units on price and promotion, with autocorrelated errors, by statsmodels."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import ndtri
from statsmodels.tsa.statespace.initialization import Initialization
from statsmodels.tsa.statespace.sarimax import SARIMAX

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Series
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.fitted_model import FittedModel
from forecasting.core.panel import complete_plan, future_cells, series_of
from forecasting.models.model import Model
from forecasting.models.naive import PROBABILITIES
from forecasting.models.one_by_one import Numbers, numbers_of, rows_of
from forecasting.models.response.offers import Roles

MIN_WEEKS = 10
SMALLEST_PRICE = 0.01  # dollars
SMALLEST_SPREAD = 0.005  # a regressor that varies less is a constant
# Prior variances of the level and of the effects of the regressors, in those of the weekly noise: the
# level is free, an effect seen in a few promotions only is shrunk. Chosen on the tuning weeks, where halving or
# doubling them changes MAPE by less than half a percent.
LEVEL_VARIANCE = 1e4
EFFECT_VARIANCES = np.array([5.0, 0.5, 1.0])
AUTOCORRELATIONS = (-0.5, 0.95)
TOLERANCE = 0.02  # of the autocorrelation: finer changes no forecast
BEYOND = 0.7  # log points by which a forecast may exceed what the series ever did, up or down
LARGEST_SPREAD = 3.0
REGRESSORS = ("log_price", "other_promotion", "main_promotion")


class ArimaRegression(Model):
    """Forecast log(1 + units) = level + effects of log price, other and main promotion + AR(1) error, series by series.

    Level and effects are states of the Kalman filter with a normal prior, so that only the autocorrelation
    is searched for, and the forecast's variance includes their uncertainty. A gap in sales is a week without
    observation; a past week without a known offer is filled by `complete_plan`. The samples are normal in logs.
    """

    name = "arima_regression"
    summary = "price and promotion with autocorrelated errors (statsmodels)"

    def fit(self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> FittedModel:
        """Return autocorrelation, means and range of each series.

        Raises:
            ValueError: a series has fewer observed weeks than the model needs.
        """
        learnt = {key: _learn(key, *seen) for key, *seen in _each_series(panel, promotions, spec)}
        return FittedModel(spec, rows_of(learnt, spec.definition))

    def predict(
        self, fitted: FittedModel, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec
    ) -> PredictiveDistribution:
        """Filter on through all weeks: level and effects are states, the autocorrelation stays."""
        numbers = numbers_of(fitted)
        panel = panel.merge(pd.DataFrame(list(numbers), columns=schemas.SERIES), on=schemas.SERIES)
        normal = ndtri(PROBABILITIES)
        samples = [np.empty((0, len(normal)))]
        for key, log_units, x in _each_series(panel, promotions, spec):
            centre, spread = _apply(log_units, x, numbers[key], spec.horizon)
            samples.append(np.expm1(centre[:, None] + spread[:, None] * normal))
        return PredictiveDistribution(future_cells(series_of(panel), spec), np.maximum(np.concatenate(samples), 0.0))


def _each_series(
    panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec
) -> Iterator[tuple[Series, np.ndarray, np.ndarray]]:
    """Of each series its log units (W,), NaN where unseen and in the weeks ahead, and its regressors (W, 3)."""
    cells = future_cells(series_of(panel), spec)
    rows = pd.concat([panel[[*schemas.CELL, "units"]], cells[schemas.CELL]], ignore_index=True)
    rows = rows.sort_values(schemas.CELL, ignore_index=True)
    regressors = _regressors(complete_plan(promotions, rows, spec.cutoff, spec.definition), Roles.of(spec.definition))
    for (store, product), series in rows.groupby(schemas.SERIES):
        log_units, x = np.log1p(series["units"].to_numpy()), regressors[series.index]
        # The weeks of the gap are weeks without observation, whose offers do not matter.
        first = len(series) - spec.horizon
        log_units = np.insert(log_units, first, np.full(spec.gap, np.nan))
        yield (store, product), log_units, np.insert(x, first, np.zeros((spec.gap, x.shape[1])), axis=0)


def _regressors(plan: pd.DataFrame, roles: Roles) -> np.ndarray:
    """Return log price, other and main promotion, (rows, 3); a product or panel without one has a constant one."""
    if roles.price:
        log_price = np.log(plan[roles.price[0]].fillna(1.0).clip(lower=SMALLEST_PRICE))
    else:
        log_price = pd.Series(0.0, index=plan.index)
    strongest = [plan[list(names)].max(axis=1).fillna(0.0) for names in (roles.other, roles.main)]
    return np.column_stack([log_price, *strongest])


def _learn(key: Series, log_units: np.ndarray, x: np.ndarray) -> Numbers:
    """Return the parameters of one series.

    Raises:
        ValueError: it has fewer observed weeks than the model needs.
    """
    seen = ~np.isnan(log_units)
    if seen.sum() < MIN_WEEKS:
        raise ValueError(f"series {key} has {seen.sum()} observed weeks, arima_regression needs {MIN_WEEKS}")
    learnt = {"mean": log_units[seen].mean(), "lowest": log_units[seen].min(), "highest": log_units[seen].max()}
    varies = x[seen].std(axis=0) > SMALLEST_SPREAD
    learnt |= {f"mean_{name}": value for name, value in zip(REGRESSORS, x[seen].mean(axis=0), strict=True)}
    learnt |= {f"uses_{name}": float(value) for name, value in zip(REGRESSORS, varies, strict=True)}
    if learnt["lowest"] == learnt["highest"]:
        return learnt | {"autocorrelation": 0.0}
    model = _model_of(log_units, x, learnt)
    found = minimize_scalar(
        lambda autocorrelation: -model.loglike([autocorrelation]),
        bounds=AUTOCORRELATIONS,
        method="bounded",
        options={"xatol": TOLERANCE},
    )
    return learnt | {"autocorrelation": float(found.x)}


def _apply(log_units: np.ndarray, x: np.ndarray, learnt: Numbers, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the last `horizon` log units, (horizon,).

    log_units: (W,), NaN where unseen; x: (W, 3).
    """
    if learnt["lowest"] == learnt["highest"]:
        return np.full(horizon, learnt["mean"]), np.zeros(horizon)
    model = _model_of(log_units, x, learnt)
    model.update([learnt["autocorrelation"]])
    filtered = model.ssm.filter()
    centre = learnt["mean"] + filtered.forecasts[0, -horizon:]
    spread = np.sqrt(filtered.forecasts_error_cov[0, 0, -horizon:])
    return np.clip(centre, learnt["lowest"] - BEYOND, learnt["highest"] + BEYOND), np.minimum(spread, LARGEST_SPREAD)


def _model_of(log_units: np.ndarray, x: np.ndarray, learnt: Numbers) -> SARIMAX:
    """Return the model around the fitted means, with the regressors that varied at the fit."""
    uses = np.array([learnt[f"uses_{name}"] for name in REGRESSORS]) == 1
    centred = (x - np.array([learnt[f"mean_{name}"] for name in REGRESSORS]))[:, uses]
    return _model(log_units - learnt["mean"], centred, EFFECT_VARIANCES[uses])


def _model(log_units: np.ndarray, x: np.ndarray, effect_variances: np.ndarray) -> SARIMAX:
    """AR(1) around a level and effects that are states; its one free parameter is the autocorrelation."""
    model = SARIMAX(
        log_units,
        exog=np.column_stack([np.ones(len(x)), x]),
        order=(1, 0, 0),
        mle_regression=False,
        concentrate_scale=True,
    )
    known = np.diag([LEVEL_VARIANCE, *effect_variances])
    start = Initialization(model.k_states)
    start.set(0, "stationary")
    start.set((1, model.k_states), "known", constant=np.zeros(len(known)), stationary_cov=known)
    model.ssm.initialization = start
    model.loglikelihood_burn = 0
    return model
