"""A Prefect server for one run: started beside it, usable by its user alone, and ended with it.

Prefect 3.8 can start such a server itself. That one has no password, so that every user of the machine can read and
change the run; it takes a random port of 8000 to 8999 without holding it; it shares the process group, so that a
Ctrl-C ends it before the run; it survives a run that is killed; and it starts after everything is imported. This one
has a secret, a port that is bound before it starts, a session of its own, and the system kills it with the run's
process. Nothing here imports Prefect, so that the server starts while the run is still importing.
"""

import ctypes
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

LOOPBACK = "127.0.0.1"
START_TIMEOUT = 180.0  # seconds; four on two idle cores, half a minute on a fresh home
DELIVERY_TIMEOUT = 5.0  # seconds that the last events and logs may take on their way
STOP_TIMEOUT = 1.0  # seconds between SIGTERM and SIGKILL
PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>

# Waits for the server; returns None once it answers, else one sentence about why it does not.
Waiting = Callable[[], str | None]

# Deliveries to Prefect's API that did not end in time.
_under_way: set[Any] = set()


@contextmanager
def embedded_server() -> Iterator[Waiting]:
    """Run a Prefect server for the length of the `with` block, unless another one is configured.

    Enter it before Prefect is imported, as Prefect reads the address of the server from the environment then.
    """
    if "prefect" in sys.modules or _is_configured():
        try:
            yield lambda: None
        finally:
            deliver(DELIVERY_TIMEOUT)
        return
    with tempfile.TemporaryFile() as log, ExitStack() as on_the_way_out:
        server = _Server(log)
        on_the_way_out.callback(server.stop)
        on_the_way_out.enter_context(_environment(server.environment))
        on_the_way_out.callback(lambda: deliver(DELIVERY_TIMEOUT if server.is_running else 0))
        yield server.wait


class _Server:
    """The process of the server, and its address."""

    def __init__(self, log: IO[bytes]) -> None:
        secret = secrets.token_urlsafe(32)
        # Bound here and passed on, so that no other process can take the port in between.
        with socket.create_server((LOOPBACK, 0)) as listener:
            self._port = listener.getsockname()[1]
            self._log = log
            self._process = subprocess.Popen(  # noqa: S603 - this very Python
                [sys.executable, "-P", "-m", "flows.ephemeral_server", str(listener.fileno()), str(os.getpid())],
                env={
                    **os.environ,
                    # Not on the command line, which every user of the machine can read.
                    "PREFECT_SERVER_API_AUTH_STRING": secret,
                    "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
                    "PREFECT_SERVER_UI_ENABLED": "false",
                    "PREFECT__SERVER_EPHEMERAL": "1",
                    "PREFECT__SERVER_FINAL": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        self.environment = {
            "PREFECT_API_URL": f"http://{LOOPBACK}:{self._port}/api",
            "PREFECT_API_AUTH_STRING": secret,
            # Where it does not answer it is gone: nobody restarts it.
            "PREFECT_CLIENT_MAX_RETRIES": "1",
            # Loopback is not reached through a proxy.
            "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), LOOPBACK])),
            "no_proxy": ",".join(filter(None, [os.environ.get("no_proxy"), LOOPBACK])),
        }

    def wait(self) -> str | None:
        """Wait until the server answers; return the reason where it does not."""
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=START_TIMEOUT)
        try:
            # The listener queues the request until the server is up; when its process dies, the queue ends.
            connection.request("GET", "/api/health")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return None
            why = "it answers with an error"
        except TimeoutError:
            why = f"it did not start within {START_TIMEOUT:.0f} s"
        except (OSError, http.client.HTTPException):
            why = f"it ended: {self._last_line()}"
        finally:
            connection.close()
        return f"Prefect's embedded server does not answer ({why})"

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _last_line(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_TIMEOUT)
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else f"exit code {self._process.returncode}, and it said nothing"


def _is_configured() -> bool:
    """Return whether Prefect would find the address of a server, in the environment or in its active profile."""
    if os.environ.get("PREFECT_API_URL"):
        return True
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    try:
        profiles = tomllib.loads((home / "profiles.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    active = os.environ.get("PREFECT_PROFILE") or profiles.get("active")
    return "PREFECT_API_URL" in profiles.get("profiles", {}).get(active, {})


@contextmanager
def _environment(ours: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def deliver(timeout: float) -> None:
    """Wait for the events and logs of the run to reach Prefect's API, for `timeout` seconds at most."""
    if "prefect.events.worker" in sys.modules:
        from prefect.events.worker import EventsWorker

        # It ends every service of Prefect that delivers something.
        _, under_way = cast(tuple[Any, set[Any]], EventsWorker.drain_all(timeout=timeout))
        _under_way.update(under_way)


def is_delivered() -> bool:
    """Return whether everything was delivered. Prefect would keep the process until then, for minutes."""
    return all(delivery.done() for delivery in _under_way)


def serve(listener: int, parent: int) -> None:
    """Serve Prefect's API in this process until it is ended."""
    end_with_parent(signal.SIGKILL)
    # It may have died before that.
    if os.getppid() != parent:
        sys.exit("The run has ended already.")
    # The database holds the parameters of runs in plain text: only its user may read it.
    os.umask(0o077)
    import uvicorn
    from prefect.server.api.server import create_app

    config = uvicorn.Config(create_app(), lifespan="on", log_level="error", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=listener)])


def end_with_parent(by: signal.Signals) -> None:
    """Let Linux send this process a signal when its parent dies; other systems do not offer that."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, by)


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
