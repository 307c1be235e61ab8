"""What the doctor sees without a service; with one, in test_service.py."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments import doctor
from deployments.doctor import Finding, examine
from deployments.home import MARK, Home, Service
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.storage.lake import Lake
from forecasting.storage.leases import week_lease
from tests.ports import free_port

WEEK = dominicks_week(136)
PARENT = """
import multiprocessing, os, time
child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
child.start()
print(child.pid, flush=True)
os._exit(0)
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def wrong(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if not finding.is_fine]


def test_a_lake_alone_is_fine(simulated_lake: Lake, home: Home) -> None:
    """No service is needed for `oj run`."""
    findings = examine(home, simulated_lake)
    assert wrong(findings) == []
    assert any("no service is installed" in finding.what for finding in findings)
    assert not home.root.exists()


def test_a_lake_that_is_not_there_is_named(home: Home, tmp_path: Path) -> None:
    """With the option to name another."""
    [finding] = wrong(examine(home, Lake(tmp_path / "none")))
    assert "there is no lake" in finding.what
    assert "--lake" in finding.remedy


def test_a_held_lock_is_named_with_its_holder(simulated_lake: Lake, home: Home) -> None:
    """It is nothing wrong by itself."""
    with week_lease(simulated_lake.lock(str(WEEK)), WEEK):
        findings = examine(home, simulated_lake)
    assert wrong(findings) == []
    assert any(f"the lock {WEEK} is held by process {os.getpid()} since" in finding.what for finding in findings)


def test_a_scratch_folder_that_no_process_uses_is_left_over(simulated_lake: Lake, home: Home) -> None:
    """As a run leaves it that was killed."""
    left = simulated_lake.scratch() / "dask-abc"
    left.mkdir()
    [finding] = wrong(examine(home, simulated_lake))
    assert finding.remedy == f"rm -r {left}"


def test_a_worker_whose_parent_died_is_left_over(
    simulated_lake: Lake, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number is named, and how to end it."""
    monkeypatch.setattr(doctor, "SECONDS_TO_END", 0)
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.wait()
    try:
        remedies = [finding.remedy for finding in wrong(examine(home, simulated_lake))]
        assert any(str(pid) in remedy.split() for remedy in remedies)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_service_that_is_down_is_wrong(simulated_lake: Lake, home: Home) -> None:
    """It was installed, and runs no week; a process that it left is named."""
    home.prepare()
    home.configure(Service(str(simulated_lake.root), free_port()))
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], env={**os.environ, MARK: str(home.root)}
    ) as left:
        findings = {finding.what: finding.remedy for finding in wrong(examine(home, simulated_lake))}
        left.kill()
    assert findings["the service is down: no run starts by itself"] == "oj up"
    assert f"kill {left.pid}" in findings.values()


def test_secrets_that_others_may_read_are_named(simulated_lake: Lake, home: Home) -> None:
    """Also those that the operator wrote."""
    home.prepare()
    home.configure(Service(str(simulated_lake.root), free_port()))
    connections = home.root / "connections.toml"
    connections.touch(mode=0o600)
    connections.chmod(0o640)
    remedies = [finding.remedy for finding in wrong(examine(home, simulated_lake))]
    assert any(remedy.startswith(f"chmod go= {connections} ") for remedy in remedies)


def test_a_week_past_its_deadline_is_wrong_where_a_service_should_have_run_it(simulated_lake: Lake, home: Home) -> None:
    """With what it lacks; of a replay of weeks long past nobody expects it."""
    home.prepare()
    day_after = datetime(1992, 4, 24, tzinfo=UTC)
    down = Service(str(simulated_lake.root), free_port())
    findings = {finding.what: finding.remedy for finding in doctor._weeks(home, down, simulated_lake, day_after)}
    assert (
        findings[f"the week of {WEEK} is past its deadline and not published, it lacks store 90"]
        == "oj trigger --watch"
    )
    assert list(doctor._weeks(home, down, simulated_lake, day_after + timedelta(weeks=52))) == []
