"""The naive forecast: what was sold in the last observed week, the yardstick of every other model."""

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.panel import future_cells, series_of
from forecasting.core.pool import Pool
from forecasting.models.model import OnePassModel

NO_CHANGE = 1e-12  # of a log
PROBABILITIES = (np.arange(99) + 0.5) / 99


class Naive(OnePassModel):
    """Repeat each series' last observed units.

    The spread around it at step k is that of the past k-week changes of the log units, centred, so that
    the median is the last observation itself. Promotions play no part.
    """

    name = "naive"
    summary = "last observed week"

    def forecast(
        self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, pool: Pool | None = None
    ) -> PredictiveDistribution:
        """Return the last observed units, spread by the past changes over as many weeks."""
        cells = future_cells(series_of(panel), spec)
        log_units = np.log1p(panel.pivot(index=schemas.SERIES, columns="week", values="units").to_numpy())
        last = panel.dropna(subset="units").groupby(schemas.SERIES)["units"].last().to_numpy()
        samples = np.empty((len(last), spec.horizon, len(PROBABILITIES)))
        for position, step in enumerate(spec.steps):
            spread = _centred_quantiles(log_units[:, step:] - log_units[:, :-step])
            moved = np.expm1(np.log1p(last)[:, None] + spread)
            # There and back through logs would cost the last digit of what is only repeated.
            samples[:, position] = np.where(np.abs(spread) < NO_CHANGE, last[:, None], moved)
        return PredictiveDistribution(cells, np.maximum(samples.reshape(len(cells), -1), 0.0))


def _centred_quantiles(changes: np.ndarray) -> np.ndarray:
    """Quantiles of each row's observed changes around their median; zeros where there is none."""
    quantiles = np.zeros((len(changes), len(PROBABILITIES)))
    ordered = np.sort(changes, axis=1)  # what is missing comes last
    observed = (~np.isnan(ordered)).sum(axis=1)
    # Rows of as many observations are taken together: one by one they take ten times as long.
    for count in np.unique(observed[observed > 0]):
        rows = observed == count
        known = ordered[rows, :count]
        quantiles[rows] = (np.quantile(known, PROBABILITIES, axis=1, method="hazen") - np.median(known, axis=1)).T
    return quantiles
