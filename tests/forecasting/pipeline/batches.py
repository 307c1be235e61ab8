"""Batches of a small lake, prepared by any model and of any size."""

from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.pipeline.batch import ForecastBatch, prepare
from forecasting.pipeline.model_selection import ModelChoice
from forecasting.storage.lake import Lake

CUTOFF = dominicks_week(130)


def batch_of(lake: Lake, model: str, size: int) -> ForecastBatch:
    batch = prepare(lake, ForecastSpec(CUTOFF, model=model), ModelChoice(model, "always"), BatchSpec(size))
    lake.partials.begin(batch.run_id)
    return batch
