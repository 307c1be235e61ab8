"""Starts of the service that fail: one sentence, and nothing is left half running."""

import socket
from pathlib import Path

import pytest

from deployments.home import Home, Service
from deployments.service import UpOptions
from tests.deployments.service import Installation
from tests.ports import free_port


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """A place for a service that does not come up."""
    return Installation(Home(tmp_path / "home"), tmp_path / "lake", free_port())


def test_a_port_that_is_taken_is_named(installation: Installation) -> None:
    """Before anything is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", installation.port))
        taken.listen()
        up = installation.oj("up", "--lake", str(installation.lake), "--port", str(installation.port))
    assert up.returncode == 1
    assert f"port={installation.port} is taken by another program" in " ".join(up.stderr.split())
    assert installation.processes() == []


def test_a_server_that_does_not_start_is_reported_with_its_log(installation: Installation) -> None:
    """Its database is not there; the address is not printed, and every process that was started has ended."""
    installation.home.prepare()
    connections = installation.home.root / "connections.toml"
    connections.touch(mode=0o600)
    connections.write_text(f'prefect = "postgresql+asyncpg://oj:swordfish@127.0.0.1:{free_port()}/prefect"\n')
    up = installation.oj("up", "--lake", str(installation.lake), "--database", "prefect")
    assert up.returncode == 1
    assert "The Prefect server did not start" in up.stderr
    assert f"see {installation.home.log('server')}" in up.stderr
    assert "swordfish" not in up.stdout + up.stderr
    assert "swordfish" not in installation.home.log("server").read_text()
    assert installation.processes() == []
    assert not installation.home.supervisor_socket.exists()


def test_what_is_not_given_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lake, the port and the database of the last start."""
    monkeypatch.delenv("OJ_LAKE", raising=False)
    home = Home(tmp_path)
    home.configure(Service("/lake", 4300, "prefect"))
    assert UpOptions().applied_to(home) == Service("/lake", 4300, "prefect")
    assert UpOptions(port=4301).applied_to(home) == Service("/lake", 4301, "prefect")
    assert UpOptions(lake="/other", database="sqlite").applied_to(home) == Service("/other", 4300, None)
    assert UpOptions().applied_to(Home(tmp_path / "new")) == Service(str(Path.cwd() / "lake"), 4200, None)
