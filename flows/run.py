"""One run of one week, and the loop over several weeks: what surrounds the stages of `flows.weekly_forecast`."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from getpass import getuser
from typing import Any

from prefect import Flow

from flows.notify import Alerts, alert_on_failure
from flows.observers import PageWriter, Recorder, RunObserver
from flows.options import WeeklyOptions
from flows.prefect_page import PrefectPage, name_run
from flows.prefect_tasks import report_to_run, run_flow, stages_of
from flows.waiting import await_stores, take_over
from forecasting.best_effort import best_effort
from forecasting.clock import Stopwatch, now
from forecasting.compute import Cluster
from forecasting.compute import dask_cluster as start_cluster
from forecasting.contracts.errors import ForecastingError
from forecasting.contracts.run_record import Outcome, RunFailure, RunRecord
from forecasting.contracts.spec import ClusterSpec, ForecastSpec
from forecasting.pipeline import ingest
from forecasting.pipeline.batch import Progress
from forecasting.pipeline.model_selection import ModelChoice
from forecasting.pipeline.publication import PublishedForecast
from forecasting.storage.lake import Lake
from forecasting.storage.leases import week_lease

logger = logging.getLogger(__name__)


class WeekRun:
    """A run that is under way: its record grows with each result, and its observers are called."""

    def __init__(self, spec: ForecastSpec, observers: Sequence[RunObserver]) -> None:
        self.record = RunRecord(spec, now())
        self.clock = Stopwatch()
        # Raises where another run has taken over the week, as it may where this host stood still for long.
        self.may_go_on: Callable[[], None] = lambda: None
        self._observers = observers

    def start(self) -> None:
        """Call the observers as the run begins."""
        self._call(lambda observer: observer.run_started(self.record))

    def stage_finished(self, result: object) -> None:
        """Add the result of a stage to the record, and call the observers with it."""
        record = self.record.with_result(result)
        if isinstance(result, ModelChoice):
            record = replace(record, spec=replace(record.spec, model=result.model))
        if isinstance(result, PublishedForecast):
            record = replace(record, outcome=Outcome.PUBLISHED if result.is_new else Outcome.UNCHANGED)
        self.record = replace(record, seconds_by_stage=self._seconds())
        self._call(lambda observer: observer.stage_finished(result, self.record))

    def fail(self, error: BaseException) -> None:
        """Record what ended the run. A forecast that it had published by then stays published."""
        is_running = self.record.outcome is Outcome.RUNNING
        outcome = Outcome.FAILED if is_running else self.record.outcome
        self.record = replace(self.record, outcome=outcome, error=RunFailure(type(error).__name__, str(error)))

    def finish(self) -> None:
        """Close the record, and call the observers with it."""
        self.record = replace(self.record, seconds_by_stage=self._seconds())
        self._call(lambda observer: observer.run_finished(self.record))

    def _call(self, call: Callable[[RunObserver], None]) -> None:
        with self.clock.stage("observers"):
            for observer in self._observers:
                with best_effort(f"The run goes on, but its {type(observer).__name__} failed"):
                    call(observer)

    def _seconds(self) -> dict[str, float]:
        return {name: round(seconds, 3) for name, seconds in self.clock.seconds.items()}


@contextmanager
def week_run(lake: Lake, week: date, options: WeeklyOptions) -> Iterator[WeekRun]:
    """Surround the stages of one week: wait until it is whole, hold its lock, and record, show and alert.

    Raises:
        WeekBusy: another run holds the week.
    """
    name_run(week)
    observers = [Recorder(lake), PageWriter(lake), PrefectPage(lake), Alerts(lake, options.fallback_alarm)]
    with alert_on_failure(lake, week):
        if options.accept_gaps:
            ingest.accept(lake, week, options.accept_gaps, getuser(), now())
        await_stores(lake, week, options)
        take_over(week)
        with week_lease(lake.lock(str(week)), week) as lease, observed(options.spec(lake, week), observers) as run:
            run.may_go_on = lease.require_held
            yield run


@contextmanager
def observed(spec: ForecastSpec, observers: Sequence[RunObserver]) -> Iterator[WeekRun]:
    """Record the stages that are called in the `with` block, and call the observers, however the block ends."""
    run = WeekRun(spec, observers)
    run.start()
    try:
        with stages_of(run):
            yield run
    except BaseException as error:
        run.fail(error)
        raise
    finally:
        run.finish()


@contextmanager
def dask_cluster(spec: ClusterSpec, lake: Lake, purpose: str) -> Iterator[Cluster]:
    """Start a cluster that lives as long as the `with` block; what it did and cost becomes part of the run's record."""
    cluster: Cluster | None = None
    try:
        with start_cluster(spec, lake, purpose) as cluster:
            yield cluster
    finally:
        if cluster:
            report_to_run(cluster.usage)


def run_weeks(
    flow: Flow[..., RunRecord],
    lake: Lake,
    weeks: Sequence[date],
    options: WeeklyOptions,
    on_progress: Progress = lambda *_: None,
) -> tuple[list[RunRecord], list[ForecastingError]]:
    """Run each week as a flow run of its own, oldest first. A week that is refused does not hold up those after it.

    Returns:
        A record for each week, and the errors of those that failed.
    """
    records: list[RunRecord] = []
    errors: list[ForecastingError] = []
    for done, week in enumerate(weeks):
        on_progress(done, len(weeks))
        parameters: dict[str, Any] = {**vars(options), "cutoff": week}
        began = now()
        try:
            records.append(run_flow(flow, parameters))
        except ForecastingError as error:
            logger.warning("The week of %s was not forecast: %s", week, error)
            errors.append(error)
            records.append(_record_of(lake, week, began) or _refused(options.spec(lake, week), began, error))
    on_progress(len(weeks), len(weeks))
    return records, errors


def _record_of(lake: Lake, week: date, began: datetime) -> RunRecord | None:
    """Return what the run that began then has recorded; None where it ended before it had the lock of its week."""
    newest = next(lake.runs.of_week(week), None)
    return newest if newest and newest.started >= began else None


def _refused(spec: ForecastSpec, began: datetime, error: ForecastingError) -> RunRecord:
    return RunRecord(spec, began, Outcome.FAILED, error=RunFailure(type(error).__name__, str(error)))
