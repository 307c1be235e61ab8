"""How an artifact reaches the run's page, or does not, at no harm to the run."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import ParamSpec

from prefect.artifacts import create_markdown_artifact

from flows.prefect_tasks import stopwatch, tell

P = ParamSpec("P")

logger = logging.getLogger(__name__)


def post(key: str, description: str, compose: Callable[P, str], *args: P.args, **kwargs: P.kwargs) -> None:
    """Show what `compose` writes as a markdown artifact of the run that is under way."""
    with _timed():
        try:
            markdown = compose(*args, **kwargs)
        except Exception as error:  # whatever a composer raises: what is only shown must not cost a forecast
            logger.warning("The %s could not be shown in Prefect: %s", key, error)
        else:
            tell(create_markdown_artifact, markdown, key=key, description=description)


def _timed() -> AbstractContextManager[None]:
    """What showing takes is a part of the run's time, once the run has a receipt."""
    clock = stopwatch.get(None)
    return clock.stage("artifacts") if clock else nullcontext()
