"""The price response and its boosted correction, averaged: half of the correction is kept."""

import pandas as pd

from forecasting.models.boosted_trees import boosted_trees
from forecasting.models.price_response import price_response
from forecasting.predictive import Predictive, averaged
from forecasting.spec import ForecastSpec

WEIGHTS = {price_response: 0.5, boosted_trees: 0.5}


def ensemble(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Predictive:
    """Forecast every series of `panel`; arguments as in `price_response`."""
    return averaged([model(panel, promotions, spec) for model in WEIGHTS], list(WEIGHTS.values()))
