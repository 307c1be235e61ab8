"""A cluster of a class by its path: Dask's SSHCluster against a private sshd on loopback."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import dask
import pandas as pd
import psutil
import pytest

from forecasting.compute import dask_cluster
from forecasting.compute.register import entries, reap_orphans
from forecasting.contracts.errors import OptionError, RunError
from forecasting.contracts.spec import ClusterSpec
from forecasting.core.partition import PartitionData
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.parts import forecast_data
from forecasting.storage.lake import Lake
from tests.certificates import configuration, environment, make_authority
from tests.forecasting.compute import partition_functions as functions
from tests.forecasting.compute.conftest import SPEC, mapped
from tests.ports import free_port

ROOT = Path(__file__).parents[3]
ROLES = ("client", "scheduler", "worker")
MARK = "OJ_TEST_SSH"  # in the environment of what runs on these hosts: other tests have hosts too
HOLD = """
import json, sys, time
from pathlib import Path
from forecasting.compute import dask_cluster
from forecasting.storage.lake import Lake
from forecasting.contracts.spec import ClusterSpec
if __name__ == "__main__":
    with dask_cluster(ClusterSpec(**json.loads(sys.argv[2])), Lake(Path(sys.argv[1])), "the week of 1992-04-16"):
        print("up", flush=True)
        time.sleep(600)
