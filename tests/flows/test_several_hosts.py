"""A real week of four stores on a cluster of several hosts, of which one is killed or cut off; or the driver is."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import dask
import pytest
from moto.server import ThreadedMotoServer

from flows.prefect_tasks import run_flow
from flows.weekly_forecast import weekly_forecast
from forecasting.compute import ClusterUsage, cluster_class, dask_cluster
from forecasting.compute.register import entries, reap_orphans
from forecasting.contracts.errors import RunError
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.run_record import RunRecord
from forecasting.contracts.spec import ClusterSpec
from forecasting.core.retry_queue import Part, PartitionOutcome, RetryQueue, Task
from forecasting.pipeline.publication import PublishedForecast
from forecasting.storage.forecasts import PartialResults
from forecasting.storage.lake import Lake
from forecasting.storage.location import Location
from tests.certificates import configuration, environment, make_authority
from tests.hosts import REPOSITORY, Host, Hosts, hosts, lacking
from tests.small import small_lake

WEEK = dominicks_week(136)
SECONDS_TO_END = 100
ROLES = ("client", "scheduler", "worker")
DRIVER = """
import json, sys, time
from pathlib import Path
from forecasting.compute import dask_cluster
from forecasting.compute import ClusterUsage
from forecasting.contracts.run_record import RunRecord
from forecasting.pipeline.publication import PublishedForecast
from forecasting.storage.lake import Lake
from forecasting.contracts.spec import ClusterSpec

with dask_cluster(ClusterSpec(**json.loads(sys.argv[2])), Lake(Path(sys.argv[1])), "the week of 1992-04-16"):
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def ssh_folder(tmp_path: Path, needs_system: Callable[[str], None]) -> Iterator[Path]:
    """A folder that all hosts see, with the certificates that Dask's configuration names."""
    if reason := lacking():
        needs_system(reason)
    (tmp_path / "ssh").mkdir()
    with dask.config.set(configuration(make_authority(tmp_path / "ssh" / "tls", *ROLES), *ROLES)):
        yield tmp_path / "ssh"


def run(lake: Lake, **options: Any) -> RunRecord:
    """The weekly run; these tests are about its cluster, and need no server."""
    return run_flow(weekly_forecast, {"lake": str(lake.root), "cutoff": WEEK, **options}, why_not="No server")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Four real stores up to the week; not to be changed."""
    return small_lake(tmp_path_factory.mktemp("history") / "lake", dominicks_week(60), WEEK)


@pytest.fixture
def lake(history: Lake, tmp_path: Path) -> Lake:
    """A lake of one's own."""
    shutil.copytree(history.root, tmp_path / "lake")
    return Lake(tmp_path / "lake")


