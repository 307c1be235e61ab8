"""What the clusters that a run starts have in common."""

import signal
import time
from pathlib import Path

import pandas as pd
import pytest
from distributed import LocalCluster

from forecasting.compute import dask_cluster
from forecasting.compute.spec_cluster import close_if_interrupted
from forecasting.contracts.spec import ClusterSpec
from forecasting.core.partition import PartitionData
from forecasting.pipeline.forecast import forecast
from forecasting.storage.lake import Lake
from tests.forecasting.compute import partition_functions as functions
from tests.forecasting.compute.conftest import SPEC, mapped


def test_a_growing_cluster_follows_its_work(
    partitions: list[PartitionData], few_stores: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    """It begins with nothing, grows to its bound, shrinks when idle; what it provided is measured, not assumed."""
    spec = ClusterSpec(max_concurrency_per_instance=1, max_instances=2, idle_time_before_scale_down=1.0)
    with dask_cluster(spec, Lake(tmp_path)) as cluster:
        assert cluster._meter.workers == 0
        table, _ = mapped(cluster, functions.take_a_while, partitions)
        until = time.monotonic() + 100
        while cluster._meter.workers:
            assert time.monotonic() < until
            time.sleep(0.1)
    usage = cluster.usage
    pd.testing.assert_frame_equal(table, forecast(*few_stores, SPEC), check_exact=True)
    assert usage.workers == 2
    assert 0 < usage.worker_seconds_provisioned < 2 * usage.seconds_up
    assert usage.left_over == ()


def test_a_cluster_whose_construction_is_interrupted_is_closed() -> None:
    """Nobody holds it yet, so that nobody else could close it; one that was there before is left alone."""
    with LocalCluster(n_workers=0, processes=False, dashboard_address="127.0.0.1:0") as other:
        made = []

        def construct() -> None:
            with close_if_interrupted(10.0):
                made.append(LocalCluster(n_workers=0, processes=False, dashboard_address="127.0.0.1:0"))
                signal.raise_signal(signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            construct()
        assert [str(cluster.status) for cluster in (*made, other)] == ["Status.closed", "Status.running"]
