"""The supervisor of a home, without its programs; those are tested in test_service.py."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path

import pytest

from deployments.home import MARK, PROGRAMS, Home, Service
from deployments.supervision import STOP_SECONDS, Supervisor, processes_of
from forecasting.contracts.errors import RunError


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    made.configure(Service("/lake", 4300))
    return made


@pytest.fixture
def supervisor(home: Home) -> Iterator[Supervisor]:
    made = Supervisor(home)
    yield made
    if made.is_running:
        made.shut_down()


def test_a_supervisor_that_does_not_start_is_named_with_its_log(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller's umask is as before."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    before = os.umask(0o027)
    try:
        with pytest.raises(RunError, match=r"did not start \(without a message\); see .*supervisord\.log"):
            Supervisor(home).start()
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


def test_every_program_has_a_section(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is for its owner only; who may read the lake is for the caller's umask to say."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    before = os.umask(0o027)
    try:
        with pytest.raises(RunError):
            Supervisor(home).start()
    finally:
        os.umask(before)
    written = RawConfigParser(interpolation=None)
    written.read(home.supervisor_config)
    sections = {name: written[f"program:{name}"] for name in PROGRAMS}
    assert {name: section["umask"] for name, section in sections.items()} == {
        name: "077" if name == "server" else "027" for name in PROGRAMS
    }
    assert {name: int(section["stopwaitsecs"]) for name, section in sections.items()} == STOP_SECONDS
    assert all(section["command"].endswith(f"-m deployments.programs {name}") for name, section in sections.items())
    assert stat.S_IMODE(home.supervisor_config.stat().st_mode) == 0o600


def test_one_that_does_not_run_has_no_processes(supervisor: Supervisor) -> None:
    """It is asked all the same, by `oj doctor` and `oj down`."""
    assert not supervisor.is_running
    assert supervisor.tree() == []


def test_it_starts_with_none_of_its_programs_and_ends(home: Home, supervisor: Supervisor) -> None:
    """Each program is there, stopped; stopping one that is stopped is no error."""
    supervisor.start()
    assert supervisor.is_running
    assert {name: state["statename"] for name, state in supervisor.states().items()} == dict.fromkeys(
        PROGRAMS, "STOPPED"
    )
    assert supervisor.pids() == {}
    supervisor.stop_program("server")
    (process,) = supervisor.tree()
    assert process.pid == int(home.supervisor_pid.read_text())
    assert processes_of(home) == [process]
    assert processes_of(home, but_supervised=True) == []
    supervisor.shut_down()
    assert not supervisor.is_running
    assert processes_of(home) == []


def test_processes_are_found_by_their_home(home: Home, tmp_path: Path) -> None:
    """Also those that a crash has left, whose supervisor is gone; never those of another home."""
    with subprocess.Popen(["/bin/sleep", "600"], env={MARK: str(home.root)}) as left:
        try:
            assert [process.pid for process in processes_of(home, but_supervised=True)] == [left.pid]
            assert processes_of(Home(tmp_path / "other")) == []
        finally:
            left.kill()
