"""A model that says that it is at work, and is still at work whenever a test stops it."""

import os
import time
from pathlib import Path

import pandas as pd

from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution


def endless(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> PredictiveDistribution:
    """Nothing, but a file in the folder that TEST_RUN names."""
    (Path(os.environ["TEST_RUN"]) / "computing").touch()
    while True:
        time.sleep(1)
