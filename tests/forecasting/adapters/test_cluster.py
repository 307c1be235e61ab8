"""A real Dask cluster: up, partitions mapped whatever they do, down."""

import socket
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import pandas as pd
import psutil
import pytest

from forecasting.adapters.cluster import Cluster, PartitionFunction, dask_cluster
from forecasting.adapters.feed import SHIPPED
from forecasting.adapters.files import read_table
from forecasting.batch import Batch
from forecasting.forecast import assemble, forecast, make_partitions, unusable_series
from forecasting.partition import Partition
from forecasting.schemas import PROMOTIONS, SALES, SERIES
from forecasting.spec import ClusterSpec, ForecastSpec
from forecasting.weeks import dominicks_week
from tests.forecasting.adapters import partition_functions as functions

SPEC = ForecastSpec(dominicks_week(70), model="mean")
TLS_ALERT = b"\x15"
WORKERS = ClusterSpec(max_concurrency_per_instance=2)


@pytest.fixture(scope="module")
def few_stores() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sales and promotions of three real stores."""
    sales, promotions = (read_table(SHIPPED / f"{table.name}.parquet", table) for table in (SALES, PROMOTIONS))
    return sales[sales["store"].isin([2, 5, 8])], promotions[promotions["store"].isin([2, 5, 8])]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with dask_cluster(WORKERS, tmp_path_factory.mktemp("scratch")) as cluster:
        yield cluster


@pytest.fixture
def partitions(few_stores: tuple[pd.DataFrame, pd.DataFrame]) -> list[Partition]:
    return make_partitions(*few_stores, SPEC, mini_batch_size=8)


def mapped(
    cluster: Cluster,
    function: PartitionFunction,
    partitions: list[Partition],
    *args: object,
    timeout: float = 60,
    max_retries: int = 0,
) -> tuple[pd.DataFrame, dict[tuple[int, int], str]]:
    batch = Batch(
        partitions,
        max_retries=max_retries,
        pooled=False,
        error_threshold=-1,
        unusable=lambda rows, series: unusable_series(rows, series, SPEC),
    )
    outcomes = cluster.map_partitions(function, batch, SPEC, *args, timeout=timeout)
    reasons = {key: why for outcome in outcomes for key, why in outcome.reasons.items()}
    return assemble([rows for outcome in outcomes for rows in outcome.frames], partitions, reasons, SPEC), reasons


def test_what_models_say_on_workers_is_heard_here(
    cluster: Cluster, partitions: list[Partition], caplog: pytest.LogCaptureFixture
) -> None:
    """Log lines of every partition; a warning once, however many partitions raise it."""
    mapped(cluster, functions.talk, partitions)
    said = [record.getMessage() for record in caplog.records]
    assert {f"here speaks {partition.name}" for partition in partitions} <= set(said)
    assert sum("was the first to warn: RuntimeWarning: dust on the shelf" in line for line in said) == 1


def test_a_series_that_fails_names_itself(
    cluster: Cluster, partitions: list[Partition], caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the model raised nothing."""
    mapped(cluster, functions.nan_on_poison, partitions)
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert ("WARNING", "Store 5 brand 3 failed (not_finite) and gets a fallback") in told


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (functions.raise_on_poison, "raised"),
        (functions.nan_on_poison, "not_finite"),
        (functions.die_on_poison, "worker_lost"),
    ],
)
def test_a_bad_series_costs_itself_only(
    cluster: Cluster,
    partitions: list[Partition],
    few_stores: tuple[pd.DataFrame, pd.DataFrame],
    function: PartitionFunction,
    reason: str,
) -> None:
    """A series that raises, gives NaN or kills its worker gets a fallback and the reason; all others are unharmed."""
    table, reasons = mapped(cluster, function, partitions)
    assert reasons == {functions.POISONED: reason}
    failed = pd.MultiIndex.from_frame(table[SERIES]).isin([functions.POISONED])
    assert table.loc[failed, "reason"].tolist() == [reason, reason]
    undisturbed = forecast(*few_stores, SPEC)
    pd.testing.assert_frame_equal(table[~failed], undisturbed[~failed])


def test_a_series_that_hangs_costs_itself_only(cluster: Cluster, partitions: list[Partition]) -> None:
    """Its worker is ended at the deadline, and the others go on."""
    table, reasons = mapped(cluster, functions.hang_on_poison, partitions, timeout=1.0)
    assert reasons == {functions.POISONED: "timed_out"}
    assert len(table) == 33 * SPEC.horizon


def test_a_killed_worker_does_not_change_the_result(
    cluster: Cluster,
    partitions: list[Partition],
    few_stores: tuple[pd.DataFrame, pd.DataFrame],
    tmp_path: Path,
) -> None:
    """Its partition is tried again on another worker."""
    lost_before = cluster.receipt.lost_tasks
    table, reasons = mapped(cluster, functions.die_once, partitions, tmp_path / "died", max_retries=2)
    assert cluster.receipt.lost_tasks > lost_before
    assert reasons == {}
    pd.testing.assert_frame_equal(table, forecast(*few_stores, SPEC))


def test_all_listeners_are_on_loopback(cluster: Cluster) -> None:
    """Scheduler, nannies, workers and dashboard listen on 127.0.0.1 only."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    listening = [
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 4
    assert set(listening) == {"127.0.0.1"}
    assert cluster.dashboard.startswith(("http://127.0.0.1:", "https://127.0.0.1:"))


def test_a_plain_connection_is_refused(cluster: Cluster) -> None:
    """Without the cluster's certificate the scheduler does not answer."""
    address = cluster._client.scheduler.address
    assert address.startswith("tls://127.0.0.1:")
    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), timeout=5) as plain:
        plain.sendall(b"\x00" * 64)
        with suppress(ConnectionResetError):
            assert plain.recv(64)[:1] in (b"", TLS_ALERT)


@pytest.mark.parametrize("ends_by", [None, ValueError("inside")])
def test_nothing_is_left_when_the_block_ends(tmp_path: Path, ends_by: ValueError | None) -> None:
    """Whether it ends well or by an error, no worker process is left, and the receipt says so."""
    expected = pytest.raises(ValueError, match="inside") if ends_by else nullcontext()
    with expected, dask_cluster(WORKERS, tmp_path) as cluster:
        receipt = cluster.receipt
        if ends_by:
            raise ends_by
    assert len(receipt.worker_pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in receipt.worker_pids)
    assert receipt.left_over == []
    assert receipt.worker_seconds_idle == pytest.approx(2 * receipt.seconds_up)
    assert list(tmp_path.iterdir()) == []


def test_the_receipt_counts_restarted_workers(tmp_path: Path, few_stores: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """A worker that was started in the place of a lost one is among the processes that are checked at the end."""
    partitions = make_partitions(*few_stores, SPEC, mini_batch_size=11)
    with dask_cluster(WORKERS, tmp_path) as cluster:
        mapped(cluster, functions.die_once, partitions, tmp_path / "died", max_retries=2)
        cluster._client.wait_for_workers(2, timeout=30)
        receipt = cluster.receipt
    assert len(receipt.worker_pids) == 3
    assert receipt.left_over == []
