"""A model of somebody's own, which warns of everything and cannot stand one series."""

import warnings

import pandas as pd

from forecasting.models.mean import mean
from forecasting.predictive import Predictive
from forecasting.spec import ForecastSpec


def picky(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Predictive:
    """The mean, for all series but that of store 2 brand 5."""
    warnings.warn("there is dust on the shelf", RuntimeWarning, stacklevel=1)
    if ((panel["store"] == 2) & (panel["brand"] == 5)).any():
        raise ZeroDivisionError
    return mean(panel, promotions, spec)
