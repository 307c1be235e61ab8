"""The weekly run: collect a whole week, validate it, monitor, forecast every series, publish, report."""

import logging
from datetime import date
from getpass import getuser
from typing import Any

from prefect import flow, runtime

from flows import artifacts as page
from flows.notify import alert_on_failure, notify_drift, notify_published
from flows.options import WeeklyOptions, open_lake
from flows.parameters import takes
from flows.prefect_tasks import run_flow, stage
from flows.recording import RunRecorder, recording
from flows.waiting import await_stores, take_over
from forecasting.clock import now
from forecasting.compute import dask_cluster
from forecasting.contracts.errors import ForecastingError
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.run_identity import outcome_counts
from forecasting.pipeline import batch as stages
from forecasting.pipeline import ingest as intake
from forecasting.pipeline import load as loading
from forecasting.pipeline import model_selection as choosing
from forecasting.pipeline import monitoring
from forecasting.pipeline import report as reporting
from forecasting.storage.lake import Lake
from forecasting.storage.locks import week_lock

logger = logging.getLogger(__name__)

collect = stage(intake.collect, name="collect")
validate = stage(intake.validate, name="validate")
gate = stage(intake.gate, name="gate")
archive = stage(intake.archive, name="archive")
monitor = stage(monitoring.monitor, name="monitor")
choose_model = stage(choosing.choose_model, name="choose the model")
prepare = stage(stages.prepare, name="prepare")
forecast = stage(stages.forecast, name="forecast")
publish = stage(stages.publish, name="publish")
report = stage(reporting.report, name="report")
report_page = stage(reporting.try_page, name="report_page")
load = stage(loading.load, name="load")
build_baseline = stage(monitoring.build_baseline, name="baseline")


def _name_of_run() -> str:
    cutoff = runtime.flow_run.parameters.get("cutoff")
    return page.name_of_run(cutoff) if cutoff else f"next week, {runtime.flow_run.scheduled_start_time:%Y-%m-%d %H:%M}"


@flow(name="weekly-forecast", flow_run_name=_name_of_run, persist_result=False)
@page.explain_failure
@takes(WeeklyOptions)
def weekly_forecast(options: WeeklyOptions) -> dict[str, Any]:
    """Forecast the weeks after `cutoff` for every active series, and publish them.

    Without a cutoff it takes every week that has come and is not published, each as a run of its own but the
    last. A week of which stores are missing waits until its deadline.

    A Dask cluster exists for the length of the `with` block and no longer. Running a week again with the
    same input, options and code changes nothing.

    Returns:
        The receipt of the run, as it is kept in the lake.

    Raises:
        forecasting.contracts.errors.ForecastingError: one sentence that names the cause and the remedy. What was
            published before stays in force.
    """
    home = open_lake(options.lake)
    home.prepare()
    *missed, week = [options.cutoff] if options.cutoff else intake.choose_weeks(home, now())
    for earlier in missed:
        catch_up(earlier, options)
    page.show_week(week)
    spec, batch = options.spec(home, week), options.batch_spec

    with alert_on_failure(home, week):
        if options.accept_gaps:
            intake.accept(home, week, options.accept_gaps, getuser(), now())
        await_stores(home, week, options)
        take_over(week)

        with week_lock(home.lock_path(str(week)), week), recording(home, spec) as record:
            arrived = collect(home, week)
            record.noted(arrived.notes)
            checked = validate(home, arrived)
            completeness = gate(home, week, arrived, checked, options.gate_spec(home, week), now())
            record.noted(archive(home, week, arrived, checked))
            record.collected(completeness, checked, intake.late_files(home, week, arrived))
            page.show_completeness(record.content)
            spec = choosing.of_family(home, spec, options.model)
            record.monitored(monitor(home, spec))
            notify_drift(home, record.content["monitoring"])
            page.show_monitoring(record.content)

            chosen = choose_model(home, spec, options.model, options.retrain, batch, options.cluster_spec)
            spec = record.chose(chosen.spec, chosen.record)
            work = prepare(home, spec, batch, chosen.fitted, chosen.version)
            record.identified(work.run_id, work.as_of)
            if stages.is_final(home, week, work):
                record.unchanged(outcome_counts(home.forecasts.read(week)), home.forecasts.path(week))
            else:
                with dask_cluster(options.cluster_spec, home, f"the week of {week}") as cluster:
                    record.cluster_started(cluster)
                    with page.show_progress() as progress:
                        table = forecast(cluster, home, work, spec, batch, progress)
                replaced = stages.current_forecast(home, week)
                path = publish(home, table, work, spec)
                record.published(outcome_counts(home.forecasts.read(week)), path)
                if replaced is not None:
                    record.moved(replaced, table)
            page.show_outcome(home, spec, record.content)

            reported = report(home)
            record.reported(reported.path)
            record.page_written(report_page(home, week, record.so_far(), reported))
            if options.database:
                record.loaded(load(home, options.database))
            page.show_headline(home, record.content)
            page.show_results(home, record.content)
            page.show_lineage(home, spec, work)

            notify_published(home, record.content, options.fallback_alarm)
            build_baseline_once(home, spec, options, record)
    page.show_record(record.content)
    return record.content


def build_baseline_once(home: Lake, spec: ForecastSpec, options: WeeklyOptions, record: RunRecorder) -> None:
    """Make the promise where it is due: once in the life of a model, and after everything that people wait for."""
    with monitoring.best_effort("The promise could not be made"):
        if folds := monitoring.baseline_folds(home, spec):
            with (
                dask_cluster(options.cluster_spec, home, "the promise") as cluster,
                page.show_progress("folds") as progress,
            ):
                record.expected(build_baseline(cluster, home, spec, options.batch_spec, folds, progress))


def catch_up(week: date, options: WeeklyOptions) -> None:
    """Run a week that was missed. One that is refused does not hold up those after it."""
    try:
        run_flow(weekly_forecast, {**vars(options), "cutoff": week, "accept_gaps": None})
    except ForecastingError as error:
        logger.warning("The week of %s could not be caught up: %s", week, error)
