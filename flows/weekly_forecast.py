"""The weekly run: collect a whole week, validate it, forecast every series, publish, report."""

from typing import Any

from prefect import flow, runtime

from flows import parameters as p
from flows import stages
from flows.artifacts import show_progress, show_receipt
from flows.policy import stage
from flows.recording import recording
from forecasting.adapters.cluster import dask_cluster
from forecasting.adapters.locks import week_lock
from forecasting.run import outcome_counts

collect = stage(stages.collect, name="collect")
validate = stage(stages.validate, name="validate")
gate = stage(stages.gate, name="gate")
prepare = stage(stages.prepare, name="prepare")
forecast = stage(stages.forecast, name="forecast")
publish = stage(stages.publish, name="publish")
report = stage(stages.report, name="report")


def _name_of_run() -> str:
    cutoff = runtime.flow_run.parameters.get("cutoff")
    return f"week of {cutoff}" if cutoff else f"next week, {runtime.flow_run.scheduled_start_time:%Y-%m-%d %H:%M}"


@flow(name="weekly-forecast", flow_run_name=_name_of_run, persist_result=False)
@p.takes(p.WeeklyOptions)
def weekly_forecast(options: p.WeeklyOptions) -> dict[str, Any]:
    """Forecast the weeks after `cutoff` for every active series, and publish them.

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
    week = options.cutoff or stages.choose_cutoff(home)
    spec, batch = options.spec(week), options.batch_spec

    with week_lock(home.lock_path(str(week)), week), recording(home, spec) as receipt:
        arrived = collect(home, week)
        checked = validate(home, arrived)
        ledger = gate(home, week, arrived, checked, options.min_reporting, options.accept_gaps)
        receipt.collected(ledger, checked)

        work = prepare(home, spec, batch)
        receipt.identified(work.run_id)
        if stages.is_final(home, week, work):
            receipt.unchanged(outcome_counts(home.published(week)), home.published_path(week))
        else:
            with dask_cluster(options.cluster_spec, home, f"the week of {week}") as cluster:
                receipt.cluster_started(cluster.receipt)
                with show_progress() as progress:
                    table = forecast(cluster, home, work, spec, batch, progress)
            path = publish(home, table, work, spec)
            receipt.published(outcome_counts(home.published(week)), path)

        receipt.reported(report(home))
    show_receipt(receipt.content)
    return receipt.content
