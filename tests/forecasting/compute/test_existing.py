"""A scheduler and workers started by Dask's own command line, under certificates of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import dask
import pandas as pd
import pytest
from distributed import Client
from distributed.security import Security

from forecasting.compute import dask_cluster
from forecasting.compute.register import entries
from forecasting.contracts.errors import OptionError, RunError
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import ClusterSpec, ForecastSpec
from forecasting.core.partition import PartitionData
from forecasting.pipeline.forecast import forecast, make_partitions, train
from forecasting.pipeline.parts import forecast_data
from forecasting.storage.lake import Lake
from tests.certificates import configuration, make_authority
from tests.forecasting.compute import partition_functions as functions
from tests.forecasting.compute.conftest import SPEC, mapped
from tests.ports import free_port

ROOT = Path(__file__).parents[3]
DASK = [sys.executable, "-m", "dask"]


@dataclass(frozen=True)
class Running:
    """A scheduler that somebody else has started."""

    address: str
    certificates: Path
    folder: Path

    def tls(self, role: str) -> list[str]:
        files = {"ca-file": "ca.pem", "cert": f"{role}.pem", "key": f"{role}.key"}
        return [f"--tls-{name}={self.certificates / file}" for name, file in files.items()]

    @contextmanager
    def worker(self, *options: str, path: Path = ROOT) -> Iterator[subprocess.Popen[bytes]]:
        command = [*DASK, "worker", self.address, "--nthreads=1", "--host=127.0.0.1", "--no-dashboard", *options]
        command += [*self.tls("worker"), f"--local-directory={self.folder}"]
        with started(command, path) as process:
            yield process

    @contextmanager
    def client(self) -> Iterator[Client]:
        with dask.config.set(configuration(self.certificates, "client")):
            security = Security(require_encryption=True)
        with Client(self.address, security=security, set_as_default=False) as client:
            yield client

    @property
    def spec(self) -> ClusterSpec:
        return ClusterSpec(cluster=self.address, max_concurrency_per_instance=1)


@contextmanager
def started(command: list[str], path: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "PYTHONPATH": str(path)}
    process = subprocess.Popen(command, env=environment, cwd=path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A scheduler under TLS with two workers."""
    folder = tmp_path_factory.mktemp("existing")
    certificates = make_authority(folder / "certificates", "scheduler", "worker", "client")
    port = free_port()
    running = Running(f"tls://127.0.0.1:{port}", certificates, folder)
    command = [*DASK, "scheduler", "--protocol=tls", "--host=127.0.0.1", f"--port={port}", "--no-dashboard"]
    with ExitStack() as stack:
        stack.enter_context(started([*command, *running.tls("scheduler")], ROOT))
        for _ in range(2):
            stack.enter_context(running.worker())
        with running.client() as client:
            client.wait_for_workers(2, timeout=100)
        yield running


@pytest.fixture
def configured(scheduler: Running) -> Iterator[Running]:
    """The scheduler, with our certificate where Dask looks for it."""
    with dask.config.set(configuration(scheduler.certificates, "client")):
        yield scheduler


