"""A real cluster on this machine: up, partitions mapped whatever they do, down."""

import http.client
import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import dask
import pandas as pd
import psutil
import pytest

from forecasting.compute import Cluster, PartitionFunction, dask_cluster
from forecasting.contracts.schemas import SERIES
from forecasting.contracts.spec import ClusterSpec
from forecasting.core.partition import Partition
from forecasting.pipeline.forecast import forecast, make_partitions
from forecasting.storage.lake import Lake
from tests.forecasting.compute import partition_functions as functions
from tests.forecasting.compute.conftest import SPEC, mapped

ROOT = Path(__file__).parents[3]
HOLD = """
import sys, time
from pathlib import Path
from forecasting.compute import dask_cluster
from forecasting.storage.lake import Lake
from forecasting.contracts.spec import ClusterSpec
if __name__ == "__main__":
    print("begun", flush=True)
    with dask_cluster(ClusterSpec(), Lake(Path(sys.argv[1]))):
        print("up", flush=True)
        time.sleep(600)
"""
TLS_ALERT = b"\x15"
WORKERS = ClusterSpec(max_concurrency_per_instance=2)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with dask_cluster(WORKERS, Lake(tmp_path_factory.mktemp("lake"))) as cluster:
        yield cluster


def test_what_models_log_on_workers_is_logged_here(
    cluster: Cluster, partitions: list[Partition], caplog: pytest.LogCaptureFixture
) -> None:
    """Log lines of every partition; a warning once, however many partitions raise it."""
    caplog.set_level(logging.INFO)  # Dask has silenced pytest's handler too
    mapped(cluster, functions.talk, partitions)
    logged = [record.getMessage() for record in caplog.records]
    assert {f"here speaks {partition.name}" for partition in partitions} <= set(logged)
    assert sum("was the first to warn: RuntimeWarning: dust on the shelf" in line for line in logged) == 1


def test_a_series_that_fails_names_itself(
    cluster: Cluster, partitions: list[Partition], caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the model raised nothing."""
    caplog.set_level(logging.INFO)  # Dask has silenced pytest's handler too
    mapped(cluster, functions.nan_on_poison, partitions)
    logged = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert ("WARNING", "Store 5 product 3 failed (not_finite) and gets a fallback") in logged


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (functions.raise_on_poison, "raised"),
        (functions.nan_on_poison, "not_finite"),
        (functions.die_on_poison, "worker_lost"),
    ],
)
def test_a_bad_series_costs_itself_only(
    cluster: Cluster, few_stores: tuple[pd.DataFrame, pd.DataFrame], function: PartitionFunction, reason: str
) -> None:
    """A series that raises, gives NaN or kills its worker gets a fallback and the reason; all others are unharmed."""
    partitions = make_partitions(*few_stores, SPEC, mini_batch_size=2)
    table, reasons = mapped(cluster, function, partitions)
    assert reasons == {functions.POISONED: reason}
    failed = pd.MultiIndex.from_frame(table[SERIES]).isin([functions.POISONED])
    assert table.loc[failed, "reason"].tolist() == [reason, reason]
    undisturbed = forecast(*few_stores, SPEC)
    pd.testing.assert_frame_equal(table[~failed], undisturbed[~failed])


def test_a_series_that_hangs_costs_itself_only(cluster: Cluster, few_stores: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Its worker is ended at the deadline, which a busy machine keeps with all others, and these go on."""
    partitions = make_partitions(*few_stores, SPEC, mini_batch_size=2)
    table, reasons = mapped(cluster, functions.hang_on_poison, partitions, timeout=3.0)
    assert reasons == {functions.POISONED: "timed_out"}
    assert len(table) == 33 * SPEC.horizon


def test_a_killed_worker_does_not_change_the_result(
    cluster: Cluster,
    partitions: list[Partition],
    few_stores: tuple[pd.DataFrame, pd.DataFrame],
    tmp_path: Path,
) -> None:
    """Its partition is tried again on another worker."""
    lost_before = cluster.usage.lost_tasks
    table, reasons = mapped(cluster, functions.die_once, partitions, tmp_path / "died", max_retries=2)
    assert cluster.usage.lost_tasks > lost_before
    assert reasons == {}
    pd.testing.assert_frame_equal(table, forecast(*few_stores, SPEC))


def test_all_listeners_are_on_loopback_and_none_is_a_dashboard(cluster: Cluster) -> None:
    """Scheduler, nannies and workers listen on 127.0.0.1 only; what speaks HTTP there has no pages."""
    cluster._client.wait_for_workers(2, timeout=100)  # a test before may have cost one
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    listening = [
        connection.laddr
        for process in processes
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 4
    assert {address.ip for address in listening} == {"127.0.0.1"}
    answers = [_status(address.port, path) for address in listening for path in ("/status", "/info/main/workers.html")]
    assert set(answers) == {None, 404}


def _status(port: int, path: str) -> int | None:
    """The status with which a port answers a plain HTTP request; None where it speaks another protocol."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def test_a_plain_connection_is_refused(cluster: Cluster) -> None:
    """Without the cluster's certificate the scheduler does not answer."""
    address = str(cluster._client.scheduler.address)  # type: ignore[union-attr]
    assert address.startswith("tls://127.0.0.1:")
    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), timeout=60) as plain:
        plain.sendall(b"\x00" * 64)
        with suppress(ConnectionResetError):
            assert plain.recv(64)[:1] in (b"", TLS_ALERT)


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


@pytest.mark.parametrize(("when", "how"), [("begun", signal.SIGINT), ("up", signal.SIGKILL)])
def test_nothing_is_left_of_a_driver_that_was_ended(tmp_path: Path, when: str, how: signal.Signals) -> None:
    """Interrupted while its workers start, or killed when they are up: its processes and folders are gone."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        text=True,
    ) as driver:
        assert driver.stdout
        assert driver.stdout.readline() == "begun\n"
        if when == "up":
            assert driver.stdout.readline() == "up\n"
        started = psutil.Process(driver.pid)
        while len(started.children()) < 3:  # the cleanup, and workers or the tracker of their resources
            assert driver.poll() is None
            time.sleep(0.01)
        children = started.children(recursive=True)
        driver.send_signal(how)
        driver.wait(timeout=60)
    assert psutil.wait_procs(children, timeout=100)[1] == []
    until = time.monotonic() + 100
    while list((tmp_path / "scratch").iterdir()):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_growing_cluster_follows_its_work(
    partitions: list[Partition], few_stores: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
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
