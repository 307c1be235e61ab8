"""Exponential smoothing of the log units, one series at a time, by statsmodels."""

import numpy as np
import pandas as pd
from scipy.stats import norm
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from forecasting import schemas
from forecasting.models.naive import PROBABILITIES
from forecasting.panel import future_cells, series_of
from forecasting.predictive import Predictive
from forecasting.spec import ForecastSpec

MIN_WEEKS = 10


def ets(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Predictive:
    """ETS(A,N,N) of log(1 + units); gaps are passed over, promotions play no part.

    Raises:
        ValueError: a series has fewer observed weeks than the model needs.
    """
    cells = future_cells(series_of(panel), spec)
    normal = norm.ppf(PROBABILITIES)
    draws = []
    for key, units in panel.dropna(subset="units").groupby(schemas.SERIES)["units"]:
        if len(units) < MIN_WEEKS:
            raise ValueError(f"series {key} has {len(units)} observed weeks, ets needs {MIN_WEEKS}")
        level, smoothing, sigma = _smooth(np.log1p(units.to_numpy()))
        for step in spec.steps:
            # Hyndman et al. 2008, table 6.2: variance of ETS(A,N,N) at step k is σ²(1 + (k − 1)α²).
            spread = sigma * np.sqrt(1 + (step - 1) * smoothing**2)
            draws.append(np.expm1(level + spread * normal))
    return Predictive(cells, np.maximum(np.stack(draws), 0.0))


def _smooth(log_units: np.ndarray) -> tuple[float, float, float]:
    """Last level, smoothing parameter and standard deviation of the errors."""
    if np.ptp(log_units) == 0:
        return float(log_units[-1]), 0.0, 0.0
    fitted = ETSModel(log_units, error="add", trend=None, seasonal=None).fit(disp=False)
    return float(np.asarray(fitted.level)[-1]), float(fitted.smoothing_level), float(np.sqrt(fitted.mse))
