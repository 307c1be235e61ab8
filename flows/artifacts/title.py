"""The run's name, once it is known which week it forecasts."""

import logging
from datetime import date
from uuid import UUID

from prefect import runtime
from prefect.client.orchestration import get_client

logger = logging.getLogger(__name__)


def show_week(week: date) -> None:
    """Name the run after its week, also where the run chose it itself."""
    logger.info("The last week that counts is that of %s: what comes after it is forecast.", week)
    name = f"week of {week}"
    try:
        if runtime.flow_run.name != name:
            with get_client(sync_client=True) as client:
                client.set_flow_run_name(UUID(runtime.flow_run.id), name)
    except Exception as error:  # as for every artifact
        logger.warning("The run could not be named %r in Prefect: %s", name, error)
