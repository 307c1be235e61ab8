"""What Prefect adds to a stage."""

import pytest
from prefect import flow
from prefect.cache_policies import NO_CACHE

from flows import weekly_forecast as module
from flows.policy import stage, stopwatch
from forecasting.adapters.clock import Stopwatch


@pytest.mark.usefixtures("prefect_server")
def test_a_stage_is_timed_and_never_cached() -> None:
    """Called twice with the same argument it runs twice, and both are counted."""
    calls = []

    def double(value: int) -> int:
        """Twice the value."""
        calls.append(value)
        return 2 * value

    bound = stage(double, name="double")
    clock = Stopwatch()

    @flow
    def twice() -> int:
        token = stopwatch.set(clock)
        try:
            return bound(3) + bound(3)
        finally:
            stopwatch.reset(token)

    assert twice() == 12
    assert calls == [3, 3]
    assert set(clock.seconds) == {"double"}


def test_stages_stay_plain_functions() -> None:
    """What the flow binds can be imported and called without Prefect."""
    assert module.collect.__wrapped__ is module.stages.collect
    assert NO_CACHE is not None
