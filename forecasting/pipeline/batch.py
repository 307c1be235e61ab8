"""The stages that compute a week's forecast: the batch is cut into partitions, and a cluster forecasts them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import pandas as pd

from forecasting.compute import Cluster
from forecasting.contracts import schemas
from forecasting.contracts.errors import TooManyFallbacks
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.contracts.table import Table
from forecasting.core.fitted_model import FittedModel
from forecasting.core.forecast_checks import keys_of, unusable_series
from forecasting.core.partition import Partition
from forecasting.core.retry_queue import PartitionOutcome, RetryQueue
from forecasting.core.run_identity import identify
from forecasting.models import get_model
from forecasting.pipeline.forecast import assemble, forecast_partition, make_partitions, untrained_series
from forecasting.storage.fingerprint import code_fingerprint
from forecasting.storage.lake import Lake
from forecasting.storage.leases import waiting_lease

if TYPE_CHECKING:  # the choice itself needs a backtest, and so this module
    from forecasting.pipeline.model_selection import ModelChoice

Progress = Callable[[int, int], None]  # called with how much is done, and how much there is in all


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


def prepare(lake: Lake, spec: ForecastSpec, choice: "ModelChoice", batch: BatchSpec) -> ForecastBatch:
    """Cut what is known at the cutoff into partitions, and give the run its identity.

    Raises:
        RunError: the registered model is damaged.
        OptionError: it cannot make this forecast.
    """
    spec = replace(spec, model=choice.model)
    fitted = lake.models.load(choice.version)[1] if choice.version else None
    # Not while another run adds rows: the same moment must always stand for the same rows.
    with waiting_lease(lake.lock("collect")):
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

    def on_outcome(outcome: PartitionOutcome) -> None:
        nonlocal done
        done += 1
        on_progress(done, len(batch.partitions))
        if not outcome.reasons and len(outcome.frames) == 1:
            lake.partials.write(batch.run_id, outcome.partition, outcome.frames[0])

    return map_forecast(
        cluster, batch.partitions, batch.spec, batch.batch_spec, on_outcome, finished=finished, fitted=batch.fitted
    )


def map_forecast(
    cluster: Cluster,
    partitions: list[Partition],
    spec: ForecastSpec,
    batch: BatchSpec,
    on_outcome: Callable[[PartitionOutcome], None],
    *,
    finished: Mapping[str, pd.DataFrame] | None = None,
    table: Callable[[PanelDefinition], Table] = schemas.forecast,
    fitted: FittedModel | None = None,
) -> pd.DataFrame:
    """Return the forecast of all partitions, as a weekly run and a fold of a backtest both make it.

    Args:
        finished: rows of partitions that need not be computed again, by name.
        table: `schemas.forecast`, or `schemas.all_points`.
        fitted: the model that the partitions carry; a series that it was not trained on gets a fallback.

    Raises:
        TooManyFallbacks: more series failed than `error_threshold` allows.
    """
    finished = finished or {}
    queue = RetryQueue(
        [partition for partition in partitions if partition.name not in finished],
        max_retries=batch.max_retries,
        pooled=get_model(spec.model).pooled != "nothing",
        error_threshold=batch.error_threshold,
        unusable=lambda rows, series: unusable_series(rows, series, spec) | untrained_series(series, fitted),
    )
    outcomes = cluster.map_partitions(forecast_partition, queue, spec, timeout=batch.timeout, on_outcome=on_outcome)
    series = sum(len(partition.series) for partition in partitions)
    nothing_worked = batch.error_threshold >= 0 and len(queue.reasons) == series
    if queue.refused or nothing_worked:
        failed = [key for partition in partitions for key in keys_of(partition.series) if key in queue.reasons]
        examples = tuple(f"{spec.definition.named(key)}: {queue.reasons[key]}" for key in failed[:3])
        raise TooManyFallbacks(spec.cutoff, len(failed), batch.error_threshold, examples)
    frames = [*finished.values(), *(rows for outcome in outcomes for rows in outcome.frames)]
    return assemble(frames, partitions, queue.reasons, spec, table(spec.definition))
