"""The backfill: the weekly run for many past weeks, oldest first, one publication each."""

from prefect import flow

from flows.options import BackfillOptions, WeeklyOptions, open_lake
from flows.parameters import takes
from flows.prefect_page import explain_failure, show_progress
from flows.run import run_weeks
from flows.weekly_forecast import weekly_forecast
from forecasting.clock import now
from forecasting.contracts.run_record import RunRecord
from forecasting.pipeline.ingest import weeks_to_backfill


@flow(name="backfill", persist_result=False)
@explain_failure
@takes(BackfillOptions)
def backfill(options: BackfillOptions) -> list[RunRecord]:
    """Forecast every week from the first to the last as it would have been forecast then.

    A week that is already published from the same input is left alone, so that an interrupted backfill goes on where
    it stopped. A week that is refused does not hold up those after it.

    Returns:
        The record of each week.

    Raises:
        forecasting.contracts.errors.ForecastingError: there is no week to forecast, or none could be forecast.
    """
    lake = open_lake(options.lake)
    lake.prepare()
    weeks = weeks_to_backfill(lake, options.first, options.last, now())
    of_week = {name: value for name, value in vars(options).items() if name not in ("first", "last")}
    with show_progress("weeks") as on_progress:
        records, errors = run_weeks(weekly_forecast, lake, weeks, WeeklyOptions(**of_week), on_progress)
    if len(errors) == len(weeks):
        raise errors[-1]
    return records
