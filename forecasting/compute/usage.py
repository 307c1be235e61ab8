"""What a cluster was, did and cost."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from forecasting.compute.meter import Meter


@dataclass
class ClusterUsage:
    """What a cluster was and did, in seconds.

    workers, instances: the most that there were at a time.
    worker_seconds: what was provided by stage (`starting`, `waiting`, `computing`, `ending`); workers that were
        there when the cluster had started count from the moment they were asked for.
    seconds_cpu: that of the models alone.
    handed_over: how partitions reached the workers, `by value` or `by path`.
    last_worker_gone: when the last worker had ended; None where the workers are not ours to end.
    left_over: worker processes of this machine that survived its end.
    """

    workers: int = 0
    kind: str = "local"
    instances: int = 0
    worker_pids: list[int] = field(default_factory=list)
    seconds_starting: float = 0.0
    seconds_up: float = 0.0
    seconds_busy: float = 0.0
    seconds_cpu: float = 0.0
    worker_seconds: dict[str, float] = field(default_factory=dict)
    instance_seconds: float = 0.0
    price_per_instance_hour: float = 0.0
    tasks: int = 0
    lost_tasks: int = 0
    handed_over: str = "by value"
    last_worker_gone: datetime | None = None
    left_over: list[int] = field(default_factory=list)

    @property
    def worker_seconds_provisioned(self) -> float:
        return sum(self.worker_seconds.values())

    @property
    def worker_seconds_idle(self) -> float:
        return max(self.worker_seconds_provisioned - self.seconds_busy, 0.0)

    @property
    def cost(self) -> float:
        """In the currency of `price_per_instance_hour`."""
        return self.instance_seconds / 3600 * self.price_per_instance_hour

    def metered(self, meter: Meter) -> None:
        """Take over what the meter shows."""
        self.workers, self.instances = meter.most_workers, meter.instances
        self.worker_seconds, self.instance_seconds = dict(meter.worker_seconds), meter.instance_seconds

    def as_dict(self, forecasts: int | None) -> dict[str, Any]:
        """Plain values; `forecasts`, where there are any, share the cost."""
        content: dict[str, Any] = {
            **vars(self),
            "worker_seconds": {stage: round(seconds, 3) for stage, seconds in self.worker_seconds.items()},
            "worker_seconds_provisioned": self.worker_seconds_provisioned,
            "worker_seconds_idle": self.worker_seconds_idle,
            "last_worker_gone": self.last_worker_gone and self.last_worker_gone.isoformat(timespec="milliseconds"),
        }
        content = {name: round(value, 3) if isinstance(value, float) else value for name, value in content.items()}
        content["cost"] = round(self.cost, 6)
        if forecasts:
            content["cost_per_1000_forecasts"] = round(1000 * self.cost / forecasts, 6)
        return content
