"""What a cluster cost."""

from datetime import UTC, datetime

from forecasting.compute.usage import ClusterUsage


def test_the_cost_is_that_of_the_instances() -> None:
    """Worked by hand: 2 instances for half an hour at 3.00 an hour, for 1,500 forecasts."""
    record = ClusterUsage(
        workers=4,
        instances=2,
        instance_seconds=3600.0,
        price_per_instance_hour=3.0,
        seconds_busy=1000.0,
        worker_seconds={"starting": 200.0, "computing": 7000.0},
        last_worker_gone=datetime(2026, 1, 1, 12, tzinfo=UTC),
    )
    content = record.as_dict(forecasts=1500)
    assert (content["cost"], content["cost_per_1000_forecasts"]) == (3.0, 2.0)
    assert (content["worker_seconds_provisioned"], content["worker_seconds_idle"]) == (7200.0, 6200.0)
    assert content["last_worker_gone"] == "2026-01-01T12:00:00.000+00:00"


def test_no_forecast_has_no_cost_of_its_own() -> None:
    """A run that failed before it published has a cost, and none per forecast."""
    content = ClusterUsage(instance_seconds=3600.0, price_per_instance_hour=3.0).as_dict(forecasts=None)
    assert content["cost"] == 3.0
    assert "cost_per_1000_forecasts" not in content
