"""What Prefect adds to a run and its stages: a name, a place on the run's page, time in the receipt.

And what it cannot take away: a Prefect API that does not answer costs a run its page, never its forecast.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar

import httpx
from prefect import Flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.exceptions import ParameterBindError, ParameterTypeError, SignatureMismatchError
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from forecasting.clock import Stopwatch
from forecasting.contracts.errors import ForecastingError

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)

SECONDS_OF_SILENCE = 60.0
# Raised before a function begins, and not because of the API.
_MISTAKES_OF_THE_CALLER = (ParameterBindError, ParameterTypeError, SignatureMismatchError)

# The stopwatch of the run that is under way.
stopwatch: ContextVar[Stopwatch] = ContextVar("stopwatch")
# Whether the run that is under way does without Prefect.
_alone: ContextVar[bool] = ContextVar("alone", default=False)
# APIs that did not answer, and until when they are left alone, on the clock of `time.monotonic`.
_silent_until: dict[str | None, float] = {}


def stage(function: Callable[P, R], *, name: str) -> Callable[P, R]:
    """Make a Prefect task of a plain function, timed under its name.

    Nothing is cached or retried: a cached stage would hit across runs without noticing changed code, and
    stages are pure or idempotent, so that the whole run can simply be run again.
    """
    as_task = task(name=name, task_run_name=name, cache_policy=NO_CACHE, persist_result=False)

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with stopwatch.get().stage(name):
            if _alone.get():
                return function(*args, **kwargs)
            return _Call(function).through(as_task, logger.warning, *args, **kwargs)

    return run


def run_flow(
    flow: Flow[..., R],
    parameters: dict[str, Any],
    why_not: str | None = None,
    warn: Callable[[str], None] = logger.warning,
) -> R:
    """Run a flow; where Prefect fails it, without Prefect.

    Args:
        flow: its function is called exactly once.
        parameters: as the flow takes them.
        why_not: why it is to be run without Prefect from the start, if so.
        warn: told in one sentence what Prefect failed to do.

    Raises:
        whatever the flow's function raises, and nothing of Prefect's.
    """

    def observed(function: Callable[..., R]) -> Callable[..., R]:
        copy = flow.with_options()
        copy.fn = function
        return copy

    def alone(**parameters: Any) -> R:
        token = _alone.set(True)
        try:
            return _unfailed(flow.fn(**parameters))
        finally:
            _alone.reset(token)

    if _alone.get():
        return _unfailed(flow.fn(**parameters))  # a flow within one that does without Prefect
    if why_not:
        warn(f"{why_not}; the run goes on without it.")
        return alone(**parameters)
    return _Call(flow.fn, alone).through(observed, warn, **parameters)


def tell(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
    """Tell Prefect's API what the forecast can do without; gives None where it does not take it.

    An API that does not answer is left alone for a minute, as each try would keep the forecast waiting.
    """
    api = PREFECT_API_URL.value()
    if _alone.get() or time.monotonic() < _silent_until.get(api, 0.0):
        return None
    try:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 1}):
            return call(*args, **kwargs)
    except Exception as error:  # whatever the API's client raises: the forecast goes on
        if any(isinstance(cause, httpx.TransportError) for cause in _causes(error)):
            _silent_until[api] = time.monotonic() + SECONDS_OF_SILENCE
        logger.warning("Prefect's API did not take what it was told: %s", _short(error))
    return None


class _Call(Generic[P, R]):
    """One call of a function through Prefect, which knows whether the function began and how it ended."""

    def __init__(self, function: Callable[P, R], alone: Callable[P, R] | None = None) -> None:
        """Where Prefect fails before `function` begins, `alone` is called in its place."""
        self._function = function
        self._alone = alone or function
        self._results: list[R] = []
        self._error: BaseException | None = None

    def through(
        self,
        bind: Callable[[Callable[P, R]], Callable[P, R]],
        warn: Callable[[str], None],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Call what `bind` makes of the function; its result and its errors count, those of Prefect do not."""
        try:
            return bind(self._observed())(*args, **kwargs)
        except _MISTAKES_OF_THE_CALLER:
            raise
        except Exception as error:
            if self._error:
                raise self._error from None
            if self._results:
                warn(f"Prefect could not be told how the run ended ({_short(error)}).")
                return self._results[0]
            for cause in _causes(error):
                if not isinstance(cause, Exception):
                    raise cause from None  # a stop by a signal, which Prefect was dealing with when it failed
            warn(f"Prefect could not begin the run ({_short(error)}); it goes on without.")
        return self._alone(*args, **kwargs)

    def _observed(self) -> Callable[P, R]:
        @wraps(self._function)
        def observed(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                result = self._function(*args, **kwargs)
            except BaseException as error:
                self._error = error
                raise
            self._error = _error_of(result)
            if not self._error:
                self._results.append(result)
            return result

        return observed


def _error_of(result: object) -> Exception | None:
    """The error of a function that answers with a failed state, so that its page has a message of our own."""
    return result.data if isinstance(result, State) and isinstance(result.data, Exception) else None


def _unfailed(result: R) -> R:
    if error := _error_of(result):
        raise error
    return result


def _short(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that were being dealt with when it was raised."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


class _PlainErrors(logging.Filter):
    """On a run's page an error that is made to be read is its sentence; a traceback is for the unforeseen."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, ForecastingError):
            record.msg, record.args, record.exc_info = str(error), None, None
        return True


logging.getLogger("prefect.task_runs").addFilter(_PlainErrors())