@pytest.fixture(scope="module")
def local_sha256(history: Lake, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of what a run on this machine alone publishes."""
    root = tmp_path_factory.mktemp("local") / "lake"
    shutil.copytree(history.root, root)
    run(Lake(root))
    return sha256(Lake(root))


def made_by_three_hosts(record: RunRecord, transfer: str) -> tuple[ClusterUsage, PublishedForecast]:
    """Check that three hosts made the whole forecast, and how their rows came to them; return usage and forecast."""
    usage, published = record.result(ClusterUsage), record.result(PublishedForecast)
    assert usage
    assert published
    assert (usage.instances, usage.transfer) == (3, transfer)
    assert published.fallbacks_by_reason == {}
    return usage, published


def test_a_host_killed_in_mid_run_does_not_change_the_result(
    local_sha256: str, lake: Lake, ssh_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two others compute what it does not, of a lake that all share; afterwards nothing runs on any host."""
    with hosts(ssh_folder, shared=[Path(lake.root)]) as made:

        def stop(host: Host) -> None:
            # So that it surely has not finished the partition that it is killed with.
            for process in host.processes():
                process.suspend()

        monkeypatch.setattr(PartialResults, "finished", before(PartialResults.finished, lambda: stop(made.each[2])))
        monkeypatch.setattr(RetryQueue, "succeeded", before(RetryQueue.succeeded, made.each[2].kill))
        record = run(lake, mini_batch_size=3, **on(made))
        assert left_on(made) == []
    usage, _ = made_by_three_hosts(record, "shared storage")
    assert usage.lost_tasks >= 1
    assert sha256(lake) == local_sha256


def test_a_host_cut_off_in_mid_run_does_not_change_the_result(
    local_sha256: str, lake: Lake, ssh_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No host sees the lake, and one is cut off: it gives up by itself, and leaves nothing."""
    monkeypatch.setitem(cluster_class.SETTINGS, "distributed.comm.timeouts.tcp", "11s")  # Dask takes no less
    with hosts(ssh_folder) as made:
        monkeypatch.setattr(PartialResults, "finished", before(PartialResults.finished, made.each[2].cut))
        record = run(lake, mini_batch_size=3, **on(made))
        assert left_on(made) == []
        assert made.each[2].files() == []
    usage, _ = made_by_three_hosts(record, "message")
    assert usage.lost_tasks >= 1
    assert sha256(lake) == local_sha256


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapping[str, str]]:
    """An S3 server of this machine; gives the variables by which hosts reach it, with credentials of their own."""
    server = ThreadedMotoServer(ip_address="0.0.0.0", port=0)  # noqa: S104 - the hosts' bridge is private
    server.start()
    try:
        _, port = server.get_host_and_port()
        here = f"http://127.0.0.1:{port}"
        with urlopen(Request(f"{here}/lakes", method="PUT"), timeout=30):  # noqa: S310 - our own server
            common = {"AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true", "AWS_SECRET_ACCESS_KEY": "s3cr3t-of-a-test"}
            for name, value in {**common, "AWS_ENDPOINT_URL": here, "AWS_ACCESS_KEY_ID": "driver"}.items():
                monkeypatch.setenv(name, value)
        yield {**common, "AWS_ENDPOINT_URL": f"http://{{driver}}:{port}", "AWS_ACCESS_KEY_ID": "worker"}
    finally:
        server.stop()


def test_hosts_that_share_only_a_bucket_publish_the_same_bytes(
    local_sha256: str,
    history: Lake,
    ssh_folder: Path,
    bucket: Mapping[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They read their rows and write their parts there, see nothing of the driver's disk, and one of them is killed."""
    monkeypatch.setenv("OJ_HOME", str(tmp_path / "home"))
    lake = Lake("s3://lakes/one")
    for entry in history.root.walk():
        Location(lake.root.backend, entry.key).write_bytes(history.root.backend.get(entry.key))
    written: list[Part] = []
    with hosts(ssh_folder, variables=bucket) as made:

        def kill_once(*_: Any) -> None:
            if len(written) == 2:
                made.each[2].kill()

        def succeeded(queue: RetryQueue, task: Task, part: Part) -> PartitionOutcome | None:
            written.append(part)
            kill_once()
            return take(queue, task, part)

        take = RetryQueue.succeeded
        monkeypatch.setattr(RetryQueue, "succeeded", succeeded)
        record = run(lake, mini_batch_size=3, **on(made))
        assert left_on(made) == []
    _, published = made_by_three_hosts(record, "shared storage")
    assert all(part.rows is None for part in written)
    assert sha256(lake) == local_sha256
    assert lake.partials.folder(published.run_id).walk() == []
    everything = b"".join(lake.root.at(entry).read_bytes() for entry in lake.root.walk())
    assert bucket["AWS_SECRET_ACCESS_KEY"].encode() not in everything


def test_what_a_killed_driver_leaves_is_listed_and_reaped(ssh_folder: Path, tmp_path: Path) -> None:
    """After SIGKILL the lake has an entry of what is left, and of its run, until it is ended."""
    lake = Lake(tmp_path / "lake")
    lake.prepare()
    with hosts(ssh_folder, [REPOSITORY] * 2) as made:
        command = [sys.executable, "-c", DRIVER, str(lake.root), json.dumps(on(made))]
        variables = os.environ | environment(ssh_folder / "tls", *ROLES)
        with subprocess.Popen(command, cwd=REPOSITORY, env=variables, stdout=subprocess.PIPE) as driver:
            assert driver.stdout
            assert driver.stdout.readline() == b"up\n"
            assert [entry.is_orphan for entry in entries(lake)] == [False]
            driver.kill()
        assert [(entry.is_orphan, entry.run) for entry in entries(lake)] == [(True, "the week of 1992-04-16")]
        assert all(host.processes() for host in made.each)
        assert all(host.files() for host in made.each)
        assert [reaped.was_alive for reaped in reap_orphans(lake)] == [True]
        assert left_on(made) == []
        assert [host.files() for host in made.each] == [[], []]
    assert entries(lake) == []


def test_a_host_with_another_version_is_refused_before_it_computes(ssh_folder: Path, tmp_path: Path) -> None:
    """One sentence names the host, both versions and the remedy; nothing is left of the cluster."""
    other, lake = tmp_path / "other", Lake(tmp_path / "lake")
    shutil.copytree(REPOSITORY / "forecasting", other / "forecasting")
    with (other / "forecasting" / "models" / "mean.py").open("a") as model:
        model.write("# a change\n")
    lake.prepare()
    with hosts(ssh_folder, [REPOSITORY, other], shared=[other]) as made:
        named = rf"worker tls://{made.each[1].address}:\d+ runs another version.*code \w+ there and \w+ here; install"
        with pytest.raises(RunError, match=named), dask_cluster(ClusterSpec(**on(made)), lake):
            pytest.fail("began to work")
        assert left_on(made) == []
    assert entries(lake) == []


def before(function: Callable[..., Any], first: Callable[[], object]) -> Callable[..., Any]:
    def both(*args: Any) -> Any:
        first()
        return function(*args)

    return both


def on(made: Hosts) -> dict[str, Any]:
    """The options of a run on these hosts; the first has the scheduler too."""
    addresses = [host.address for host in made.each]
    return {
        "cluster": "distributed.SSHCluster",
        "cluster_options": {
            "hosts": [addresses[0], *addresses],
            "connect_options": made.connect_options,
            "remote_python": sys.executable,
            "scheduler_options": {"interface": "eth0"},
            "worker_options": {"interface": "eth0"},
        },
        "max_concurrency_per_instance": 1,
    }


def left_on(made: Hosts) -> list[str]:
    """What still runs on the hosts after processes that are ending have had their time."""
    deadline = time.monotonic() + SECONDS_TO_END
    while (left := made.processes()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return [" ".join(process.cmdline()) for process in left]


def sha256(lake: Lake) -> str:
    return hashlib.sha256(lake.forecasts.path(WEEK).read_bytes()).hexdigest()
