"""Exponential smoothing of the log units, one series at a time, by statsmodels."""

import numpy as np
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from forecasting.models.one_by_one import Numbers, OneByOne


class Ets(OneByOne):
    """ETS(A,N,N) of log(1 + units); gaps are passed over, promotions play no part."""

    name = "ets"
    summary = "exponential smoothing of log units (statsmodels)"
    min_weeks = 10

    def estimate(self, log_units: np.ndarray) -> Numbers:
        """Return smoothing parameter, first level and standard deviation of the errors."""
        if np.ptp(log_units) == 0:
            return {"smoothing": 0.0, "first_level": float(log_units[0]), "sigma": 0.0}
        fitted = _model(log_units).fit(disp=False)
        smoothing, first_level = fitted.params
        return {"smoothing": float(smoothing), "first_level": float(first_level), "sigma": float(np.sqrt(fitted.mse))}

    def apply(self, log_units: np.ndarray, learnt: Numbers, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Smooth on through all weeks; the parameters stay."""
        smoothing, sigma = learnt["smoothing"], learnt["sigma"]
        level = log_units[-1]
        if sigma > 0:
            level = np.asarray(_model(log_units).smooth(np.array([smoothing, learnt["first_level"]])).level)[-1]
        # Hyndman et al. 2008, table 6.2: variance of ETS(A,N,N) at step k is σ²(1 + (k − 1)α²).
        return np.full(len(steps), level), sigma * np.sqrt(1 + (steps - 1) * smoothing**2)


def _model(log_units: np.ndarray) -> ETSModel:
    return ETSModel(log_units, error="add", trend=None, seasonal=None)
