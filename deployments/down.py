"""Take the service down: what `oj up` started, all of it, and nothing else."""

import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from deployments.health import answers
from deployments.home import Home
from deployments.supervision import Supervisor, processes_of
from forecasting.contracts.errors import ForecastingError, RunError

END_TIMEOUT = 20.0
# Prefect gives a cancelled flow 30 s to take down its cluster, and asks for cancelled ones every few seconds.
CANCEL_TIMEOUT = 90.0
SECONDS_BETWEEN_LOOKS = 0.5

Say = Callable[[str], None]


def take_down(home: Home, say: Say, *, now: bool) -> bool:
    """Let the runs under way end, then stop worker, watcher, server and supervisor.

    Args:
        now: cancel the runs instead of waiting for them.

    Returns:
        Whether anything was there to be stopped.

    Raises:
        RunError: a process does not end.
    """
    supervisor = Supervisor(home)
    if not supervisor.is_running:
        left = processes_of(home)
        if left:
            say(f"The supervisor is gone, but {len(left)} processes of the service are left: they are ended.")
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
    """End processes: asked first, then killed.

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
    """Wait until no run is under way: a worker that is stopped before would kill its runs.

    The processes under the worker decide, not the states that the server tells: it may be the one that died.
    """
    service = home.service()
    if service and answers(service):
        with suppress(ForecastingError):
            _drain_by_api(home, supervisor, say, now=now)
    elif _run_processes(supervisor):
        say("The server does not answer; waiting for the runs that are under way all the same.")
    if now:
        return  # what did not heed its cancellation ends with the worker
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
                say("Some runs did not end when cancelled: they are ended with the worker.")
                break
            for run in runs:
                if str(run.id) not in said:
                    said.add(str(run.id))
                    say(f"{'Cancelling' if now else 'Waiting for'} {run.name} ({api.flow_run_url(run.id)})")
                    if now and run.state_type != StateType.CANCELLING:
                        state = State[None](type=StateType.CANCELLING, message="oj down --now")
                        api.client.set_flow_run_state(run.id, state, force=False)
            if not _run_processes(supervisor) and "worker" not in supervisor.pids():
                break  # without a worker these states will never change
            time.sleep(SECONDS_BETWEEN_LOOKS)


def _run_processes(supervisor: Supervisor) -> list[psutil.Process]:
    """What runs under the worker."""
    pid = supervisor.pids().get("worker")
    try:
        return psutil.Process(pid).children(recursive=True) if pid else []
    except psutil.NoSuchProcess:
        return []
