"""Prefect's server for one run: who may talk to it, and that it goes with the run."""

import base64
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from flows.ephemeral_server import _is_configured, _Server, embedded_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Server]:
    """A server that answers, with a home of its own; at the end of the tests it is gone within seconds."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryFile() as log:
        patch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("home") / "prefect"))
        started = _Server(log)
        assert started.wait() is None
        yield started
        started.stop()
    assert not psutil.pid_exists(started._process.pid)


@pytest.fixture
def process(server: _Server) -> psutil.Process:
    return psutil.Process(server._process.pid)


def ask(server: _Server, method: str, path: str, secret: str | None = None) -> int:
    """The status that the server answers a request with."""
    connection = http.client.HTTPConnection("127.0.0.1", server._port, timeout=30)
    headers = {"Content-Type": "application/json"}
    if secret:
        headers["Authorization"] = "Basic " + base64.b64encode(secret.encode()).decode()
    try:
        connection.request(method, f"/api/{path}", json.dumps({}) if method == "POST" else None, headers)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "version"), ("GET", "csrf-token?client=me"), ("POST", "flows/filter")]
)
@pytest.mark.parametrize("secret", [None, "guess", ":"])
def test_others_are_refused(server: _Server, method: str, path: str, secret: str | None) -> None:
    """Loopback is shared by everybody on the machine: without the run's secret nothing can be read or done."""
    assert ask(server, method, path, secret) in {401, 403}


def test_a_page_in_a_browser_is_refused(server: _Server) -> None:
    """Even with the secret, changes need the token that only a client of the API asks for."""
    assert ask(server, "POST", "flows/", server.environment["PREFECT_API_AUTH_STRING"]) == 403


def test_prefects_client_is_answered(server: _Server) -> None:
    """With what the run finds in its environment the client reads and writes."""
    ours: dict[Any, Any] = {
        PREFECT_API_URL: server.environment["PREFECT_API_URL"],
        PREFECT_API_AUTH_STRING: server.environment["PREFECT_API_AUTH_STRING"],
    }
    with temporary_settings(ours), get_client(sync_client=True) as client:
        assert client.create_flow_from_name("weekly-forecast")


def test_the_secret_is_not_on_the_command_line(server: _Server, process: psutil.Process) -> None:
    """Everybody on the machine can read that; and it is the secret of this server alone."""
    secret = server.environment["PREFECT_API_AUTH_STRING"]
    assert len(secret) >= 32
    assert secret not in " ".join(process.cmdline())


def test_it_listens_on_loopback_alone(server: _Server, process: psutil.Process) -> None:
    """One listener, at the port that the run uses."""
    listening = [c.laddr for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert listening == [("127.0.0.1", server._port)]


def test_a_stop_in_the_terminal_does_not_reach_it(process: psutil.Process) -> None:
    """It is the leader of a session of its own."""
    assert os.getsid(process.pid) == process.pid != os.getsid(0)


def test_the_database_is_for_its_user_alone(process: psutil.Process) -> None:
    """Parameters of runs are stored readable in it."""
    home = Path(process.environ()["PREFECT_HOME"])
    assert {path.stat().st_mode & 0o077 for path in home.glob("prefect.db*")} == {0}


@pytest.mark.parametrize("seconds", [0.0, 0.5])
def test_it_dies_with_the_run(tmp_path: Path, seconds: float) -> None:
    """Also where the run is killed before the server has seen that it has a parent."""
    code = (
        "import os, tempfile, time; from flows.ephemeral_server import _Server; "
        "server = _Server(tempfile.TemporaryFile()); print(server._process.pid, flush=True); "
        f"time.sleep({seconds}); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PREFECT_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -9
    until = time.monotonic() + 100
    while is_running(int(killed.stdout)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(int(killed.stdout))


def is_running(pid: int) -> bool:
    """A zombie that nobody has fetched does not run any more."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def test_a_server_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence, with the last line of its log."""
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho Traceback\necho 'OSError: no disk' >&2\nexit 1\n")
    broken.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(broken))
    with tempfile.TemporaryFile() as log:
        server = _Server(log)
        assert server.wait() == "Prefect's embedded server does not answer (it ended: OSError: no disk)"
        server.stop()


def test_a_configured_server_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the environment or by Prefect's active profile; then none is started."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.delenv("PREFECT_PROFILE", raising=False)
    assert not _is_configured()
    profiles = '[profiles.here]\n[profiles.there]\nPREFECT_API_URL = "http://there/api"\n'
    (tmp_path / "profiles.toml").write_text(f'active = "here"\n{profiles}')
    assert not _is_configured()
    (tmp_path / "profiles.toml").write_text(f'active = "there"\n{profiles}')
    assert _is_configured()
    monkeypatch.setenv("PREFECT_PROFILE", "here")
    assert not _is_configured()
    monkeypatch.setenv("PREFECT_API_URL", "http://there/api")
    before = dict(os.environ)
    with embedded_server() as why_not:
        assert why_not() is None
        assert dict(os.environ) == before
