"""The Theta method on the log units, one series at a time, by statsmodels."""

import warnings

import numpy as np
import pandas as pd
from scipy.signal import lfilter
from scipy.stats import norm
from statsmodels.tools.sm_exceptions import ConvergenceWarning
from statsmodels.tsa.forecasting.theta import ThetaModel

from forecasting import schemas
from forecasting.models.naive import PROBABILITIES
from forecasting.panel import future_cells, series_of
from forecasting.predictive import Predictive
from forecasting.spec import ForecastSpec

MIN_WEEKS = 10


def theta(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Predictive:
    """Theta method (Assimakopoulos & Nikolopoulos 2000) of log(1 + units), not deseasonalised.

    Exponential smoothing and half of the linear trend. Gaps are passed over, promotions play no part.

    Raises:
        ValueError: a series has fewer observed weeks than the model needs.
    """
    cells = future_cells(series_of(panel), spec)
    normal = norm.ppf(PROBABILITIES)
    draws = []
    for key, units in panel.dropna(subset="units").groupby(schemas.SERIES)["units"]:
        if len(units) < MIN_WEEKS:
            raise ValueError(f"series {key} has {len(units)} observed weeks, theta needs {MIN_WEEKS}")
        centre, spread = _forecast(np.log1p(units.to_numpy()), np.array(spec.steps))
        draws.append(np.expm1(centre[:, None] + spread[:, None] * normal))
    return Predictive(cells, np.maximum(np.concatenate(draws), 0.0))


def _forecast(log_units: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the log units at each step."""
    if np.ptp(log_units) == 0:
        return np.full(len(steps), log_units[-1]), np.zeros(len(steps))
    with warnings.catch_warnings():
        # Where the likelihood is flat, any smoothing is as good as another.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = ThetaModel(log_units, deseasonalize=False).fit()
    smoothing, slope = float(fitted.params["alpha"]), float(fitted.params["b0"])
    centre = fitted.forecast(int(steps[-1])).to_numpy()[steps - 1]
    sigma = np.sqrt(np.mean(_one_step_errors(log_units, smoothing, slope) ** 2))
    # The method is smoothing with drift, ARIMA(0,1,1) (Hyndman & Billah 2003): σ²(1 + (k − 1)α²) at step k.
    return centre, sigma * np.sqrt(1 + (steps - 1) * smoothing**2)


def _one_step_errors(log_units: np.ndarray, smoothing: float, slope: float) -> np.ndarray:
    """What the fitted model missed of each week but the first, forecast from the week before."""
    first = log_units[:1]
    level, _ = lfilter([smoothing], [1, smoothing - 1], log_units, zi=(1 - smoothing) * first)
    weeks = np.arange(1, len(log_units))
    lag = (1 - (1 - smoothing) ** weeks) / smoothing  # weeks by which the level trails the trend
    return log_units[1:] - (level[:-1] + slope / 2 * lag)
