"""The stages that compute a week's forecast: the batch is cut into partitions, and a cluster forecasts them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import pandas as pd

from forecasting.compute import Cluster
from forecasting.contracts import schemas
from forecasting.contracts.errors import TooManyFallbacks
from forecasting.contracts.panel_definition import Id, PanelDefinition
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.contracts.table import Table
from forecasting.core.completeness import active_series, first_active_week
from forecasting.core.forecast_checks import keys_of
from forecasting.core.panel import series_of
from forecasting.core.partition import (
    Partition,
    PartitionData,
    bucket_size,
    is_pooled_apart,
    plan_partitions,
    stores_of,
)
from forecasting.core.pool import Pool, pooled_series
from forecasting.core.retry_queue import PartitionOutcome, RetryQueue
from forecasting.core.run_identity import identify
from forecasting.models import get_model
from forecasting.pipeline.forecast import assemble, guesses_of, guessing_stores, require_some
from forecasting.pipeline.parts import PartitionReader, forecast_data, forecast_part, learn_part
from forecasting.pipeline.staged import StagedForecast
from forecasting.storage.fingerprint import code_fingerprint
from forecasting.storage.lake import Lake
from forecasting.storage.leases import waiting_lease

if TYPE_CHECKING:  # the choice itself needs a backtest, and so this module
    from forecasting.pipeline.model_selection import ModelChoice

Progress = Callable[[int, int], None]  # called with how much is done, and how much there is in all


@dataclass(frozen=True)
class ForecastBatch:
    """The batch of a run: its identity, its partitions, and where their rows are read.

    as_of: the moment up to which everything was collected that it knows.
    spec: with the model that was chosen.
    version: the registered model; None where each partition fits its own.
    pools: partitions of the pooled series, from which is learnt before; none where no product has more stores.
    """

    run_id: str
    as_of: datetime
    spec: ForecastSpec
    batch_spec: BatchSpec
    partitions: list[Partition] = field(repr=False)
    reader: PartitionReader = field(repr=False)
    version: str | None = None
    pools: list[Partition] = field(default_factory=list, repr=False)

    @property
    def cutoff(self) -> date:
        return self.spec.cutoff

    @property
    def series(self) -> pd.DataFrame:
        """The series to forecast, sorted."""
        return series_of(pd.concat([partition.series for partition in self.partitions], ignore_index=True))


def prepare(lake: Lake, spec: ForecastSpec, choice: "ModelChoice", batch: BatchSpec) -> ForecastBatch:
    """Cut what is known at the cutoff into partitions, and give the run its identity.

    Raises:
        DataError: nothing was sold in the weeks up to the cutoff.
        RunError: the registered model is damaged.
        OptionError: it cannot make this forecast.
    """
    spec = replace(spec, model=choice.model)
    if choice.version:
        lake.models.load(choice.version)[1].require_fit_for(spec)
    # Not while another run adds rows: the same moment must always stand for the same rows.
    with waiting_lease(lake.lock("collect")):
        as_of = lake.last_collected()
    options = {"error_threshold": batch.error_threshold} | ({"version": choice.version} if choice.version else {})
    run_id = identify(lake.digests(spec.cutoff, as_of), spec, options, code_fingerprint(spec.model))
    series, model = _active(lake, spec, as_of), get_model(spec.model)
    require_some(series, spec)
    size, pooled, pools = batch.mini_batch_size, model.pooled, []
    if is_pooled_apart(series, model.most_pooled) and not choice.version:
        pools = plan_partitions(pooled_series(series), mini_batch_size=size, pooled=pooled, name="pool")
        size, pooled = bucket_size(series, size), "nothing"
    partitions = plan_partitions(series, mini_batch_size=size, pooled=pooled)
    # Where a model pools, each partition has all stores, and with them the chain's offers.
    is_cut = pooled == "nothing" and len(partitions) > 1
    guesses = _guesses(lake, spec, as_of, guessing_stores(series)) if is_cut else None
    reader = PartitionReader(lake.url, run_id, as_of, spec, choice.version, bool(pools), guesses)
    return ForecastBatch(run_id, as_of, spec, batch, partitions, reader, choice.version, pools)


def _active(lake: Lake, spec: ForecastSpec, as_of: datetime) -> pd.DataFrame:
    """Return the series to forecast, sorted; one week is held at a time."""
    found = lake.sales.table.empty()[schemas.SERIES]
    for rows in lake.sales.by_week(first_active_week(spec.cutoff), spec.cutoff, as_of):
        active = active_series(rows, spec.cutoff, spec.definition.unsold)
        found = pd.concat([found, active], ignore_index=True).drop_duplicates()
    return series_of(found)


def _guesses(lake: Lake, spec: ForecastSpec, as_of: datetime, stores: frozenset[Id] | None) -> pd.DataFrame:
    between = (min(stores), max(stores)) if stores else None
    promotions = lake.promotions.read(spec.cutoff, as_of, between, stores)
    return guesses_of(promotions[schemas.promotions(spec.definition).columns], spec)


def forecast(cluster: Cluster, lake: Lake, batch: ForecastBatch, *, on_progress: Progress) -> StagedForecast:
    """Forecast all partitions on the cluster; a series that fails gets a fallback and the reason.

    Partitions that an interrupted run of the same batch has finished are taken from the lake.

    Raises:
        TooManyFallbacks: more series failed than `error_threshold` allows.
    """
    lake.partials.begin(batch.run_id)
    if batch.pools and not lake.partials.read_pool(batch.run_id):
        lake.partials.write_pool(batch.run_id, _learnt(cluster, batch))
    parts: dict[str, tuple[str, ...]] = {
        name: (name,) for name in lake.partials.finished(batch.run_id, batch.partitions, batch.spec)
    }
    done = len(parts)
    on_progress(done, len(batch.partitions))

    def on_outcome(outcome: PartitionOutcome) -> None:
        nonlocal done
        done += 1
        for number, part in enumerate(outcome.parts):
            if part.rows is not None:  # its worker does not reach the lake
                lake.partials.write(batch.run_id, part.name, part.rows)
                outcome.parts[number] = replace(part, rows=None)
        parts[outcome.partition.name] = tuple(part.name for part in outcome.parts)
        on_progress(done, len(batch.partitions))

    queue = _queue([each for each in batch.partitions if each.name not in parts], batch.spec, batch.batch_spec)
    cluster.map_partitions(
        forecast_part,
        queue,
        batch.reader,
        timeout=batch.batch_spec.timeout,
        on_outcome=on_outcome,
        rows=batch.reader.read,
    )
    _require_few_failures(queue, batch.partitions, batch.spec, batch.batch_spec)
    return StagedForecast(lake, batch.partitions, batch.reader, parts, dict(queue.reasons))


def _learnt(cluster: Cluster, batch: ForecastBatch) -> Pool:
    """Return what the model learns from the pooled series.

    A product of which nothing can be learnt is not in it: its series fail where they are forecast, each with a reason.
    """
    stores = stores_of(batch.pools)
    queue = _queue(batch.pools, batch.spec, replace(batch.batch_spec, error_threshold=-1))
    outcomes = cluster.map_partitions(
        learn_part,
        queue,
        batch.reader,
        stores,
        timeout=batch.batch_spec.timeout,
        rows=lambda partition: batch.reader.read_pooled(partition, stores),
    )
    # Parts that were found by halves have learnt from less than the pool.
    return Pool.joined(part.pool for each in outcomes if len(each.parts) == 1 for part in each.parts if part.pool)


def map_forecast(
    cluster: Cluster,
    partitions: list[PartitionData],
    spec: ForecastSpec,
    batch: BatchSpec,
    *,
    table: Callable[[PanelDefinition], Table] = schemas.forecast,
) -> pd.DataFrame:
    """Return the forecast of partitions whose rows are held here, as for a fold of a backtest.

    Args:
        table: `schemas.forecast`, or `schemas.all_points`.

    Raises:
        TooManyFallbacks: more series failed than `error_threshold` allows.
    """
    queue = _queue(partitions, spec, batch)
    outcomes = cluster.map_partitions(forecast_data, queue, spec, timeout=batch.timeout)
    _require_few_failures(queue, partitions, spec, batch)
    frames = [part.rows for outcome in outcomes for part in outcome.parts if part.rows is not None]
    return assemble(frames, partitions, queue.reasons, spec, table(spec.definition))


def _queue(partitions: list[Partition] | list[PartitionData], spec: ForecastSpec, batch: BatchSpec) -> RetryQueue:
    return RetryQueue(
        partitions,
        max_retries=batch.max_retries,
        pooled=get_model(spec.model).pooled != "nothing",
        error_threshold=batch.error_threshold,
    )


def _require_few_failures(
    queue: RetryQueue, partitions: list[Partition] | list[PartitionData], spec: ForecastSpec, batch: BatchSpec
) -> None:
    """Check that no more series failed than may, and not all.

    Raises:
        TooManyFallbacks: more did.
    """
    nothing_worked = batch.error_threshold >= 0 and len(queue.reasons) == sum(len(each.series) for each in partitions)
    if queue.refused or nothing_worked:
        failed = [key for partition in partitions for key in keys_of(partition.series) if key in queue.reasons]
        examples = tuple(f"{spec.definition.named(key)}: {queue.reasons[key]}" for key in failed[:3])
        raise TooManyFallbacks(spec.cutoff, len(failed), batch.error_threshold, examples)
