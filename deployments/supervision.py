"""The supervisor of the service: its configuration, and the calls to it through a unix socket."""

import os
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from deployments.home import MARK, PROGRAMS, Home
from forecasting.contracts.errors import RunError

LOG_BYTES = "10MB"
LOGS_KEPT = 3
# A flow that is cancelled takes down its cluster; Prefect gives it 30 s.
STOP_SECONDS = {"server": 20, "worker": 60, "watch": 10}
START_TIMEOUT = 15.0

_SECTIONS = """\
[supervisord]
logfile={home}/logs/supervisord.log
logfile_maxbytes={log_bytes}
logfile_backups={logs_kept}
loglevel=info
pidfile={home}/supervisord.pid
directory={home}
umask=077

[unix_http_server]
file={home}/supervisor.sock
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

_PROGRAM = """
[program:{name}]
command={python} -m deployments.programs {name}
autostart=false
autorestart=true
startsecs=3
startretries=3
stopsignal=TERM
stopwaitsecs={stop_seconds}
stopasgroup=false
killasgroup=true
redirect_stderr=true
umask={umask}
stdout_logfile={home}/logs/{name}.log
stdout_logfile_maxbytes={log_bytes}
stdout_logfile_backups={logs_kept}
"""


class Supervisor:
    """The supervisor of one home, running or not."""

    def __init__(self, home: Home) -> None:
        self._home = home

    @property
    def is_running(self) -> bool:
        try:
            self._ask("getState")
        except OSError:
            return False
        return True

    def start(self) -> None:
        """Start the supervisor, with none of its programs.

        Raises:
            RunError: it did not come up.
        """
        # The caller's umask decides who may read the lake; the database is for its owner only.
        callers = os.umask(0o077)
        try:
            self._home.write_supervisor_config(self._configuration(callers))
            self._launch()
        finally:
            os.umask(callers)

    def _configuration(self, callers_umask: int) -> str:
        values = {"home": _literal(self._home.root), "log_bytes": LOG_BYTES, "logs_kept": LOGS_KEPT}
        programs = (
            _PROGRAM.format(
                name=name,
                python=_quoted(sys.executable),
                stop_seconds=STOP_SECONDS[name],
                umask="077" if name == "server" else f"{callers_umask:03o}",
                **values,
            )
            for name in PROGRAMS
        )
        return _SECTIONS.format(**values) + "".join(programs)

    def _launch(self) -> None:
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._home.supervisor_config)]
        environment = self._home.environment("client") | {MARK: str(self._home.root)}
        started = subprocess.run(  # noqa: S603 - our own interpreter and configuration
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if started.returncode or not _wait(lambda: self.is_running, START_TIMEOUT):
            last = (started.stdout.strip().splitlines() or ["without a message"])[-1]
            raise RunError(f"The supervisor did not start ({last})", f"see {self._home.log('supervisord')}")

    def start_program(self, name: str) -> None:
        """Start a program, unless it runs, and return at once."""
        with suppress(xmlrpc.client.Fault):
            self._ask("startProcess", name, False)

    def stop_program(self, name: str) -> None:
        """Stop a program and wait until it has ended."""
        with suppress(xmlrpc.client.Fault):
            self._ask("stopProcess", name, True)

    def pids(self) -> dict[str, int]:
        """Return the process ids of the running programs."""
        return {name: state["pid"] for name, state in self.states().items() if state["pid"]}

    def states(self) -> dict[str, Any]:
        """Return `statename`, `pid`, `description` and `start` of each program."""
        found: Any = self._ask("getAllProcessInfo")
        return {state["name"]: state for state in found}

    def tree(self) -> list[psutil.Process]:
        """Return the supervisor and every process under it; none where it does not run."""
        if not self.is_running:
            return []
        supervisor = psutil.Process(int(self._ask("getPID")))  # type: ignore[call-overload]
        return [supervisor, *supervisor.children(recursive=True)]

    def shut_down(self) -> None:
        """Stop the programs that still run, and the supervisor.

        Raises:
            RunError: it is still there.
        """
        pid = int(self._ask("getPID"))  # type: ignore[call-overload]
        self._ask("shutdown")
        if not _wait(lambda: not _is_alive(pid), sum(STOP_SECONDS.values())):
            raise RunError(f"The supervisor (process {pid}) does not end", f"see {self._home.log('supervisord')}")

    def _ask(self, method: str, *args: Any) -> object:
        transport = SupervisorTransport(None, None, f"unix://{self._home.supervisor_socket}")
        with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*args)


def processes_of(home: Home, *, but_supervised: bool = False) -> list[psutil.Process]:
    """Return every process of this home's service: supervisor, programs, runs and their clusters.

    Args:
        but_supervised: leave out the running supervisor and the processes under it.
    """
    supervised = Supervisor(home).tree() if but_supervised else []
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == str(home.root) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return [process for process in found if process not in supervised]


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _wait(is_done: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not (done := is_done()) and time.monotonic() < until:
        time.sleep(0.1)
    return done


def _literal(value: object) -> str:
    """Return a value with percent signs doubled: a single one would begin a reference."""
    return str(value).replace("%", "%%")


def _quoted(path: str) -> str:
    return f'"{_literal(path)}"'
