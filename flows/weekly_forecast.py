"""The weekly run: collect a whole week, validate it, monitor, forecast every series, publish, report."""

from dataclasses import replace
from datetime import date

from prefect import flow, runtime

from flows.options import WeeklyOptions, open_lake
from flows.parameters import takes
from flows.prefect_page import explain_failure, name_of_run, with_progress
from flows.prefect_tasks import stage
from flows.run import dask_cluster, run_weeks, week_run
from forecasting.best_effort import best_effort
from forecasting.clock import now
from forecasting.contracts.run_record import RunRecord
from forecasting.pipeline import baseline, batch, database, ingest, model_selection, monitoring, publication
from forecasting.pipeline import report as reporting
from forecasting.pipeline.model_selection import current_model
from forecasting.pipeline.publication import is_final
from forecasting.storage.lake import Lake

collect = stage(ingest.collect, name="collect", is_recorded=False)
validate = stage(ingest.validate, name="validate", is_recorded=False)
admit = stage(ingest.admit, name="admit")
monitor = stage(monitoring.monitor, name="monitor")
choose_model = stage(with_progress(model_selection.choose_model, "folds"), name="choose the model")
prepare = stage(batch.prepare, name="prepare", is_recorded=False)
forecast = stage(with_progress(batch.forecast, "partitions"), name="forecast", is_recorded=False)
publish = stage(publication.publish, name="publish")
already_published = stage(publication.already_published, name="already published")
report = stage(reporting.report, name="report")
load_database = stage(database.try_database, name="load")
build_baseline = stage(with_progress(baseline.build_baseline, "folds"), name="baseline")


def _name_of_run() -> str:
    cutoff = runtime.flow_run.parameters.get("cutoff")
    return name_of_run(cutoff) if cutoff else f"next week, {runtime.flow_run.scheduled_start_time:%Y-%m-%d %H:%M}"


@flow(name="weekly-forecast", flow_run_name=_name_of_run, persist_result=False)
@explain_failure
@takes(WeeklyOptions)
def weekly_forecast(options: WeeklyOptions) -> RunRecord:
    """Forecast the weeks after `cutoff` for every active series, and publish them.

    Without a cutoff it takes every week that has arrived and is not published, each as a run of its own but the last.
    A week with missing stores waits until its deadline.

    A Dask cluster exists for the length of the `with` block and no longer. Running a week again with the same input,
    options and code changes nothing.

    Returns:
        The record of the run, as it is written into the lake.

    Raises:
        forecasting.contracts.errors.ForecastingError: one sentence that names the cause and the remedy. What was
            published before stays published.
    """
    lake = open_lake(options.lake)
    lake.prepare()
    week = options.cutoff or catch_up(lake, options)
    with week_run(lake, week, options) as run:
        arrived = collect(lake, week)
        checked = validate(lake, arrived)
        admit(lake, week, arrived, checked, options.gate_spec(lake, week), run.record.started)
        current = current_model(lake, run.record.spec, options.model, options.retrain)
        monitor(lake, current.spec)
        choice = choose_model(lake, current, options.batch_spec, options.cluster_spec)
        prepared = prepare(lake, current.spec, choice, options.batch_spec)
        if is_final(lake, prepared):
            already_published(lake, prepared)
        else:
            with dask_cluster(options.cluster_spec, lake, f"the week of {week}") as cluster:
                publish(lake, forecast(cluster, lake, prepared).frames(), prepared)
        report(lake)
        if options.database:
            load_database(lake, options.database)
    return with_baseline(lake, run.record, options)


def catch_up(lake: Lake, options: WeeklyOptions) -> date:
    """Run every week that is due but the last, and return the last."""
    *missed, last = ingest.choose_weeks(lake, now())
    run_weeks(weekly_forecast, lake, missed, replace(options, accept_gaps=None))
    return last


def with_baseline(lake: Lake, record: RunRecord, options: WeeklyOptions) -> RunRecord:
    """Build the baseline of the model where it is due, after everything that people wait for.

    Returns:
        The record with the baseline's result, as the lake has it then.
    """
    with best_effort("The baseline could not be built"):
        if folds := baseline.folds_due(lake, record.spec, record.seconds_by_stage.get("forecast")):
            with dask_cluster(options.cluster_spec, lake, "the baseline") as cluster:
                record = record.with_result(build_baseline(cluster, lake, record.spec, options.batch_spec, folds))
            lake.runs.write(record)
    return record
