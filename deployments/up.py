"""Bring the whole service up on this machine."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deployments.down import end, take_down
from deployments.home import HOST, Home, Service
from deployments.supervision import Supervisor, processes_of
from forecasting.contracts.errors import OptionError, RunError
from forecasting.storage.lake import Lake
from forecasting.storage.locks import waiting_lock

SERVER_TIMEOUT = 180.0
READY_TIMEOUT = 60.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """The options of `oj up`; what is not given stays as it was."""

    lake: str | None = None
    port: int | None = None
    database: str | None = None

    def on_top_of(self, home: Home) -> Service:
        """The service that is asked for."""
        before = home.service() or Service(lake="")
        # A way back to the file is needed as well, so its name is reserved.
        database = None if self.database == "sqlite" else self.database or before.database
        return Service(str(home.lake_root(self.lake)), self.port or before.port, database)


def bring_up(home: Home, asked: Asked, say: Say) -> bool:
    """Start server, worker and watcher under a supervisor, create the deployments, wait until all is there.

    Harmless where it is up already; where options differ from before, the service is drained and started anew.

    Returns:
        Whether anything had to be started.

    Raises:
        ForecastingError: one sentence that names the cause and the log; nothing is left half running.
    """
    home.prepare()
    with waiting_lock(home.lock_path):
        service = asked.on_top_of(home)
        Lake(Path(service.lake)).prepare()
        url = _database_url(service.database)
        supervisor = Supervisor(home)
        if supervisor.is_running:
            if home.is_configured(service, url) and "server" in supervisor.pids():
                say("It is up already; the deployments are brought up to date.")
                _register(home, supervisor)
                return False
            say("The options have changed, or the server has ended: the service is taken down and started anew.")
            take_down(home, say, now=False)
        elif left := processes_of(home):
            say(f"{len(left)} processes of a service that was killed are ended first.")
            end(left)
        _require_free(service)
        home.configure(service, url)
        try:
            _start(home, service, supervisor, say)
        except BaseException:
            if supervisor.is_running:
                supervisor.shut_down()
            raise
    return True


def _start(home: Home, service: Service, supervisor: Supervisor, say: Say) -> None:
    where = f"PostgreSQL named {service.database}" if service.database else "SQLite in the home"
    say(f"Starting the Prefect server ({where}) …")
    supervisor.start()
    supervisor.start_program("server")
    _await_server(home, service, supervisor)
    say("Creating the deployments …")
    _register(home, supervisor)


def _register(home: Home, supervisor: Supervisor) -> None:
    """Tell the server of pool, deployments and automations; start worker and watcher; wait until all are there."""
    # Prefect takes seconds to import, and until now the server needed them.
    from deployments import registration
    from deployments.api import service_api

    with service_api(home) as api, ThreadPoolExecutor(1) as aside:
        registration.create_pool(api)
        deploying = aside.submit(registration.deploy, home)
        supervisor.start_program("worker")
        registration.create_automations(api)
        deploying.result()
        supervisor.start_program("watch")
        weekly = api.require_weekly()
        _await("the schedule yields no runs", home.log("server"), lambda: bool(api.scheduled(weekly)))
        _await("the worker does not report", home.log("worker"), api.is_worker_online)


def _await_server(home: Home, service: Service, supervisor: Supervisor) -> None:
    """Wait until the server is ready.

    Raises:
        RunError: it ended, or takes too long.
    """
    from deployments.health import answers

    until, first = time.monotonic() + SERVER_TIMEOUT, None
    while not answers(service):
        state = supervisor.states()["server"]
        first = first or state["pid"] or None
        if state["statename"] not in ("STARTING", "RUNNING") or (first and state["pid"] != first):
            raise RunError(f"The Prefect server did not start ({_last_line(home.log('server'))})", _see(home, "server"))
        if time.monotonic() > until:
            raise RunError(f"The Prefect server is not ready after {SERVER_TIMEOUT:.0f} s", _see(home, "server"))
        time.sleep(0.2)


def _await(problem: str, log: Path, is_done: Callable[[], bool]) -> None:
    until = time.monotonic() + READY_TIMEOUT
    while not is_done():
        if time.monotonic() > until:
            raise RunError(f"The service did not come up: after {READY_TIMEOUT:.0f} s {problem}", f"see {log}")
        time.sleep(0.5)


def _require_free(service: Service) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, service.port))
        except OSError as error:
            raise OptionError(
                f"port={service.port}", f"is taken by another program ({error.strerror})", "name another with --port"
            ) from error


def _database_url(name: str | None) -> str | None:
    if name is None:
        return None
    from forecasting.storage.connections import connection

    return connection(name)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "its log is empty")


def _see(home: Home, program: str) -> str:
    return f"see {home.log(program)}"
