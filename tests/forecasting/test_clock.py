"""The clock."""

from datetime import UTC

import pytest

from forecasting.clock import Stopwatch, now


def test_now_is_in_utc() -> None:
    """Times are kept in UTC."""
    assert now().tzinfo is UTC


def test_stages_add_up_by_name() -> None:
    """A stage that is entered twice, or ends by an error, is counted each time."""
    clock = Stopwatch()
    with clock.stage("collect"):
        pass
    first = clock.seconds["collect"]
    with pytest.raises(ValueError, match="inside"), clock.stage("collect"):
        raise ValueError("inside")
    assert clock.seconds["collect"] > first
