"""Worker seconds by stage, and instance seconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.compute.meter import Meter


def test_every_stage_is_counted_with_the_workers_that_were_there() -> None:
    """Worked by hand: 2 workers start for 3 s, compute for 4 s, one is lost for 1 s more, and 2 s end."""
    meter = Meter(per_instance=2, since=10.0)
    meter.change(10.0, workers=2)
    meter.change(13.0, stage="computing")
    meter.change(17.0, workers=1)
    meter.change(18.0, stage="ending")
    meter.change(20.0, workers=0)
    assert meter.worker_seconds == {"starting": 6.0, "computing": 9.0, "ending": 2.0}
    assert (meter.instance_seconds, meter.instances, meter.most_workers) == (10.0, 1, 2)


def test_an_instance_counts_as_long_as_it_has_a_worker() -> None:
    """Three workers at two an instance are two instances, one is one, none is none."""
    meter = Meter(per_instance=2, since=0.0)
    for second, workers in enumerate([3, 1, 0, 0]):
        meter.change(float(second), workers=workers)
    assert meter.instance_seconds == 3.0
    assert meter.instances == 2


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 8)), max_size=20))
def test_no_order_of_moments_gives_less_than_nothing(changes: list[tuple[float, int]]) -> None:
    """Two threads may report in the wrong order; the sum is never more than all workers all the time."""
    meter = Meter(per_instance=1, since=0.0)
    for moment, workers in changes:
        meter.change(moment, workers=workers)
    total = sum(meter.worker_seconds.values())
    assert 0 <= total <= 100 * 8
    assert total == pytest.approx(meter.instance_seconds)