"""


@pytest.fixture(scope="module")
def ssh_options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Options of an SSHCluster on a private sshd: keys, port and known_hosts of its own."""
    sshd, ssh_keygen = shutil.which("sshd", path="/usr/sbin:/usr/bin"), shutil.which("ssh-keygen")
    if not sshd or not ssh_keygen:
        yield {}
        return
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "user"):
        subprocess.run([ssh_keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    port = free_port()
    public = " ".join((folder / "host.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}\n")
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host",
        "PidFile": "none",
        "AuthorizedKeysFile": folder / "user.pub",
        "StrictModes": "no",
        "PasswordAuthentication": "no",
        "MaxStartups": 100,
        "SetEnv": f"PYTHONPATH={ROOT} OMP_NUM_THREADS=1 {MARK}={os.getpid()}",
    }
    (folder / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    Path("/run/sshd").mkdir(exist_ok=True)
    with subprocess.Popen([sshd, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=subprocess.DEVNULL) as process:
        yield {
            "hosts": ["127.0.0.1"] * 3,
            "connect_options": {
                "port": port,
                "client_keys": [str(folder / "user")],
                "known_hosts": str(folder / "known_hosts"),
            },
            "scheduler_options": {"interface": "lo"},
            "worker_options": {"interface": "lo", "local_directory": str(folder / "spilled")},
        }
        process.terminate()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates that scheduler, workers and client find under the same paths."""
    return make_authority(tmp_path_factory.mktemp("tls") / "certificates", *ROLES)


@pytest.fixture
def spec(ssh_options: dict[str, Any], certificates: Path, needs_system: Callable[[str], None]) -> Iterator[ClusterSpec]:
    """Two hosts of one worker each, under the certificates that Dask's configuration names."""
    if not ssh_options:
        needs_system("sshd is missing: apt-get install openssh-server")
    with dask.config.set(configuration(certificates, *ROLES)):
        yield ClusterSpec(
            cluster="distributed.SSHCluster",
            cluster_options=ssh_options,
            max_concurrency_per_instance=1,
            price_per_instance_hour=3.0,
        )


def left_in(spec: ClusterSpec) -> list[Path]:
    """What workers have left in their folder on the hosts."""
    folder = Path(spec.cluster_options["worker_options"]["local_directory"])
    return [path for path in folder.rglob("*") if path.name not in ("dask-scratch-space", "global.lock", "purge.lock")]


def of_ssh() -> set[psutil.Process]:
    """What SSHCluster has started on the hosts of this test, and that still runs."""
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            is_ours = process.environ().get(MARK) == str(os.getpid())
            if is_ours and "distributed.cli.dask_spec" in process.cmdline():
                found.add(process)
    return found


def test_the_result_is_the_local_one_and_nothing_is_left(
    spec: ClusterSpec,
    partitions: list[PartitionData],
    few_stores: tuple[pd.DataFrame, pd.DataFrame],
    tmp_path: Path,
) -> None:
    """Under TLS, with no key on a command line, listening on loopback only; a killed worker changes nothing."""
    lake, before = Lake(tmp_path), of_ssh()
    with dask_cluster(spec, lake, "a week") as cluster:
        (entry,) = entries(lake)
        assert (entry.run, entry.instances, entry.is_orphan) == ("a week", 2, False)
        assert entry.scheduler.startswith("tls://127.0.0.1:")
        running = of_ssh() - before
        assert len(running) == 3
        everything = {child for process in running for child in [process, *process.children(recursive=True)]}
        assert not any("PRIVATE KEY" in " ".join(process.cmdline()) for process in everything)
        assert _listening(everything) == {"127.0.0.1"}
        table, reasons = mapped(cluster, functions.die_once, partitions, tmp_path / "died", max_retries=2)
    assert reasons == {}
    pd.testing.assert_frame_equal(table, forecast(*few_stores, SPEC), check_exact=True)
    usage = cluster.usage
    assert (usage.workers, usage.instances, usage.transfer) == (2, 2, "shared storage")
    assert usage.cost > 0
    assert usage.last_worker_gone is not None
    assert not psutil.wait_procs(of_ssh() - before, timeout=100)[1]
    assert left_in(spec) == []
    assert entries(lake) == []
    assert list((tmp_path / "clusters").iterdir()) == list((tmp_path / "scratch").iterdir()) == []


def test_an_orphan_is_ended_by_the_next_run(spec: ClusterSpec, certificates: Path, tmp_path: Path) -> None:
    """A driver that was killed leaves its scheduler; the entry says where it is, and it is reaped."""
    lake, before = Lake(tmp_path), of_ssh()
    options = json.dumps({"cluster": spec.cluster, "cluster_options": spec.cluster_options})
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), options],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | environment(certificates, *ROLES),
        text=True,
    ) as driver:
        assert driver.stdout
        assert driver.stdout.readline() == "up\n"
        assert reap_orphans(lake) == []  # its run lives
        driver.kill()
    left = of_ssh() - before
    assert left
    (reaped,) = reap_orphans(lake)
    assert reaped.was_alive
    assert reaped.entry.run == "the week of 1992-04-16"
    assert not psutil.wait_procs(left, timeout=100)[1]
    assert list((tmp_path / "clusters").iterdir()) == []
    assert left_in(spec) == []
    until = time.monotonic() + 100
    while list((tmp_path / "scratch").iterdir()):
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("options", "error", "expected"),
    [
        ({"cluster": "dask_kubernetes.operator.KubeCluster"}, OptionError, "pip install dask-kubernetes"),
        ({"cluster": "distributed.NoCluster"}, OptionError, "names 'NoCluster', which is no class"),
        ({"cluster": "distributed.SSHCluster"}, OptionError, "name no hosts"),
        ({"cluster": "distributed.LocalCluster", "cluster_options": {"host": 5, "sun": 1}}, Exception, "cluster"),
        (
            {
                "cluster": "distributed.SSHCluster",
                "cluster_options": {"hosts": ["127.0.0.1"] * 2, "connect_options": {"known_hosts": None}},
            },
            OptionError,
            "switch off the check of the hosts' keys",
        ),
        (
            {"cluster": "distributed.SSHCluster", "cluster_options": {"hosts": ["127.0.0.1"] * 2}},
            OptionError,
            "needs certificates.*DASK_DISTRIBUTED__COMM__TLS__WORKER__CERT",
        ),
        (
            {
                "cluster": "distributed.SSHCluster",
                "cluster_options": {"hosts": ["127.0.0.1"] * 2, "connect_options": {"port": 1}},
                "insecure": True,
            },
            RunError,
            r"SSHCluster could not be started \(.*127\.0\.0\.1",
        ),
    ],
)
def test_what_cannot_be_had_ends_in_one_sentence(
    options: dict[str, Any], error: type[Exception], expected: str, tmp_path: Path
) -> None:
    """It names the option or the host, and the remedy; nothing stays registered."""
    with pytest.raises(error, match=expected), dask_cluster(ClusterSpec(**options), Lake(tmp_path)):
        pass
    assert entries(Lake(tmp_path)) == []


def test_any_class_is_scaled_to_the_instances(
    partitions: list[PartitionData], few_stores: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    """Dask's own LocalCluster by its path: constructed with the options, under TLS."""
    options = {"threads_per_worker": 1}
    spec = ClusterSpec(cluster="distributed:LocalCluster", cluster_options=options, max_concurrency_per_instance=1)
    with dask_cluster(spec, Lake(tmp_path)) as cluster:
        assert entries(Lake(tmp_path))[0].scheduler.startswith("tls://")
        table, _ = mapped(cluster, forecast_data, partitions)
    pd.testing.assert_frame_equal(table, forecast(*few_stores, SPEC), check_exact=True)
    assert cluster.usage.workers == 1


def _listening(processes: set[psutil.Process]) -> set[str]:
    return {
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
