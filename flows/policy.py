"""What Prefect adds to a stage: a name, a place on the run's page, its time in the receipt."""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE

from forecasting.adapters.clock import Stopwatch
from forecasting.errors import ForecastingError

P = ParamSpec("P")
R = TypeVar("R")

# The stopwatch of the run that is under way.
stopwatch: ContextVar[Stopwatch] = ContextVar("stopwatch")


def stage(function: Callable[P, R], *, name: str) -> Callable[P, R]:
    """Make a Prefect task of a plain function, timed under its name.

    Nothing is cached or retried: a cached stage would hit across runs without noticing changed code, and
    stages are pure or idempotent, so that the whole run can simply be run again.
    """
    bound = task(name=name, task_run_name=name, cache_policy=NO_CACHE, persist_result=False)(function)

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with stopwatch.get().stage(name):
            return bound(*args, **kwargs)

    return run


class _PlainErrors(logging.Filter):
    """On a run's page an error that is made to be read is its sentence; a traceback is for the unforeseen."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, ForecastingError):
            record.msg, record.args, record.exc_info = str(error), None, None
        return True


logging.getLogger("prefect.task_runs").addFilter(_PlainErrors())
