"""The backfill: the weekly run for many past weeks, oldest first, one publication each."""

import logging
from typing import Any

from prefect import flow

from flows.artifacts import explain_failure, show_progress
from flows.options import BackfillOptions, open_lake
from flows.parameters import takes
from flows.prefect_tasks import run_flow
from flows.weekly_forecast import weekly_forecast
from forecasting.clock import now
from forecasting.contracts.errors import ForecastingError
from forecasting.pipeline import ingest as intake

logger = logging.getLogger(__name__)


@flow(name="backfill", persist_result=False)
@explain_failure
@takes(BackfillOptions)
def backfill(options: BackfillOptions) -> list[dict[str, Any]]:
    """Forecast every week from the first to the last as it would have been forecast then.

    A week that is published from the same input already is left alone, so that a backfill which was
    interrupted goes on where it stopped. A week that is refused does not hold up those after it.

    Returns:
        For every week its receipt, or `{"spec": {"cutoff": ...}, "outcome": "failed", "error": ...}`.

    Raises:
        forecasting.contracts.errors.ForecastingError: there is no week to forecast, or not one could be.
    """
    home = open_lake(options.lake)
    home.prepare()
    weeks = intake.weeks_to_backfill(home, options.first, options.last, now())
    of_week = {name: value for name, value in vars(options).items() if name not in ("first", "last")}
    run_records: list[dict[str, Any]] = []
    failed: list[ForecastingError] = []
    with show_progress("weeks") as progress:
        for done, week in enumerate(weeks):
            progress(done, len(weeks))
            try:
                run_records.append(run_flow(weekly_forecast, {**of_week, "cutoff": week}))
            except ForecastingError as error:
                logger.warning("The week of %s was not forecast: %s", week, error)
                failed.append(error)
                run_records.append({"spec": {"cutoff": str(week)}, "outcome": "failed", "error": str(error)})
        progress(len(weeks), len(weeks))
    if len(failed) == len(weeks):
        raise failed[-1]
    return run_records
