"""What a cluster provides, does and costs: measured while it lives, read as a frozen snapshot."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Phase = Literal["starting", "waiting", "computing", "ending"]
Transfer = Literal["message", "shared storage"]


@dataclass(frozen=True)
class ClusterUsage:
    """What a cluster provided, did and cost; seconds unless said otherwise.

    workers, instances: the most at a time.
    worker_seconds: provided, by phase (`starting`, `waiting`, `computing`, `ending`); workers that were there when
        the cluster had started count from the moment they were asked for.
    seconds_cpu: CPU seconds of the models alone.
    transfer: how partitions reached the workers.
    last_worker_gone: when the last worker had ended; None where the workers belong to somebody else.
    worker_pids: process ids of all workers that ran on this machine.
    left_over: those of them that survived the cluster.
    """

    kind: str = "local"
    workers: int = 0
    instances: int = 0
    seconds_starting: float = 0.0
    seconds_up: float = 0.0
    seconds_busy: float = 0.0
    seconds_cpu: float = 0.0
    worker_seconds: Mapping[str, float] = field(default_factory=dict)
    instance_seconds: float = 0.0
    price_per_instance_hour: float = 0.0
    tasks: int = 0
    lost_tasks: int = 0
    transfer: Transfer = "message"
    last_worker_gone: datetime | None = None
    worker_pids: tuple[int, ...] = ()
    left_over: tuple[int, ...] = ()

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


@dataclass
class UsageMeter:
    """Counts what a cluster does, and integrates the number of its workers and instances over time.

    Time is an argument: the meter reads no clock.

    per_instance: workers on one instance; an instance counts as long as any of them is there.
    since: the moment up to which everything is counted, in seconds of the caller's clock.
    """

    per_instance: int
    since: float
    kind: str = "local"
    price_per_instance_hour: float = 0.0
    workers: int = 0
    phase: Phase = "starting"
    tasks: int = 0
    lost_tasks: int = 0
    seconds_busy: float = 0.0
    seconds_cpu: float = 0.0
    transfer: Transfer = "message"
    last_worker_gone: datetime | None = None
    worker_pids: tuple[int, ...] = ()
    left_over: tuple[int, ...] = ()
    _most_workers: int = 0
    _seconds: dict[str, float] = field(default_factory=dict)
    _worker_seconds: dict[str, float] = field(default_factory=dict)
    _instance_seconds: float = 0.0
    # Workers come and go in the thread of Dask's client, phases in the run's own.
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def change(self, now: float, *, workers: int | None = None, phase: Phase | None = None) -> None:
        """Count up to `now`; from then on there are so many workers, and the cluster is in that phase."""
        with self._lock:
            # Never backwards: two threads may have read their clocks in the other order.
            seconds = max(now - self.since, 0.0)
            self.since = max(now, self.since)
            self._seconds[self.phase] = self._seconds.get(self.phase, 0.0) + seconds
            self._worker_seconds[self.phase] = self._worker_seconds.get(self.phase, 0.0) + self.workers * seconds
            self._instance_seconds += self._instances(self.workers) * seconds
            self.workers = self.workers if workers is None else workers
            self._most_workers = max(self._most_workers, self.workers)
            self.phase = phase or self.phase

    def usage(self) -> ClusterUsage:
        """Return what has been counted up to `since`."""
        with self._lock:
            return ClusterUsage(
                kind=self.kind,
                workers=self._most_workers,
                instances=self._instances(self._most_workers),
                seconds_starting=self._seconds.get("starting", 0.0),
                seconds_up=self._seconds.get("waiting", 0.0) + self._seconds.get("computing", 0.0),
                seconds_busy=self.seconds_busy,
                seconds_cpu=self.seconds_cpu,
                worker_seconds=dict(self._worker_seconds),
                instance_seconds=self._instance_seconds,
                price_per_instance_hour=self.price_per_instance_hour,
                tasks=self.tasks,
                lost_tasks=self.lost_tasks,
                transfer=self.transfer,
                last_worker_gone=self.last_worker_gone,
                worker_pids=self.worker_pids,
                left_over=self.left_over,
            )

    def _instances(self, workers: int) -> int:
        return -(-workers // self.per_instance)
