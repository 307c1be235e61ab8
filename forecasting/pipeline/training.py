"""Training: fit a model to a whole panel at a cutoff."""

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.fitted_model import FittedModel
from forecasting.models import get_model
from forecasting.pipeline.forecast import make_partitions


def train(sales: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> FittedModel:
    """Fit the model of `spec` to every active series.

    Args:
        sales: table `sales`; rows after the cutoff are ignored.
        promotions: table `promotions`, past and future; weeks beyond the horizon are ignored.

    Raises:
        DataError: nothing was sold in the weeks up to the cutoff.
        OptionError: the model cannot be trained.
    """
    model = get_model(spec.model)
    model.require_trainable()
    fits = [
        model.fit(partition.panel, partition.promotions, spec)
        for partition in make_partitions(sales, promotions, spec, mini_batch_size=1_000)
    ]
    rows = pd.concat([each.parameters for each in fits], ignore_index=True)
    texts = {name: text for each in fits for name, text in each.texts.items()}
    ordered = rows.sort_values(list(schemas.PARAMETERS.key), ignore_index=True)
    return FittedModel(spec, schemas.PARAMETERS.cast(ordered), texts)
