"""The stages of the weekly run, as plain functions: they bring the pure core and the adapters together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from forecasting import ledger as ledgers
from forecasting import schemas
from forecasting.adapters.cluster import Cluster
from forecasting.adapters.code import code_fingerprint
from forecasting.adapters.inbox import InboxFile, list_inbox, read_inbox
from forecasting.adapters.lake import Lake
from forecasting.adapters.locks import waiting_lock
from forecasting.adapters.partials import keep_partial, kept_partials
from forecasting.adapters.publish import publish as publish_forecast
from forecasting.batch import Batch, Outcome
from forecasting.errors import DataError, SchemaError, TooManyFallbacks, WeekWaiting
from forecasting.forecast import assemble, forecast_partition, make_partitions, untrained_series, unusable_series
from forecasting.known import merge_newer
from forecasting.ledger import Acceptance, Ledger
from forecasting.models import get_model
from forecasting.models.fitted import Fitted
from forecasting.partition import Partition
from forecasting.run import identify
from forecasting.spec import BatchSpec, ForecastSpec, GateSpec
from forecasting.table import Table
from forecasting.timetable import due_weeks, last_closed
from forecasting.validate import Validated
from forecasting.validate import validate as validate_rows


@dataclass(frozen=True)
class Arrived:
    """What the inbox held of the weeks up to the cutoff: its files and all their lines, as text."""

    files: list[InboxFile]
    rows: pd.DataFrame


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


def choose_weeks(lake: Lake, at: datetime) -> list[date]:
    """The weeks that have come and are not published, oldest first; several after an outage.

    Raises:
        DataError: the lake is empty, and so is its inbox.
    """
    weeks = due_weeks(
        dropped=_weeks_of_inbox(lake),
        admitted=lake.weeks_of_ledger(),
        published=lake.published_cutoffs(),
        collected=lake.weeks_of_sales(),
        closed=last_closed(at, lake.time_zone, lake.week_starts_on),
    )
    if not weeks:
        raise DataError(
            f"The lake {lake.root} has no sales and its inbox is empty", "let a week arrive with `oj feed` first"
        )
    return weeks


def weeks_to_backfill(lake: Lake, first: date, last: date | None, at: datetime) -> list[date]:
    """The closed weeks from `first` to `last` of which anything has come, oldest first.

    Raises:
        DataError: there are none.
    """
    closed = last_closed(at, lake.time_zone, lake.week_starts_on)
    known = sorted({*lake.weeks_of_sales(), *_weeks_of_inbox(lake)})
    weeks = [week for week in known if first <= week <= min(last or closed, closed)]
    if not weeks:
        raise DataError(
            f"The lake {lake.root} has no week from {first} to {last or closed} to forecast from",
            f"name weeks from {known[0]} to {known[-1]}" if known else "let a week arrive with `oj feed` first",
        )
    return weeks


def collect(lake: Lake, cutoff: date) -> Arrived:
    """Read the inbox: every file of a week up to the cutoff, and those whose name tells no week."""
    files = [file for file in list_inbox(lake.inbox, lake.week_starts_on) if file.week is None or file.week <= cutoff]
    return Arrived(files, read_inbox(files))


def validate(lake: Lake, arrived: Arrived) -> Validated:
    """Check every row against the contract and against what was collected before."""
    return validate_rows(
        arrived.rows,
        stores=lake.stores(),
        brands=lake.brands(),
        collected=lake.sales(),
        unusual=lake.unusual(),
        week_starts_on=lake.week_starts_on,
    )


def look(lake: Lake, week: date, spec: GateSpec, at: datetime) -> Ledger:
    """What has come of a week so far, inbox and all, and what the gate says of it at that moment. Changes nothing.

    Raises:
        ForecastingError: the gate refuses the week.
    """
    return _assess(lake, week, validate(lake, collect(lake, week)), spec, at)


def gate(lake: Lake, week: date, arrived: Arrived, checked: Validated, spec: GateSpec, at: datetime) -> Ledger:
    """Decide whether the week goes on; if so, take its rows into the lake. A refused week changes nothing.

    Raises:
        WeekWaiting: stores may still report until the deadline.
        WeekNotWhole: too few stores have reported, and nobody accepted the gaps.
    """
    ledger = _assess(lake, week, checked, spec, at)
    if ledger.status == "waiting":
        raise WeekWaiting(week, ledger.gaps, spec.deadline)
    # Another run may be taking in an earlier week's late files at this moment.
    with waiting_lock(lake.lock_path("collect")):
        collected = lake.begin_collecting(at)
        lake.add_corrections(week, checked.sales, collected)
        lake.add_sales(checked.sales, collected)
        lake.add_promotions(checked.promotions, collected)
        lake.add_quarantined(week, checked.quarantined, [file.name for file in arrived.files])
        lake.write_ledger(week, ledger.as_dict())
        # A store whose week misses a day keeps its files in the inbox, where the late day completes them.
        incomplete = set(checked.quarantined.loc[checked.quarantined["rule"] == "day_missing", "file"])
        # One that was replaced since it was read stays too, and is read by the next run.
        done = [file for file in arrived.files if file.name not in incomplete and file.is_unchanged]
        lake.archive(week, [file.path for file in done])
    return ledger


def accept(lake: Lake, week: date, why: str, by: str, at: datetime) -> Acceptance:
    """Record that somebody lets the week go on with its gaps."""
    accepted = Acceptance(by, why, at.isoformat(timespec="seconds"))
    lake.write_acceptance(week, accepted)
    return accepted


def late_files(lake: Lake, week: date, arrived: Arrived) -> dict[date, list[str]]:
    """Names of files of earlier weeks whose forecast was published without them, by week."""
    published = set(lake.published_cutoffs())
    late: dict[date, list[str]] = {}
    for file in arrived.files:
        if file.week in published and file.week < week:
            late.setdefault(file.week, []).append(file.name)
    return late


def _weeks_of_inbox(lake: Lake) -> set[date]:
    return {file.week for file in list_inbox(lake.inbox, lake.week_starts_on) if file.week}


def _assess(lake: Lake, week: date, checked: Validated, spec: GateSpec, at: datetime) -> Ledger:
    taken = ledgers.take_stock(merge_newer(lake.sales(week), checked.sales), week, checked.missing_days)
    is_closed = at >= spec.deadline
    accepted = lake.acceptance(week)
    if is_closed and spec.below_minimum == "go_on" and not accepted:
        accepted = Acceptance("the option below_minimum", "the deadline has passed", at.isoformat(timespec="seconds"))
    return ledgers.gate(taken, min_reporting=spec.min_reporting, is_closed=is_closed, accepted=accepted)


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
    run_id = identify(known.sales, known.promotions, spec, options, code_fingerprint())
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


def ledger_summary(ledger: Ledger, checked: Validated) -> dict[str, Any]:
    """What came in, for the receipt."""
    return {
        "ledger": ledger.as_dict(),
        "rows_in": checked.rows_in,
        "rows_accepted": checked.accepted,
        "rows_dropped": checked.dropped,
        "rows_quarantined": len(checked.quarantined),
        "quarantined_by_rule": checked.quarantined_by_rule,
        "rows_corrected": sum(checked.corrected_by_week.values()),
        "corrected_by_week": {str(corrected): rows for corrected, rows in checked.corrected_by_week.items()},
    }
