"""Start the whole service on this machine, and stop it: every process that was started, and no other."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from deployments.home import HOST, Home, Service
from deployments.supervision import Supervisor, processes_of
from forecasting.contracts.errors import ForecastingError, OptionError, RunError
from forecasting.storage.lake import Lake
from forecasting.storage.leases import waiting_lease

SERVER_TIMEOUT = 180.0
READY_TIMEOUT = 60.0
END_TIMEOUT = 20.0
# Prefect gives a cancelled flow 30 s to take down its cluster, and asks for cancelled ones every few seconds.
CANCEL_TIMEOUT = 90.0
SECONDS_BETWEEN_LOOKS = 0.5

Say = Callable[[str], None]


@dataclass(frozen=True)
class UpOptions:
    """The options of `oj up`; those that are not given stay as before."""

    lake: str | None = None
    port: int | None = None
    database: str | None = None

    def applied_to(self, home: Home) -> Service:
        """Return the options of the last `oj up` with these on top."""
        before = home.service() or Service(lake="")
        # `sqlite` is reserved: it leads back from a named database to the file.
        database = None if self.database == "sqlite" else self.database or before.database
        return Service(home.lake_root(self.lake), self.port or before.port, database)


def bring_up(home: Home, asked: UpOptions, say: Say) -> bool:
    """Start server, worker and watcher under a supervisor, create the deployments, and wait until all are ready.

    A service that is up already only gets its deployments updated; if options have changed, it is stopped, once
    its runs have ended, and started again.

    Returns:
        Whether anything had to be started.

    Raises:
        ForecastingError: one sentence that names the cause and the log; nothing keeps running.
    """
    home.prepare()
    with waiting_lease(home.lock):
        service = asked.applied_to(home)
        Lake(service.lake).prepare()
        url = _database_url(service.database)
        supervisor = Supervisor(home)
        if supervisor.is_running:
            if home.is_configured(service, url) and "server" in supervisor.pids():
                say("The service is up already; its deployments are updated.")
                _register(home, supervisor)
                return False
            say("The options have changed, or the server has ended: the service is stopped and started again.")
            take_down(home, say, now=False)
        elif left := processes_of(home):
            say(f"First {len(left)} processes of a service that was killed are ended.")
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
    """Create pool, deployments and automations; start worker and watcher; wait until all are ready."""
    # Imported here, because Prefect takes seconds to import, in which the server starts.
    from deployments.api import deploy, service_api

    with service_api(home) as api, ThreadPoolExecutor(1) as aside:
        api.create_pool()
        deploying = aside.submit(deploy, home)
        supervisor.start_program("worker")
        api.create_automations()
        deploying.result()
        supervisor.start_program("watch")
        weekly = api.require_weekly()
        _await("the schedule creates no runs", home.log("server"), lambda: bool(api.scheduled(weekly)))
        _await("the worker does not report", home.log("worker"), api.is_worker_online)


def _await_server(home: Home, service: Service, supervisor: Supervisor) -> None:
    """Wait until the server is ready.

    Raises:
        RunError: it ended, or takes too long.
    """
    until, first = time.monotonic() + SERVER_TIMEOUT, None
    while not service.answers():
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


def take_down(home: Home, say: Say, *, now: bool) -> bool:
    """Let the runs under way end, then stop worker, watcher, server and supervisor.

    Args:
        now: cancel the runs instead of waiting for them.

    Returns:
        Whether anything was running.

    Raises:
        RunError: a process does not end.
    """
    supervisor = Supervisor(home)
    if not supervisor.is_running:
        left = processes_of(home)
        if left:
            say(f"The supervisor has ended, but {len(left)} processes of the service have not: they are ended.")
            end(left)
        for path in (home.supervisor_socket, home.supervisor_pid):
            path.unlink(missing_ok=True)
        return bool(left)
    _drain(home, supervisor, say, now=now)
    for program in ("watch", "worker", "server"):
        supervisor.stop_program(program)
    supervisor.shut_down()
    end(processes_of(home))
    return True


def end(processes: list[psutil.Process]) -> None:
    """Terminate processes; kill those that do not end.

    Raises:
        RunError: one is still there.
    """
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=END_TIMEOUT)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _, alive = psutil.wait_procs(alive, timeout=END_TIMEOUT)
    if alive:
        pids = ", ".join(str(process.pid) for process in alive)
        raise RunError(f"Processes {pids} of the service do not end", "see what they wait for, or restart the machine")


def _drain(home: Home, supervisor: Supervisor, say: Say, *, now: bool) -> None:
    """Wait until no run is under way: a worker that is stopped earlier kills its runs.

    The processes under the worker decide, not the states on the server, which may be the program that died.
    """
    service = home.service()
    if service and service.answers():
        with suppress(ForecastingError):
            _drain_by_api(home, supervisor, say, now=now)
    elif _run_processes(supervisor):
        say("The server does not answer; waiting for the processes of the runs under way.")
    if now:
        return  # a run that ignored its cancellation ends with the worker
    while _run_processes(supervisor):
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _drain_by_api(home: Home, supervisor: Supervisor, say: Say, *, now: bool) -> None:
    from prefect.client.schemas.objects import State, StateType

    from deployments.api import service_api

    said: set[str] = set()
    until = time.monotonic() + CANCEL_TIMEOUT
    with service_api(home) as api:
        api.pause_pool(True)
        while (runs := api.runs_under_way()) or _run_processes(supervisor):
            if now and time.monotonic() > until:
                say("Some runs ignored their cancellation: they are ended with the worker.")
                break
            for run in runs:
                if str(run.id) not in said:
                    said.add(str(run.id))
                    say(f"{'Cancelling' if now else 'Waiting for'} {run.name} ({api.flow_run_url(run.id)})")
                    if now and run.state_type != StateType.CANCELLING:
                        state = State[None](type=StateType.CANCELLING, message="oj down --now")
                        api.client.set_flow_run_state(run.id, state, force=False)
            if not _run_processes(supervisor) and "worker" not in supervisor.pids():
                break  # without a worker these states never change
            time.sleep(SECONDS_BETWEEN_LOOKS)


def _run_processes(supervisor: Supervisor) -> list[psutil.Process]:
    """Return the processes under the worker."""
    pid = supervisor.pids().get("worker")
    try:
        return psutil.Process(pid).children(recursive=True) if pid else []
    except psutil.NoSuchProcess:
        return []
