"""A model that says that it is at work, and is still at work whenever a test stops it."""

import os
import time
from pathlib import Path

import pandas as pd

from forecasting.predictive import Predictive
from forecasting.spec import ForecastSpec


def endless(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Predictive:
    """Nothing, but a file in the folder that TEST_RUN names."""
    (Path(os.environ["TEST_RUN"]) / "computing").touch()
    while True:
        time.sleep(1)
