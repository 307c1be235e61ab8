"""A model of somebody's own, which warns of everything and cannot stand one series."""

import warnings

import pandas as pd

from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.models import get_model


def picky(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> PredictiveDistribution:
    """The mean, for all series but that of store 2 product 5."""
    warnings.warn("there is dust on the shelf", RuntimeWarning, stacklevel=1)
    if ((panel["store"] == 2) & (panel["product"] == 5)).any():
        raise ZeroDivisionError
    return get_model("mean").forecast(panel, promotions, spec)
