"""A real week on a cluster of three hosts, of which some are killed and some cut off while it computes."""

import hashlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dask
import pytest

from flows import stages
from flows.weekly_forecast import weekly_forecast
from forecasting.adapters.cluster import life
from forecasting.adapters.cluster.reap import reap_orphans
from forecasting.adapters.lake import Lake
from forecasting.adapters.register import entries
from forecasting.errors import RunError
from forecasting.weeks import dominicks_week
from tests.hosts import REPOSITORY, Hosts, hosts, lacking

WEEK = dominicks_week(136)
SECONDS_TO_END = 30
DRIVER = """
import json, sys, time
from pathlib import Path
from forecasting.adapters.cluster import dask_cluster
from forecasting.adapters.lake import Lake
from forecasting.spec import ClusterSpec

if __name__ == "__main__":
    with dask_cluster(ClusterSpec(**json.loads(sys.argv[2])), Lake(Path(sys.argv[1])), "a run that is killed"):
        print("up", flush=True)
        time.sleep(600)
"""


@pytest.fixture
def ssh_folder(tmp_path: Path, needs_system: Callable[[str], None]) -> Path:
    """For keys; where hosts can be made at all."""
    if reason := lacking():
        needs_system(reason)
    (tmp_path / "ssh").mkdir()
    return tmp_path / "ssh"


@pytest.fixture
def three_hosts(ssh_folder: Path) -> Iterator[Hosts]:
    with hosts(ssh_folder) as made:
        yield made


@pytest.fixture(scope="module")
def local_bytes(
    prefect_server: None, fed_lake_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The hash of what a run on this machine alone publishes."""
    root = tmp_path_factory.mktemp("local") / "lake"
    shutil.copytree(fed_lake_template, root)
    weekly_forecast(lake=str(root))
    return sha256(Lake(root))


def test_a_host_killed_and_a_host_cut_off_do_not_change_the_result(
    local_bytes: str, fed_lake: Lake, three_hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have a partition under way; the third host computes what they do not, and nothing is left on any."""
    scheduler, to_kill, to_cut = three_hosts.each
    kept_partials, keep_partial = stages.kept_partials, stages.keep_partial

    def at_the_start(*args: Any) -> Any:
        # Stopped, so that it surely has not finished its first partition when it is killed.
        for process in to_kill.processes():
            process.suspend()
        to_cut.cut()
        return kept_partials(*args)

    def after_the_first(*args: Any) -> None:
        to_kill.kill()
        keep_partial(*args)

    monkeypatch.setattr(stages, "kept_partials", at_the_start)
    monkeypatch.setattr(stages, "keep_partial", after_the_first)
    receipt = weekly_forecast(lake=str(fed_lake.root), **on(three_hosts))
    assert receipt["cluster"]["workers"] == 3
    assert receipt["cluster"]["lost_tasks"] == 2
    assert receipt["cluster"]["handed_over"] == "by path"
    assert receipt["fallbacks_by_reason"] == {}
    assert sha256(fed_lake) == local_bytes
    assert left_on(three_hosts) == []


def test_a_killed_driver_leaves_a_cluster_that_is_listed_and_reaped(three_hosts: Hosts, tmp_path: Path) -> None:
    """Nobody can clear up after SIGKILL; the lake knows what is left and for which run, and the next run ends it."""


def on(made: Hosts) -> dict[str, Any]:
    """The options of a run on these hosts; the first has the scheduler too."""
    first, *others = (host.address for host in made.each)
    return {
        "cluster": "distributed.SSHCluster",
        "cluster_options": {
            "hosts": [first, first, *others],
            "connect_options": made.connect_options,
            "remote_python": sys.executable,
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
    return hashlib.sha256(lake.published_path(WEEK).read_bytes()).hexdigest()
