"""What is sent to workers by value, as the package may be missing there: nothing of it is imported above.

Everything here is also kept from a nanny's process, which need not import pandas to end its worker.
"""

import asyncio
import os
import platform
import signal
from pathlib import Path
from typing import Any

import cloudpickle
from distributed import WorkerPlugin

VERSIONS = "worker-versions"
SECONDS_TO_ANSWER = 0.1


def describe() -> dict[str, str]:
    """The versions that a forecast on this worker would be made with; only Python's where the package is missing."""
    try:
        from forecasting.storage.code_version import code_versions
    except Exception:  # an old or a half installed package may raise anything
        return {"python": ".".join(platform.python_version_tuple()[:2])}
    return code_versions()


def read_text(path: str) -> str | None:
    """What the file holds; None where this worker does not see it."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return None


def end_worker(dask_worker: Any) -> None:
    """On a nanny: end its worker at once, also where that holds the interpreter's lock; another is started.

    On a worker without a nanny: end this very process, once it has answered; whoever started it may start another.
    """
    process = getattr(dask_worker, "process", None)
    if process is None:
        asyncio.get_running_loop().call_later(SECONDS_TO_ANSWER, os.kill, os.getpid(), signal.SIGKILL)
    elif process.pid:
        os.kill(process.pid, signal.SIGKILL)


class TellVersions(WorkerPlugin):
    """Each worker, also one that joins late, tells its versions before it takes up work."""

    def setup(self, worker: Any) -> None:
        worker.log_event(VERSIONS, {"worker": worker.address, "versions": describe()})


def by_value() -> None:
    """Send the functions of this module as code, not by name."""
    import forecasting.compute.on_worker as this

    cloudpickle.register_pickle_by_value(this)
