"""The random walk with drift: the last observation, carried on by the mean weekly change."""

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.panel import future_cells, series_of
from forecasting.core.pool import Pool
from forecasting.models.model import OnePassModel
from forecasting.models.naive import PROBABILITIES

STILL_WEEKS = 13.0  # weeks without change that every series starts with: a short one hardly drifts
DAMPING = 0.9  # share of a week's drift that is left in the week after it


class RandomWalkWithDrift(OnePassModel):
    """Continue each series from its last observed units by its mean weekly change of the log units.

    The change from the first to the last observation is spread over the weeks between and `STILL_WEEKS` more,
    and fades by `DAMPING` from week to week (Gardner & McKenzie 1985, Forecasting trends in time series), so that
    no series runs away. The spread at step k is that of the past k-week changes of the log units, centred, times
    √(1 + k/n) for the uncertainty of a change estimated from n weeks (Hyndman & Athanasopoulos 2021, Forecasting,
    section 5.5), and nowhere less than a step before. Promotions play no part.
    """

    name = "random_walk_with_drift"
    summary = "last observed week and the mean weekly change"

    def forecast(
        self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, pool: Pool | None = None
    ) -> PredictiveDistribution:
        """Return the last observation plus the damped drift, spread by the past changes."""
        cells = future_cells(series_of(panel), spec)
        log_units = np.log1p(panel.pivot(index=schemas.SERIES, columns="week", values="units").to_numpy())
        steps = np.array(spec.steps)
        samples = np.concatenate([_log_samples(past, steps) for past in log_units])
        return PredictiveDistribution(cells, np.maximum(np.expm1(samples), 0.0))


def _log_samples(past: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Ascending log samples (steps, samples) of one series, the steps counted from the last of `past`; gaps are NaN."""
    observed = np.flatnonzero(~np.isnan(past))
    weeks = observed[-1] - observed[0] + STILL_WEEKS
    change = (past[observed[-1]] - past[observed[0]]) / weeks
    centre = past[observed[-1]] + change * (1 - DAMPING**steps) / (1 - DAMPING)
    spread = np.stack([np.sqrt(1 + step / weeks) * _spread(past, step) for step in range(1, steps[-1] + 1)])
    spread = np.where(PROBABILITIES < 0.5, np.minimum.accumulate(spread), np.maximum.accumulate(spread))
    return np.maximum(centre, 0.0)[:, None] + spread[steps - 1]


def _spread(past: np.ndarray, step: int) -> np.ndarray:
    """Quantiles of the changes over `step` weeks around their median; nothing is known of them without any."""
    changes = past[step:] - past[:-step]
    changes = changes[~np.isnan(changes)]
    if not changes.size:
        return np.zeros(len(PROBABILITIES))
    return np.quantile(changes, PROBABILITIES, method="hazen") - np.median(changes)
