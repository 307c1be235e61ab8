"""The price response and its boosted correction, averaged: half of the correction is used."""

import pandas as pd

from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution, averaged
from forecasting.core.partition import Pooled
from forecasting.core.pool import Pool
from forecasting.models.boosted_trees import BoostedTrees
from forecasting.models.model import OnePassModel
from forecasting.models.price_response import PriceResponse

MEMBERS = (PriceResponse(), BoostedTrees())
WEIGHTS = (0.5, 0.5)


class Ensemble(OnePassModel):
    """The mean of the members' quantiles, in logs."""

    name = "ensemble"
    summary = "price_response and boosted_trees, averaged"
    pooled: Pooled = "everything"
    trainable = False

    def forecast(
        self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, pool: Pool | None = None
    ) -> PredictiveDistribution:
        """Return the weighted mean of the members' forecasts."""
        return averaged([member.forecast(panel, promotions, spec) for member in MEMBERS], WEIGHTS)
