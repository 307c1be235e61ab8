"""The Theta method on the log units, one series at a time, by statsmodels."""

import warnings

import numpy as np
from scipy.signal import lfilter
from statsmodels.tools.sm_exceptions import ConvergenceWarning
from statsmodels.tsa.forecasting.theta import ThetaModel, ThetaModelResults
from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing

from forecasting.models.one_by_one import Numbers, OneByOne


class Theta(OneByOne):
    """Theta method (Assimakopoulos & Nikolopoulos 2000) of log(1 + units), not deseasonalised.

    Exponential smoothing and half of the linear trend. Gaps are passed over, promotions play no part.
    """

    name = "theta"
    summary = "Theta method on log units (statsmodels)"
    min_weeks = 10

    def estimate(self, log_units: np.ndarray) -> Numbers:
        """Return smoothing parameter, slope and standard deviation of the errors."""
        if np.ptp(log_units) == 0:
            return {"smoothing": 1.0, "slope": 0.0, "sigma": 0.0}
        with warnings.catch_warnings():
            # Where the likelihood is flat, any smoothing is as good as another.
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = ThetaModel(log_units, deseasonalize=False).fit()
        smoothing, slope = float(fitted.params["alpha"]), float(fitted.params["b0"])
        sigma = np.sqrt(np.mean(_one_step_errors(log_units, smoothing, slope) ** 2))
        return {"smoothing": smoothing, "slope": slope, "sigma": float(sigma)}

    def apply(self, log_units: np.ndarray, learnt: Numbers, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Smooth on through all weeks; the slope stays."""
        smoothing, slope, sigma = learnt["smoothing"], learnt["slope"], learnt["sigma"]
        if sigma == 0:
            return np.full(len(steps), log_units[-1]), np.zeros(len(steps))
        smoothed = ExponentialSmoothing(log_units, initial_level=log_units[0], initialization_method="known")
        one_step = smoothed.smooth([smoothing]).forecast(1)
        model = ThetaModel(log_units, deseasonalize=False)
        going_on = ThetaModelResults(slope, smoothing, None, one_step, np.empty(0), use_mle=False, model=model)
        centre = going_on.forecast(int(steps[-1])).to_numpy()[steps - 1]
        # The method is smoothing with drift, ARIMA(0,1,1) (Hyndman & Billah 2003): σ²(1 + (k − 1)α²) at step k.
        return centre, sigma * np.sqrt(1 + (steps - 1) * smoothing**2)


def _one_step_errors(log_units: np.ndarray, smoothing: float, slope: float) -> np.ndarray:
    """What the fitted model missed of each week but the first, forecast from the week before."""
    first = log_units[:1]
    level, _ = lfilter([smoothing], [1, smoothing - 1], log_units, zi=(1 - smoothing) * first)
    weeks = np.arange(1, len(log_units))
    lag = (1 - (1 - smoothing) ** weeks) / smoothing  # weeks by which the level trails the trend
    return log_units[1:] - (level[:-1] + slope / 2 * lag)
