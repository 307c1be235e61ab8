"""The naive forecast: what was sold in the last observed week, the yardstick of every other model."""

import numpy as np
import pandas as pd

from forecasting import schemas
from forecasting.panel import future_cells, series_of
from forecasting.predictive import Predictive
from forecasting.spec import ForecastSpec

PROBABILITIES = (np.arange(99) + 0.5) / 99


def naive(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Predictive:
    """Repeat each series' last observed units.

    The spread around it at step k is that of the past k-week changes of the log units, centred, so that
    the median is the last observation itself. Promotions play no part.
    """
    cells = future_cells(series_of(panel), spec)
    log_units = np.log1p(panel.pivot(index=schemas.SERIES, columns="week", values="units").to_numpy())
    last = panel.dropna(subset="units").groupby(schemas.SERIES)["units"].last().to_numpy()
    draws = np.empty((len(last), spec.horizon, len(PROBABILITIES)))
    for position, step in enumerate(spec.steps):
        changes = log_units[:, step:] - log_units[:, :-step]
        for row, change in enumerate(changes):
            observed = change[~np.isnan(change)]
            spread = (
                np.quantile(observed, PROBABILITIES, method="hazen") - np.median(observed) if observed.size else 0.0
            )
            draws[row, position] = np.expm1(np.log1p(last[row]) + spread)
    return Predictive(cells, np.maximum(draws.reshape(len(cells), -1), 0.0))
