"""A model that is still at work whenever a test stops it."""

import time

import pandas as pd

from forecasting.models import get_model
from forecasting.predictive import Predictive
from forecasting.spec import ForecastSpec


def slow(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Predictive:
    """The mean, after ten minutes."""
    time.sleep(600)
    return get_model("mean").forecast(panel, promotions, spec)
