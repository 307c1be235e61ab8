"""How many worker seconds a cluster provides, stage by stage. Time is an argument: no clock, no cluster in sight."""

import threading
from dataclasses import dataclass, field
from typing import Literal

Stage = Literal["starting", "waiting", "computing", "ending"]


@dataclass
class Meter:
    """Integrates the number of workers, and of the instances they fill, over time.

    per_instance: workers on one instance; an instance counts as long as any of them is there.
    since: the moment up to which everything is counted, in seconds of the caller's clock.
    """

    per_instance: int
    since: float
    workers: int = 0
    stage: Stage = "starting"
    most_workers: int = 0
    worker_seconds: dict[str, float] = field(default_factory=dict)
    instance_seconds: float = 0.0
    # Workers come and go in the thread of Dask's client, stages in the run's own.
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def instances(self) -> int:
        """The most instances that there were at a time."""
        return self._instances(self.most_workers)

    def change(self, now: float, *, workers: int | None = None, stage: Stage | None = None) -> None:
        """Count up to `now`; from then on there are so many workers, and that stage."""
        with self._lock:
            # Never backwards: two threads may have read their clocks in the other order.
            seconds = max(now - self.since, 0.0)
            self.since = max(now, self.since)
            self.worker_seconds[self.stage] = self.worker_seconds.get(self.stage, 0.0) + self.workers * seconds
            self.instance_seconds += self._instances(self.workers) * seconds
            self.workers = self.workers if workers is None else workers
            self.most_workers = max(self.most_workers, self.workers)
            self.stage = stage or self.stage

    def _instances(self, workers: int) -> int:
        return -(-workers // self.per_instance)