def test_the_result_is_the_local_one_and_the_scheduler_stays(
    configured: Running, partitions: list[PartitionData], few_stores: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    """Partitions go by shared storage; the run leaves nothing on the scheduler, and does not register it."""
    lake = Lake(tmp_path)
    with dask_cluster(configured.spec, lake) as cluster:
        assert entries(lake) == []
        table, reasons = mapped(cluster, forecast_data, partitions)
    assert reasons == {}
    pd.testing.assert_frame_equal(table, forecast(*few_stores, SPEC), check_exact=True)
    assert (cluster.usage.transfer, cluster.usage.workers) == ("shared storage", 2)
    assert cluster.usage.last_worker_gone is None
    assert list(lake.scratch().iterdir()) == []
    with configured.client() as client:
        client.wait_for_workers(2, timeout=100)
        assert client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 0
        plugins = client.run(lambda dask_worker: [name for name in dask_worker.plugins if "dask-" in name])
        assert list(plugins.values()) == [[], []]


@pytest.mark.parametrize("model", ["price_response", "theta"])
def test_a_registered_model_forecasts_where_workers_see_the_lake(
    model: str, configured: Running, few_stores: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    """Its rows are those of `forecast` with that model in memory, which are not those of the model fitted anew."""
    spec = ForecastSpec(dominicks_week(80), model=model)
    fitted = train(*few_stores, replace(spec, cutoff=dominicks_week(70)))
    partitions = make_partitions(*few_stores, spec, mini_batch_size=8, fitted=fitted)
    with dask_cluster(configured.spec, Lake(tmp_path)) as cluster:
        table, reasons = mapped(cluster, forecast_data, partitions, spec=spec)
    assert cluster.usage.transfer == "shared storage"
    assert reasons == {}
    pd.testing.assert_frame_equal(table, forecast(*few_stores, spec, fitted), check_exact=True)
    anew = forecast(*few_stores, spec)
    assert (table["forecast"] != anew["forecast"]).mean() > 0.9


def test_partitions_go_by_message_where_the_lake_is_not_shared(
    configured: Running,
    partitions: list[PartitionData],
    few_stores: tuple[pd.DataFrame, pd.DataFrame],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Workers that cannot read the token get the same partitions in messages, with the same result."""
    monkeypatch.setattr("forecasting.compute.workers.read_text", lambda _: None)
    with dask_cluster(configured.spec, Lake(tmp_path)) as cluster:
        table, _ = mapped(cluster, forecast_data, partitions)
    assert cluster.usage.transfer == "message"
    pd.testing.assert_frame_equal(table, forecast(*few_stores, SPEC), check_exact=True)


def test_a_worker_killed_in_mid_run_costs_nothing(
    configured: Running, partitions: list[PartitionData], few_stores: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    """Its partition is computed again."""
    with dask_cluster(configured.spec, Lake(tmp_path)) as cluster:
        table, reasons = mapped(cluster, functions.die_once, partitions, tmp_path / "died", max_retries=2)
    assert (tmp_path / "died").exists()
    assert reasons == {}
    pd.testing.assert_frame_equal(table, forecast(*few_stores, SPEC), check_exact=True)


def test_a_worker_without_a_nanny_that_hangs_is_ended_too(
    configured: Running, partitions: list[PartitionData], tmp_path: Path
) -> None:
    """It ends itself at the deadline, for good; the others compute the rest."""
    with configured.worker("--no-nanny") as lonely:
        with configured.client() as client:
            client.wait_for_workers(3, timeout=100)
        with dask_cluster(configured.spec, Lake(tmp_path)) as cluster:
            _, reasons = mapped(cluster, functions.hang_unless_nanny, partitions, timeout=1.5, max_retries=5)
        assert reasons == {}
        assert lonely.wait(timeout=100) == -signal.SIGKILL


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder from which the package cannot be imported."""
    (tmp_path / "elsewhere" / "forecasting").mkdir(parents=True)
    (tmp_path / "elsewhere" / "forecasting" / "__init__.py").write_text("raise ImportError('not the package')")
    return tmp_path / "elsewhere"


def test_a_worker_without_the_package_is_named(configured: Running, elsewhere: Path, tmp_path: Path) -> None:
    """One that is there at the start: one sentence, no traceback."""
    with configured.worker("--no-nanny", path=elsewhere), configured.client() as client:
        client.wait_for_workers(3, timeout=100)
        expected = r"The worker tls://127.0.0.1:\d+ runs another version than this run: this package none there"
        with pytest.raises(RunError, match=expected), dask_cluster(configured.spec, Lake(tmp_path)):
            pass


def test_a_late_worker_without_the_package_is_named(
    configured: Running, partitions: list[PartitionData], elsewhere: Path, tmp_path: Path
) -> None:
    """It joins while the run computes: nothing it computed could enter the forecast."""
    with dask_cluster(configured.spec, Lake(tmp_path)) as cluster, configured.worker("--no-nanny", path=elsewhere):
        cluster._client.wait_for_workers(3, timeout=100)
        while cluster._version_mismatches.empty():
            time.sleep(0.05)
        with pytest.raises(RunError, match="this package none there"):
            mapped(cluster, functions.take_a_while, partitions)


def test_without_our_certificate_nobody_is_let_in(scheduler: Running, tmp_path: Path) -> None:
    """None configured, one of another authority, and a plain connection: each ends in one sentence or in nothing."""
    with (
        pytest.raises(OptionError, match="DASK_DISTRIBUTED__COMM__TLS__CA_FILE"),
        dask_cluster(scheduler.spec, Lake(tmp_path)),
    ):
        pass
    other = make_authority(tmp_path / "other", "client")
    with (
        dask.config.set({**configuration(other, "client"), "distributed.comm.timeouts.connect": "3s"}),
        pytest.raises(RunError, match="refuses our certificate"),
        dask_cluster(scheduler.spec, Lake(tmp_path)),
    ):
        pass
    plain = scheduler.address.replace("tls://", "tcp://")
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "3s"}),
        pytest.raises(RunError, match="does not answer"),
        dask_cluster(ClusterSpec(cluster=plain, insecure=True), Lake(tmp_path)),
    ):
        pass
