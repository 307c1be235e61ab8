"""The stages that compute a week's forecast: the batch is cut into partitions, and a cluster forecasts them."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime

import pandas as pd

from forecasting.compute import Cluster
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.core.fitted_model import FittedModel
from forecasting.core.partition import Partition
from forecasting.core.retry_queue import Outcome
from forecasting.core.run_identity import identify
from forecasting.pipeline.forecast import Progress, make_partitions, map_forecast
from forecasting.pipeline.model_selection import ModelChoice
from forecasting.storage.fingerprint import code_fingerprint
from forecasting.storage.lake import Lake
from forecasting.storage.locks import waiting_lock


@dataclass(frozen=True)
class ForecastBatch:
    """The batch of a run: its identity and its partitions.

    as_of: the moment up to which everything was collected that it knows.
    spec: with the model that was chosen.
    fitted, version: the registered model; None where each partition fits its own.
    """

    run_id: str
    as_of: datetime
    spec: ForecastSpec
    batch_spec: BatchSpec
    partitions: list[Partition] = field(repr=False)
    fitted: FittedModel | None = field(default=None, repr=False)
    version: str | None = None

    @property
    def cutoff(self) -> date:
        return self.spec.cutoff

    @property
    def series(self) -> pd.DataFrame:
        return pd.concat([partition.series for partition in self.partitions], ignore_index=True)


def prepare(lake: Lake, spec: ForecastSpec, choice: ModelChoice, batch: BatchSpec) -> ForecastBatch:
    """Cut what is known at the cutoff into partitions, and give the run its identity.

    Raises:
        RunError: the registered model is damaged.
        OptionError: it cannot make this forecast.
    """
    spec = replace(spec, model=choice.model)
    fitted = lake.models.load(choice.version)[1] if choice.version else None
    # Not while another run adds rows: the same moment must always stand for the same rows.
    with waiting_lock(lake.lock_path("collect")):
        as_of = lake.last_collected()
    snapshot = lake.snapshot(spec.cutoff, as_of)
    options = {"error_threshold": batch.error_threshold} | ({"version": choice.version} if choice.version else {})
    run_id = identify(snapshot.sales, snapshot.promotions, spec, options, code_fingerprint(spec.model))
    partitions = make_partitions(snapshot.sales, snapshot.promotions, spec, batch.mini_batch_size, fitted)
    return ForecastBatch(run_id, as_of, spec, batch, partitions, fitted, choice.version)


def forecast(cluster: Cluster, lake: Lake, batch: ForecastBatch, *, on_progress: Progress) -> pd.DataFrame:
    """Forecast all partitions on the cluster; a series that fails gets a fallback and the reason.

    Partitions that an interrupted run of the same batch has finished are taken from the lake.

    Raises:
        TooManyFallbacks: more series failed than `error_threshold` allows.
    """
    finished = lake.partials.read(batch.run_id, batch.partitions)
    done = len(finished)
    on_progress(done, len(batch.partitions))

    def on_outcome(outcome: Outcome) -> None:
        nonlocal done
        done += 1
        on_progress(done, len(batch.partitions))
        if not outcome.reasons and len(outcome.frames) == 1:
            lake.partials.write(batch.run_id, outcome.partition, outcome.frames[0])

    return map_forecast(
        cluster, batch.partitions, batch.spec, batch.batch_spec, on_outcome, finished=finished, fitted=batch.fitted
    )
