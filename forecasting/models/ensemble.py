"""The price response and its boosted correction, averaged: half of the correction is kept."""

import pandas as pd

from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution, averaged
from forecasting.models.boosted_trees import boosted_trees
from forecasting.models.price_response import price_response

WEIGHTS = {price_response: 0.5, boosted_trees: 0.5}


def ensemble(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> PredictiveDistribution:
    """Forecast every series of `panel`; arguments as in `price_response`."""
    return averaged([model(panel, promotions, spec) for model in WEIGHTS], list(WEIGHTS.values()))
