"""The weekly run: collect a whole week, validate it, monitor, forecast every series, publish, report."""

import logging
from datetime import date
from getpass import getuser
from typing import Any

from prefect import flow, runtime

from flows import artifacts as page
from flows import choosing, intake, loading, monitoring, reporting, stages
from flows.notifying import tell_drift, tell_published, telling_of_trouble
from flows.options import WeeklyOptions, takes
from flows.policy import run_flow, stage
from flows.recording import Receipt, recording
from flows.waiting import await_stores, take_over
from forecasting.adapters.clock import now
from forecasting.adapters.cluster import dask_cluster
from forecasting.adapters.lake import Lake
from forecasting.adapters.locks import week_lock
from forecasting.errors import ForecastingError
from forecasting.run import outcome_counts
from forecasting.spec import ForecastSpec

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
make_promise = stage(monitoring.make_promise, name="promise")


def _name_of_run() -> str:
    cutoff = runtime.flow_run.parameters.get("cutoff")
    return page.name_of_run(cutoff) if cutoff else f"next week, {runtime.flow_run.scheduled_start_time:%Y-%m-%d %H:%M}"


@flow(name="weekly-forecast", flow_run_name=_name_of_run, persist_result=False)
@page.tells_what_to_do
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
        forecasting.errors.ForecastingError: one sentence that names the cause and the remedy. What was
            published before stays in force.
    """
    home = options.home
    home.prepare()
    *missed, week = [options.cutoff] if options.cutoff else intake.choose_weeks(home, now())
    for earlier in missed:
        catch_up(earlier, options)
    page.show_week(week)
    spec, batch = options.spec(week), options.batch_spec

    with telling_of_trouble(home, week):
        if options.accept_gaps:
            intake.accept(home, week, options.accept_gaps, getuser(), now())
        await_stores(home, week, options)
        take_over(week)

        with week_lock(home.lock_path(str(week)), week), recording(home, spec) as receipt:
            arrived = collect(home, week)
            receipt.noted(arrived.notes)
            checked = validate(home, arrived)
            ledger = gate(home, week, arrived, checked, options.gate_spec(week), now())
            receipt.noted(archive(home, week, arrived, checked))
            receipt.collected(ledger, checked, intake.late_files(home, week, arrived))
            page.show_ledger(receipt.content)
            spec = choosing.of_family(home, spec, options.model)
            receipt.monitored(monitor(home, spec))
            tell_drift(home, receipt.content["monitoring"])
            page.show_monitoring(receipt.content)

            chosen = choose_model(home, spec, options.model, options.retrain, batch, options.cluster_spec)
            spec = receipt.chose(chosen.spec, chosen.record)
            work = prepare(home, spec, batch, chosen.fitted, chosen.version)
            receipt.identified(work.run_id, work.known_at)
            if stages.is_final(home, week, work):
                receipt.unchanged(outcome_counts(home.published(week)), home.published_path(week))
            else:
                with dask_cluster(options.cluster_spec, home, f"the week of {week}") as cluster:
                    receipt.cluster_started(cluster.receipt)
                    with page.show_progress() as progress:
                        table = forecast(cluster, home, work, spec, batch, progress)
                replaced = stages.in_force(home, week)
                path = publish(home, table, work, spec)
                receipt.published(outcome_counts(home.published(week)), path)
                if replaced is not None:
                    receipt.moved(replaced, table)
            page.show_outcome(home, spec, receipt.content)

            reported = report(home)
            receipt.reported(reported.path)
            receipt.page_written(report_page(home, week, receipt.so_far(), reported))
            if options.database:
                receipt.loaded(load(home, options.database))
            page.show_headline(home, receipt.content)
            page.show_results(home, receipt.content)
            page.show_lineage(home, spec, work)

            tell_published(home, receipt.content, options.fallback_alarm)
            promise_once(home, spec, options, receipt)
    page.show_receipt(receipt.content)
    return receipt.content


def promise_once(home: Lake, spec: ForecastSpec, options: WeeklyOptions, receipt: Receipt) -> None:
    """Make the promise where it is due: once in the life of a model, and after everything that people wait for."""
    with monitoring.costs_no_forecast("The promise could not be made"):
        if folds := monitoring.folds_of_promise(home, spec):
            with (
                dask_cluster(options.cluster_spec, home, "the promise") as cluster,
                page.show_progress("folds") as progress,
            ):
                receipt.promised(make_promise(cluster, home, spec, options.batch_spec, folds, progress))


def catch_up(week: date, options: WeeklyOptions) -> None:
    """Run a week that was missed. One that is refused does not hold up those after it."""
    try:
        run_flow(weekly_forecast, {**vars(options), "cutoff": week, "accept_gaps": None})
    except ForecastingError as error:
        logger.warning("The week of %s could not be caught up: %s", week, error)
