"""What a cluster provides, does and costs."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.compute.usage import ClusterUsage, UsageMeter
from forecasting.contracts.run_record import RunRecord
from forecasting.contracts.spec import ForecastSpec


def test_every_phase_is_counted_with_the_workers_that_were_there() -> None:
    """Worked by hand: 2 workers start for 3 s, compute for 4 s, one is lost for 1 s more, and 2 s end."""
    meter = UsageMeter(per_instance=2, since=10.0)
    meter.change(10.0, workers=2)
    meter.change(13.0, phase="computing")
    meter.change(17.0, workers=1)
    meter.change(18.0, phase="ending")
    meter.change(20.0, workers=0)
    usage = meter.usage()
    assert usage.worker_seconds == {"starting": 6.0, "computing": 9.0, "ending": 2.0}
    assert (usage.instance_seconds, usage.instances, usage.workers) == (10.0, 1, 2)
    assert (usage.seconds_starting, usage.seconds_up) == (3.0, 5.0)


def test_an_instance_counts_as_long_as_it_has_a_worker() -> None:
    """Three workers at two an instance are two instances, one is one, none is none."""
    meter = UsageMeter(per_instance=2, since=0.0)
    for second, workers in enumerate([3, 1, 0, 0]):
        meter.change(float(second), workers=workers)
    assert meter.usage().instance_seconds == 3.0
    assert meter.usage().instances == 2


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 8)), max_size=20))
def test_no_order_of_moments_gives_less_than_nothing(changes: list[tuple[float, int]]) -> None:
    """Two threads may report in the wrong order; the sum is never more than all workers all the time."""
    meter = UsageMeter(per_instance=1, since=0.0)
    for moment, workers in changes:
        meter.change(moment, workers=workers)
    usage = meter.usage()
    assert 0 <= usage.worker_seconds_provisioned <= 100 * 8
    assert usage.worker_seconds_provisioned == pytest.approx(usage.instance_seconds)


def test_a_snapshot_does_not_change_with_the_meter() -> None:
    """It is frozen, and it enters a run record and comes back the same."""
    meter = UsageMeter(per_instance=1, since=0.0, kind="tls://host:1", transfer="shared storage", left_over=(7,))
    meter.change(0.0, workers=2, phase="computing")
    meter.last_worker_gone = datetime(2026, 1, 1, 12, tzinfo=UTC)
    usage = meter.usage()
    meter.change(5.0)
    assert usage.worker_seconds == {"starting": 0.0}
    assert meter.usage().worker_seconds == {"starting": 0.0, "computing": 10.0}
    record = RunRecord(ForecastSpec(date(1992, 4, 16)), usage.last_worker_gone or datetime.now(UTC))
    assert RunRecord.from_json(record.with_result(usage).to_json()).result(ClusterUsage) == usage


def test_the_cost_is_that_of_the_instances() -> None:
    """Worked by hand: 2 instances for half an hour at 3.00 an hour."""
    usage = ClusterUsage(
        instance_seconds=3600.0,
        price_per_instance_hour=3.0,
        seconds_busy=1000.0,
        worker_seconds={"starting": 200.0, "computing": 7000.0},
    )
    assert usage.cost == 3.0
    assert (usage.worker_seconds_provisioned, usage.worker_seconds_idle) == (7200.0, 6200.0)
