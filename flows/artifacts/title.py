"""The run's name, once it is known which week it forecasts."""

import logging
from datetime import date
from uuid import UUID

from prefect import runtime
from prefect.client.orchestration import get_client

from flows.prefect_tasks import tell

logger = logging.getLogger(__name__)


def name_of_run(week: date) -> str:
    """How a run of the week is called in the Prefect UI."""
    return f"week of {week}"


def show_week(week: date) -> None:
    """Name the run after its week, also where the run chose it itself."""
    logger.info("The last week that counts is that of %s: what comes after it is forecast.", week)
    if run := runtime.flow_run.id:
        tell(_rename, UUID(run), name_of_run(week))


def _rename(run: UUID, name: str) -> None:
    with get_client(sync_client=True) as client:
        client.set_flow_run_name(run, name)
