"""What every cluster that a run starts has in common: its client, its growth, its end by an interrupt."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from distributed import Client
from distributed.deploy.spec import SpecCluster

from forecasting.contracts.spec import ClusterSpec

SECONDS_BETWEEN_LOOKS = 1


@contextmanager
def close_if_interrupted(seconds: float) -> Iterator[None]:
    """Close what is under construction where its construction is broken off: nobody else holds it yet.

    Dask does so for its own errors, and for a signal only when the interpreter ends.
    """
    before = set(SpecCluster._instances)  # noqa: SLF001 - the only list of clusters whose constructor has not returned
    try:
        yield
    except BaseException:
        for cluster in set(SpecCluster._instances) - before:  # noqa: SLF001 - as above
            with suppress(Exception):
                cluster.close(timeout=seconds)
            cluster.shutdown_on_close = False  # Dask would try once more when the interpreter ends
        raise


@contextmanager
def connected(cluster_or_address: Any, timeout: float, **options: Any) -> Iterator[Client]:
    """A client that is not the default of anything else in this process."""
    with Client(cluster_or_address, timeout=timeout, set_as_default=False, **options) as client:
        yield client


def adapt(cluster: Any, spec: ClusterSpec) -> None:
    """Let the cluster follow its work, where that is asked for."""
    if spec.is_adaptive:
        cluster.adapt(
            minimum=spec.n_workers,
            maximum=spec.most_workers,
            interval=f"{SECONDS_BETWEEN_LOOKS}s",
            # So often must a worker have been found idle.
            wait_count=max(math.ceil(spec.idle_time_before_scale_down / SECONDS_BETWEEN_LOOKS), 1),
            # Partitions are few and last seconds: each is worth a worker.
            target_duration="10ms",
        )
