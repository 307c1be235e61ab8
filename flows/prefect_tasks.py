"""How a plain stage becomes a Prefect task, and a run a flow run, so that Prefect can never cost a run its forecast.

Prefect gives a run its page, its place in a queue and its log. An API that does not answer costs the page only: each
function is called exactly once, through Prefect where that works and without it where it does not.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import wraps
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

import httpx
from prefect import Flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.exceptions import ParameterBindError, ParameterTypeError, SignatureMismatchError
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from forecasting.best_effort import attempt
from forecasting.clock import Stopwatch
from forecasting.contracts.errors import ForecastingError

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)

SECONDS_OF_SILENCE = 60.0
# Raised before a function begins, and not because of the API.
_MISTAKES_OF_THE_CALLER = (ParameterBindError, ParameterTypeError, SignatureMismatchError)


class Run(Protocol):
    """What the stages of a run report to."""

    @property
    def clock(self) -> Stopwatch:
        """Measures the seconds of each stage."""

    @property
    def may_go_on(self) -> Callable[[], None]:
        """Return what is called before each stage; it raises where the run must end."""

    def stage_finished(self, result: object) -> None:
        """Take the result of a stage."""


# The run whose stages are being called.
_run: ContextVar[Run | None] = ContextVar("run", default=None)
# Whether the run that is under way does without Prefect.
_alone: ContextVar[bool] = ContextVar("alone", default=False)
# APIs that did not answer, and until when they are left alone, on the clock of `time.monotonic`.
_silent_until: dict[str | None, float] = {}


Reported = TypeVar("Reported", bound=Run)


class Timed:
    """A run of which only the seconds count."""

    def __init__(self) -> None:
        self.clock = Stopwatch()
        self.may_go_on: Callable[[], None] = lambda: None

    def stage_finished(self, result: object) -> None:
        """Take the result of a stage: the flow itself returns what it needs of it."""


@contextmanager
def stages_of(run: Reported) -> Iterator[Reported]:
    """Let the stages that are called in the `with` block report to `run`, and time the block as `total`."""
    token = _run.set(run)
    try:
        with run.clock.stage("total"):
            yield run
    finally:
        _run.reset(token)


def report_to_run(result: object) -> None:
    """Give a result to the run that is under way, if one is."""
    if run := _run.get():
        run.stage_finished(result)


def stage(function: Callable[P, R], *, name: str, is_recorded: bool = True) -> Callable[P, R]:
    """Make a Prefect task of a plain function; its seconds and its result go to the run that calls it.

    Nothing is cached or retried: a cached stage would be reused across runs without noticing changed code, and
    stages are pure or idempotent, so that the whole run can be run again.

    Args:
        is_recorded: whether the result is of the run record; tables that only the next stage needs are not.
    """
    as_task = task(name=name, task_run_name=name, cache_policy=NO_CACHE, persist_result=False)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        run = _run.get()
        with run.clock.stage(name) if run else nullcontext():
            if run:
                run.may_go_on()
            if _alone.get():
                result = function(*args, **kwargs)
            else:
                result = _Call(function).through(as_task, logger.warning, *args, **kwargs)
        if is_recorded:
            report_to_run(result)
        return result

    return call


def run_flow(
    flow: Flow[..., R],
    parameters: dict[str, Any],
    why_not: str | None = None,
    warn: Callable[[str], None] = logger.warning,
) -> R:
    """Run a flow; run it without Prefect where Prefect fails.

    Args:
        flow: its function is called exactly once.
        parameters: as the flow takes them.
        why_not: why it is run without Prefect from the start, if it is.
        warn: called with one sentence about what Prefect failed to do.

    Raises:
        whatever the flow's function raises, and no error of Prefect's.
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
        return _unfailed(flow.fn(**parameters))  # within a flow that does without Prefect
    if why_not:
        warn(f"{why_not}; the run goes on without it.")
        return alone(**parameters)
    return _Call(flow.fn, alone).through(observed, warn, **parameters)


def call_api(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
    """Ask Prefect's API for something that the forecast can do without; return None where it fails.

    An API that does not answer is left alone for a minute, as each try would make the forecast wait.
    """
    api = PREFECT_API_URL.value()
    if _alone.get() or time.monotonic() < _silent_until.get(api, 0.0):
        return None
    with attempt() as tried, temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 1}):
        return call(*args, **kwargs)
    if tried.error:
        if any(isinstance(cause, httpx.TransportError) for cause in _causes(tried.error)):
            _silent_until[api] = time.monotonic() + SECONDS_OF_SILENCE
        logger.warning("Prefect's API refused a call: %s", _short(tried.error))
    return None


class _Call(Generic[P, R]):
    """One call of a function through Prefect: whether the function began, and how it ended."""

    def __init__(self, function: Callable[P, R], alone: Callable[P, R] | None = None) -> None:
        """Where Prefect fails before `function` begins, `alone` is called instead of it."""
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
        with attempt() as tried:
            return bind(self._observed())(*args, **kwargs)
        error = tried.error
        if isinstance(error, _MISTAKES_OF_THE_CALLER):
            raise error
        if self._error:
            raise self._error from None
        if self._results:
            warn(f"Prefect did not record how the run ended ({_short(error)}).")
            return self._results[0]
        for cause in _causes(error):
            if not isinstance(cause, Exception):
                raise cause from None  # a stop by a signal, which Prefect was dealing with when it failed
        warn(f"Prefect did not start the run ({_short(error)}); it goes on without Prefect.")
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
    """Return the error of a function that returns a failed state, so that the run's page has a message of ours."""
    return result.data if isinstance(result, State) and isinstance(result.data, Exception) else None


def _unfailed(result: R) -> R:
    if error := _error_of(result):
        raise error
    return result


def _short(error: Exception | None) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, and those that were being dealt with when it was raised."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


class _PlainErrors(logging.Filter):
    """Log an error of ours as its sentence alone; a traceback is for errors that nobody expects."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, ForecastingError):
            record.msg, record.args, record.exc_info = str(error), None, None
        return True


logging.getLogger("prefect.task_runs").addFilter(_PlainErrors())
