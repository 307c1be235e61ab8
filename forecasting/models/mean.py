"""The climatology: every observed week is as probable as every other."""

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.panel import future_cells, series_of
from forecasting.core.pool import Pool
from forecasting.models.model import OnePassModel
from forecasting.models.naive import PROBABILITIES


class Mean(OnePassModel):
    """The series' own past units as the distribution, at every step alike; promotions play no part.

    Its `mean` point is the mean of all observed weeks.
    """

    name = "mean"
    summary = "all observed weeks, equally probable"

    def forecast(
        self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, pool: Pool | None = None
    ) -> PredictiveDistribution:
        """Return the quantiles of each series' observed units."""
        cells = future_cells(series_of(panel), spec)
        observed = panel.dropna(subset="units").groupby(schemas.SERIES)["units"]
        samples = np.stack([np.quantile(units.to_numpy(), PROBABILITIES, method="hazen") for _, units in observed])
        return PredictiveDistribution(cells, np.repeat(samples, spec.horizon, axis=0))
