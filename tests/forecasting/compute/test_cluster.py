"""The life of a cluster: nothing is left when its block ends, and its usage says so."""

from pathlib import Path

import dask
import pandas as pd
import psutil
import pytest

from forecasting.compute import dask_cluster
from forecasting.compute.cluster import require_possible
from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import ClusterSpec
from forecasting.pipeline.forecast import make_partitions
from forecasting.storage.lake import Lake
from tests.forecasting.compute import partition_functions as functions
from tests.forecasting.compute.conftest import SPEC, WORKERS, mapped


def test_nothing_is_left_when_the_block_ends_by_an_error(tmp_path: Path) -> None:
    """No worker process is left, and the usage says so."""
    with pytest.raises(ValueError, match="inside"), dask_cluster(WORKERS, Lake(tmp_path)) as cluster:
        raise ValueError("inside")
    usage = cluster.usage
    assert len(usage.worker_pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in usage.worker_pids)
    assert usage.left_over == ()
    assert usage.worker_seconds_idle == usage.worker_seconds_provisioned >= 2 * usage.seconds_up
    assert cluster.usage == usage  # it has stopped counting
    assert list(tmp_path.iterdir()) == [tmp_path / "scratch"]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_nothing_is_left_when_the_block_ends_well(
    tmp_path: Path, few_stores: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """A worker that was started in the place of a lost one is among the processes that are checked at the end."""
    partitions = make_partitions(*few_stores, SPEC, mini_batch_size=11)
    (tmp_path / "lake").mkdir()
    # However soon Dask would give up a worker that is restarting.
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "100ms"}),
        dask_cluster(WORKERS, Lake(tmp_path / "lake")) as cluster,
    ):
        mapped(cluster, functions.die_once, partitions, tmp_path / "died", max_retries=2)
        cluster._client.wait_for_workers(2, timeout=100)
        running = cluster.usage
    usage = cluster.usage
    assert len(usage.worker_pids) == 3
    assert not any(psutil.pid_exists(pid) for pid in usage.worker_pids)
    assert usage.left_over == ()
    assert running.seconds_busy == usage.seconds_busy > 0
    assert usage.worker_seconds_idle < usage.worker_seconds_provisioned
    assert list((tmp_path / "lake").iterdir()) == [tmp_path / "lake" / "scratch"]
    assert list((tmp_path / "lake" / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        ("tls://127.0.0.1:1", "needs certificates"),
        ("distributed.NoCluster", "is no class there"),
        ("distributed.SSHCluster", "name no hosts"),
    ],
)
def test_what_is_impossible_is_refused_before_anything_starts(cluster: str, expected: str) -> None:
    """Each lacks what it could never do without; the default lacks nothing."""
    require_possible(ClusterSpec())
    with pytest.raises(OptionError, match=expected):
        require_possible(ClusterSpec(cluster=cluster))
