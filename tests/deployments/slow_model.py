"""A model that is still at work whenever a test stops it."""

import time

import pandas as pd

from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.models import get_model


def slow(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> PredictiveDistribution:
    """The mean, after ten minutes."""
    time.sleep(600)
    return get_model("mean").forecast(panel, promotions, spec)
