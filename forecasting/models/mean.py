"""The climatology: every observed week is as probable as every other."""

import numpy as np
import pandas as pd

from forecasting import schemas
from forecasting.models.naive import PROBABILITIES
from forecasting.panel import future_cells, series_of
from forecasting.predictive import Predictive
from forecasting.spec import ForecastSpec


def mean(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Predictive:
    """The series' own past units as the distribution, at every step alike; promotions play no part.

    Its `mean` point is the mean of all observed weeks.
    """
    cells = future_cells(series_of(panel), spec)
    observed = panel.dropna(subset="units").groupby(schemas.SERIES)["units"]
    draws = np.stack([np.quantile(units.to_numpy(), PROBABILITIES, method="hazen") for _, units in observed])
    return Predictive(cells, np.repeat(draws, spec.horizon, axis=0))
