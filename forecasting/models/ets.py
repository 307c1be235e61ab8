"""Exponential smoothing of the log units, one series at a time, by statsmodels."""

import numpy as np
import pandas as pd
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.fitted_model import FittedModel
from forecasting.models.one_by_one import Numbers, OneByOne

MIN_WEEKS = 10


def ets(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> PredictiveDistribution:
    """ETS(A,N,N) of log(1 + units); gaps are passed over, promotions play no part.

    Raises:
        ValueError: a series has fewer observed weeks than the model needs.
    """
    return _ETS.forecast(panel, spec)


def fit(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> FittedModel:
    """Smoothing parameter, first level and standard deviation of the errors of each series; errors as in `ets`."""
    return _ETS.fit(panel, spec)


def predict(
    fitted: FittedModel, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec
) -> PredictiveDistribution:
    """Smooth on through the weeks sold since."""
    return _ETS.predict(fitted, panel, spec)


def _learn(log_units: np.ndarray) -> Numbers:
    if np.ptp(log_units) == 0:
        return {"smoothing": 0.0, "first_level": float(log_units[0]), "sigma": 0.0}
    fitted = _model(log_units).fit(disp=False)
    smoothing, first_level = fitted.params
    return {"smoothing": float(smoothing), "first_level": float(first_level), "sigma": float(np.sqrt(fitted.mse))}


def _apply(log_units: np.ndarray, learnt: Numbers, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    smoothing, sigma = learnt["smoothing"], learnt["sigma"]
    level = log_units[-1]
    if sigma > 0:
        level = np.asarray(_model(log_units).smooth(np.array([smoothing, learnt["first_level"]])).level)[-1]
    # Hyndman et al. 2008, table 6.2: variance of ETS(A,N,N) at step k is σ²(1 + (k − 1)α²).
    return np.full(len(steps), level), sigma * np.sqrt(1 + (steps - 1) * smoothing**2)


def _model(log_units: np.ndarray) -> ETSModel:
    return ETSModel(log_units, error="add", trend=None, seasonal=None)


_ETS = OneByOne("ets", _learn, _apply, MIN_WEEKS)
