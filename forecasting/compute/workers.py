"""What is asked of workers: their versions, whether they can read a file, and to end.

The functions and the class that run there are sent as code, not by name: the package may be missing or older there,
and a nanny's process need not import pandas to end its worker. So they import what they need of it themselves.
"""

import asyncio
import os
import platform
import signal
import sys
import time
from collections.abc import Mapping
from typing import Any

import cloudpickle
from distributed import Client, WorkerPlugin

from forecasting.contracts.errors import RunError
from forecasting.storage.code_version import code_versions

VERSIONS = "worker-versions"
SECONDS_TO_ANSWER = 0.1
REMEDY = "install this package there in the same version as here, with the same libraries (docs/clusters.md)"


def require_same_versions(client: Client) -> None:
    """Check that all workers that are there now run the versions of this process: others compute other numbers.

    Raises:
        RunError: one does not; the error names it and both versions.
    """
    here = code_versions()
    # Dask knows Python's version without running our code there: bytecode of another Python would crash the worker.
    versions: Any = client.get_versions()
    for worker, found in versions["workers"].items():
        python = ".".join(found["host"]["python"].split(".")[:2])
        require_same(worker, {**here, "python": python}, here)
    for worker, there in client.run(describe).items():
        require_same(worker, there, here)


def require_same(worker: str, there: Mapping[str, Any], here: Mapping[str, Any] | None = None) -> None:
    """Check that one worker's versions are those of this process.

    Raises:
        RunError: they are not.
    """
    here = here or code_versions()
    if differences := version_mismatches(there, here):
        raise RunError(f"The worker {worker} runs another version than this run: {', '.join(differences)}", REMEDY)


def version_mismatches(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Return each difference in words: `numpy 2.1.0 there and 2.2.0 here`."""
    if "code" not in there and there.get("python") == here["python"]:
        return [f"this package none there and {here['code']} here"]
    return [
        f"{name} {there.get(name, 'none')} there and {here.get(name, 'none')} here"
        for name in sorted(here.keys() | there.keys())
        if there.get(name) != here.get(name)
    ]


def end_worker(client: Client, address: str) -> None:
    """End a worker that does not answer, by its nanny, which starts another.

    A worker without a nanny ends itself; another comes only if somebody starts it.
    """
    answers = client.run(kill_worker, workers=[address], nanny=True, on_error="ignore")
    if not answers:
        client.run(kill_worker, workers=[address], on_error="ignore")


def running(client: Client, prefix: str) -> dict[str, tuple[str, float]]:
    """Return worker and seconds of each task that runs and whose key begins so."""
    found: dict[str, tuple[str, float]] = client.run_on_scheduler(running_tasks, prefix=prefix)
    return found


def running_tasks(dask_scheduler: Any, prefix: str) -> dict[str, tuple[str, float]]:
    """On the scheduler: return worker and seconds of each running task, by what workers have reported last."""
    return {
        str(task.key): (worker.address, seconds + max(time.time() - worker.last_seen, 0.0))
        for worker in dask_scheduler.workers.values()
        for task, seconds in worker.executing.items()
        if str(task.key).startswith(prefix) and task.processing_on is worker
    }


def describe() -> dict[str, str]:
    """On a worker: return the versions that it forecasts with; only Python's where the package cannot be imported."""
    try:
        from forecasting.storage.code_version import code_versions
    except Exception:  # an old or a half installed package may raise anything
        return {"python": ".".join(platform.python_version_tuple()[:2])}
    return code_versions()


def read_text(url: str) -> str | None:
    """On a worker: return the text at a path or URL; None where the worker cannot read it."""
    from forecasting.storage.location import open_location

    try:
        return open_location(url).read_text()
    except Exception:  # whatever keeps it from reading the lake: a missing folder, key, network or library
        return None


def kill_worker(dask_worker: Any) -> None:
    """On a nanny: kill its worker at once, also one that holds the interpreter's lock.

    On a worker without a nanny: kill this very process, once it has answered.
    """
    process = getattr(dask_worker, "process", None)
    if process is None:
        asyncio.get_running_loop().call_later(SECONDS_TO_ANSWER, os.kill, os.getpid(), signal.SIGKILL)
    elif process.pid:
        os.kill(process.pid, signal.SIGKILL)


class ReportVersions(WorkerPlugin):
    """On each worker, also one that joins late: report its versions before it takes up work."""

    def setup(self, worker: Any) -> None:
        worker.log_event(VERSIONS, {"worker": worker.address, "versions": describe()})


cloudpickle.register_pickle_by_value(sys.modules[__name__])
