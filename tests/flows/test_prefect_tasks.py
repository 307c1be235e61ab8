"""What Prefect adds to a run and its stages, and what it cannot take away."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import httpx
import pytest
from prefect import flow
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import ParameterTypeError
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows import weekly_forecast as module
from flows.prefect_tasks import Timed, _Call, call_api, run_flow, stage, stages_of
from forecasting.contracts.errors import RunError
from forecasting.pipeline import ingest

NOBODY = "http://127.0.0.1:9/api"


@pytest.fixture
def dead_server() -> Iterator[None]:
    """Prefect is configured with an API that does not answer."""
    with temporary_settings({PREFECT_API_URL: NOBODY, PREFECT_CLIENT_MAX_RETRIES: 0}):
        yield


@pytest.fixture
def timed() -> Iterator[None]:
    with stages_of(Timed()):
        yield


@pytest.mark.usefixtures("prefect_server")
def test_a_stage_is_timed_and_never_cached() -> None:
    """Called twice with the same argument it runs twice, and both are counted."""
    calls = []

    def double(value: int) -> int:
        """Twice the value."""
        calls.append(value)
        return 2 * value

    bound = stage(double, name="double")
    timed = Timed()

    @flow
    def twice() -> int:
        with stages_of(timed):
            return bound(3) + bound(3)

    assert twice() == 12
    assert calls == [3, 3]
    assert set(timed.clock.seconds) == {"double", "total"}


def test_stages_stay_plain_functions() -> None:
    """What the flow binds can be imported and called without Prefect."""
    assert inspect.unwrap(module.collect) is ingest.collect
    assert NO_CACHE is not None


def breaks_before(function: Callable[[int], int]) -> Callable[[int], NoReturn]:
    """A Prefect that fails before it has called the function."""

    def bound(value: int) -> NoReturn:
        raise httpx.ConnectError("gone")

    return bound


def breaks_after(function: Callable[[int], int]) -> Callable[[int], NoReturn]:
    """A Prefect that cannot say how the function ended."""

    def bound(value: int) -> NoReturn:
        try:
            function(value)
        finally:
            raise httpx.ReadError("gone")

    return bound


@pytest.mark.parametrize("prefect", [breaks_before, breaks_after])
def test_a_function_runs_once_where_prefect_fails(
    prefect: Callable[[Callable[..., int]], Callable[..., int]],
) -> None:
    """Before it began or after it ended: its result is kept, and one sentence says what Prefect failed to do."""
    calls: list[int] = []
    said: list[str] = []

    def double(value: int) -> int:
        calls.append(value)
        return 2 * value

    assert _Call(double).through(prefect, said.append, 3) == 6
    assert calls == [3]
    assert len(said) == 1


@pytest.mark.parametrize(
    "error", [RunError("It broke", "mend it"), httpx.ConnectError("a source"), KeyboardInterrupt()]
)
def test_errors_of_the_function_are_its_own(error: BaseException) -> None:
    """Also where Prefect fails on top of them, and where they look like Prefect's."""

    def fails(value: int) -> int:
        raise error

    prefects: list[Callable[..., Any]] = [breaks_after, lambda function: function]
    for prefect in prefects:
        with pytest.raises(type(error)) as raised:
            _Call(fails).through(prefect, print, 3)
        assert raised.value is error


def test_a_stop_that_prefect_fails_to_record_stays_a_stop() -> None:
    """A run that is stopped before it began is not begun because the API is gone too."""

    def stopped(function: Callable[[], int]) -> Callable[[], NoReturn]:
        def bound() -> NoReturn:
            error = httpx.ConnectError("gone")
            error.__context__ = KeyboardInterrupt()
            raise error

        return bound

    with pytest.raises(KeyboardInterrupt):
        _Call(lambda: 1).through(stopped, print)


@flow(name="sum")
def total(first: int, second: int = 2) -> int:
    """Two stages and an artifact, as the weekly run has them."""
    call_api(lambda: pytest.fail("an API that does not answer was asked"))
    return stage(lambda a, b: a + b, name="add")(first, second)


@pytest.mark.usefixtures("dead_server", "timed")
@pytest.mark.parametrize("why_not", [None, "It did not start"])
def test_a_flow_runs_without_an_api(why_not: str | None) -> None:
    """Whether that is known before or found out: the result is there, and it is said once."""
    said: list[str] = []
    assert run_flow(total, {"first": 1}, why_not, said.append) == 3
    assert len(said) == 1
    assert (why_not or "Failed to reach API at") in said[0]


@pytest.mark.usefixtures("prefect_server")
def test_a_mistake_of_the_caller_is_not_prefects() -> None:
    """A flow that refuses its parameters is not run without them being checked."""
    with pytest.raises(ParameterTypeError):
        run_flow(total, {"first": "one"}, None, print)


@pytest.mark.usefixtures("dead_server")
def test_an_api_that_does_not_answer_is_asked_once() -> None:
    """Each try would keep the forecast waiting."""
    calls: list[int] = []

    def create() -> NoReturn:
        calls.append(1)
        raise httpx.ConnectError("gone")

    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:10/api"}):
        assert call_api(create) is None
        assert call_api(create) is None
    assert calls == [1]
