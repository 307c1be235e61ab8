"""The stages that make a week's forecast and publish it, as plain functions of lake and values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from forecasting.compute import Cluster
from forecasting.contracts import schemas
from forecasting.contracts.errors import SchemaError, TooManyFallbacks
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.contracts.table import Table
from forecasting.core.fitted_model import FittedModel
from forecasting.core.forecast_checks import unusable_series
from forecasting.core.partition import Partition
from forecasting.core.retry_queue import Outcome, RetryQueue
from forecasting.core.run_identity import identify
from forecasting.models import get_model
from forecasting.pipeline.forecast import assemble, forecast_partition, make_partitions, untrained_series
from forecasting.storage.fingerprint import code_fingerprint
from forecasting.storage.lake import Lake
from forecasting.storage.locks import waiting_lock


@dataclass(frozen=True)
class ForecastBatch:
    """The batch of a run: its identity, its partitions, and up to which moment what it knows was collected.

    fitted, version: the fitted model where one is kept, and its version.
    """

    run_id: str
    partitions: list[Partition] = field(repr=False)
    as_of: datetime
    fitted: FittedModel | None = field(default=None, repr=False)
    version: str | None = None

    @property
    def series(self) -> pd.DataFrame:
        return pd.concat([partition.series for partition in self.partitions], ignore_index=True)


def prepare(
    lake: Lake, spec: ForecastSpec, batch: BatchSpec, fitted: FittedModel | None = None, version: str | None = None
) -> ForecastBatch:
    """Cut what is known at the cutoff into partitions, and give the run its identity.

    Args:
        fitted: the model of that version, where one is kept.
    """
    # Not in the middle of what another run takes in: the same moment must always tell the same.
    with waiting_lock(lake.lock_path("collect")):
        as_of = lake.last_collected()
    known = lake.snapshot(spec.cutoff, as_of)
    options = {"error_threshold": batch.error_threshold} | ({"version": version} if version else {})
    run_id = identify(known.sales, known.promotions, spec, options, code_fingerprint(spec.model))
    partitions = make_partitions(known.sales, known.promotions, spec, batch.mini_batch_size, fitted)
    return ForecastBatch(run_id, partitions, as_of, fitted, version)


def is_final(lake: Lake, cutoff: date, work: ForecastBatch) -> bool:
    """Whether this very run is published, and nothing in it was left to chance: a lost worker may not be lost again."""
    if lake.forecasts.run_id(cutoff) != work.run_id:
        return False
    table = current_forecast(lake, cutoff)
    return table is not None and not table["reason"].isin(["timed_out", "worker_lost"]).any()


def forecast(
    cluster: Cluster,
    lake: Lake,
    work: ForecastBatch,
    spec: ForecastSpec,
    batch: BatchSpec,
    on_progress: Callable[[int, int], None],
) -> pd.DataFrame:
    """Forecast all partitions on the cluster; a series that fails gets a fallback and the reason.

    Partitions that an earlier, interrupted try of this very run has finished are taken from the lake.

    Raises:
        TooManyFallbacks: more series failed than `error_threshold` allows.
    """
    kept = lake.partials.read(work.run_id, work.partitions)
    done = len(kept)
    on_progress(done, len(work.partitions))

    def on_outcome(outcome: Outcome) -> None:
        nonlocal done
        done += 1
        on_progress(done, len(work.partitions))
        if not outcome.reasons and len(outcome.frames) == 1:
            lake.partials.write(work.run_id, outcome.partition, outcome.frames[0])

    return map_forecast(cluster, work.partitions, spec, batch, on_outcome, kept=kept, fitted=work.fitted)


def map_forecast(
    cluster: Cluster,
    partitions: list[Partition],
    spec: ForecastSpec,
    batch: BatchSpec,
    on_outcome: Callable[[Outcome], None],
    *,
    kept: Mapping[str, pd.DataFrame] | None = None,
    table: Table = schemas.FORECAST,
    fitted: FittedModel | None = None,
) -> pd.DataFrame:
    """The forecast of all partitions, as a weekly run and a backtest's fold both make it.

    Args:
        kept: rows of partitions that need not be computed any more, by name.
        table: `forecast`, or `all_points`.
        fitted: what the model has learnt before, as the partitions have it; a series it does not know is given up.

    Raises:
        TooManyFallbacks: more series failed than `error_threshold` allows.
    """
    kept = kept or {}
    queue = RetryQueue(
        [partition for partition in partitions if partition.name not in kept],
        max_retries=batch.max_retries,
        pooled=get_model(spec.model).pooled != "nothing",
        error_threshold=batch.error_threshold,
        unusable=lambda rows, series: unusable_series(rows, series, spec) | untrained_series(series, fitted),
    )
    outcomes = cluster.map_partitions(forecast_partition, queue, spec, timeout=batch.timeout, on_outcome=on_outcome)
    series = sum(len(partition.series) for partition in partitions)
    nothing_worked = batch.error_threshold >= 0 and len(queue.reasons) == series
    if queue.refused or nothing_worked:
        failed = sorted(queue.reasons.items())
        examples = tuple(f"store {store} product {product}: {why}" for (store, product), why in failed[:3])
        raise TooManyFallbacks(spec.cutoff, len(failed), batch.error_threshold, examples)
    frames = [*kept.values(), *(rows for outcome in outcomes for rows in outcome.frames)]
    return assemble(frames, partitions, queue.reasons, spec, table)


def current_forecast(lake: Lake, cutoff: date) -> pd.DataFrame | None:
    """The forecast that a new one would replace; None where there is none, or its file is damaged."""
    try:
        return lake.forecasts.read(cutoff) if lake.forecasts.run_id(cutoff) else None
    except SchemaError:
        return None


def publish(lake: Lake, table: pd.DataFrame, work: ForecastBatch, spec: ForecastSpec) -> Path:
    """Put the forecast in force in one atomic step."""
    return lake.forecasts.publish(table, work.series, spec, work.run_id, work.as_of, work.version)
