"""The stages that make a week's forecast and publish it, as plain functions of lake and values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from forecasting import schemas
from forecasting.adapters.cluster import Cluster
from forecasting.adapters.fingerprint import code_fingerprint
from forecasting.adapters.lake import Lake
from forecasting.adapters.locks import waiting_lock
from forecasting.adapters.partials import keep_partial, kept_partials
from forecasting.adapters.publish import publish as publish_forecast
from forecasting.batch import Batch, Outcome
from forecasting.errors import SchemaError, TooManyFallbacks
from forecasting.forecast import assemble, forecast_partition, make_partitions, untrained_series, unusable_series
from forecasting.models import get_model
from forecasting.models.fitted import Fitted
from forecasting.partition import Partition
from forecasting.run import identify
from forecasting.spec import BatchSpec, ForecastSpec
from forecasting.table import Table


@dataclass(frozen=True)
class Work:
    """The batch of a run: its identity, its partitions, and up to which moment what it knows was collected.

    fitted, version: the fitted model where one is kept, and its version.
    """

    run_id: str
    partitions: list[Partition] = field(repr=False)
    known_at: datetime
    fitted: Fitted | None = field(default=None, repr=False)
    version: str | None = None

    @property
    def series(self) -> pd.DataFrame:
        return pd.concat([partition.series for partition in self.partitions], ignore_index=True)


def prepare(
    lake: Lake, spec: ForecastSpec, batch: BatchSpec, fitted: Fitted | None = None, version: str | None = None
) -> Work:
    """Cut what is known at the cutoff into partitions, and give the run its identity.

    Args:
        fitted: the model of that version, where one is kept.
    """
    # Not in the middle of what another run takes in: the same moment must always tell the same.
    with waiting_lock(lake.lock_path("collect")):
        known_at = lake.last_collected()
    known = lake.known(spec.cutoff, known_at)
    options = {"error_threshold": batch.error_threshold} | ({"version": version} if version else {})
    run_id = identify(known.sales, known.promotions, spec, options, code_fingerprint(spec.model))
    partitions = make_partitions(known.sales, known.promotions, spec, batch.mini_batch_size, fitted)
    return Work(run_id, partitions, known_at, fitted, version)


def is_final(lake: Lake, cutoff: date, work: Work) -> bool:
    """Whether this very run is published, and nothing in it was left to chance: a lost worker may not be lost again."""
    if lake.published_run_id(cutoff) != work.run_id:
        return False
    table = in_force(lake, cutoff)
    return table is not None and not table["reason"].isin(["timed_out", "worker_lost"]).any()


def forecast(
    cluster: Cluster,
    lake: Lake,
    work: Work,
    spec: ForecastSpec,
    batch: BatchSpec,
    on_progress: Callable[[int, int], None],
) -> pd.DataFrame:
    """Forecast all partitions on the cluster; a series that fails gets a fallback and the reason.

    Partitions that an earlier, interrupted try of this very run has finished are taken from the lake.

    Raises:
        TooManyFallbacks: more series failed than `error_threshold` allows.
    """
    kept = kept_partials(lake, work.run_id, work.partitions)
    done = len(kept)
    on_progress(done, len(work.partitions))

    def on_outcome(outcome: Outcome) -> None:
        nonlocal done
        done += 1
        on_progress(done, len(work.partitions))
        if not outcome.reasons and len(outcome.frames) == 1:
            keep_partial(lake, work.run_id, outcome.partition, outcome.frames[0])

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
    fitted: Fitted | None = None,
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
    queue = Batch(
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
        examples = tuple(f"store {store} brand {brand}: {why}" for (store, brand), why in failed[:3])
        raise TooManyFallbacks(spec.cutoff, len(failed), batch.error_threshold, examples)
    frames = [*kept.values(), *(rows for outcome in outcomes for rows in outcome.frames)]
    return assemble(frames, partitions, queue.reasons, spec, table)


def in_force(lake: Lake, cutoff: date) -> pd.DataFrame | None:
    """The forecast that a new one would replace; None where there is none, or its file is damaged."""
    try:
        return lake.published(cutoff) if lake.published_run_id(cutoff) else None
    except SchemaError:
        return None


def publish(lake: Lake, table: pd.DataFrame, work: Work, spec: ForecastSpec) -> Path:
    """Put the forecast in force in one atomic step."""
    return publish_forecast(lake, table, work.series, spec, work.run_id, work.known_at, work.version)
