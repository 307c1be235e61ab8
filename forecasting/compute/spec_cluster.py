"""What the clusters that a run starts have in common: Dask builds most of them on its `SpecCluster`."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from distributed.deploy.spec import SpecCluster

from forecasting.contracts.spec import ClusterSpec

SECONDS_BETWEEN_CHECKS = 1
# Scheduler options. The HTTP server of Dask has no authentication, and it cannot be left out: it listens on a free
# port of loopback, without pages.
NO_DASHBOARD = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}


@contextmanager
def close_if_interrupted(seconds: float) -> Iterator[None]:
    """Close the clusters whose construction the `with` block does not finish.

    Dask closes them itself after errors of its own; after a signal, only when the interpreter ends.
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


def adapt(cluster: Any, spec: ClusterSpec) -> None:
    """Let the number of workers follow the work, if the spec asks for it."""
    if spec.is_adaptive:
        cluster.adapt(
            minimum=spec.n_workers,
            maximum=spec.most_workers,
            interval=f"{SECONDS_BETWEEN_CHECKS}s",
            # The number of checks in a row that must find a worker idle.
            wait_count=max(math.ceil(spec.idle_time_before_scale_down / SECONDS_BETWEEN_CHECKS), 1),
            # Partitions are few and take seconds: each is worth a worker.
            target_duration="10ms",
        )
