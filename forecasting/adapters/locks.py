"""Locks between processes: `flock`, which the system itself releases when its holder dies."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from forecasting.adapters.clock import now
from forecasting.errors import WeekBusy


@contextmanager
def week_lock(path: Path, cutoff: date) -> Iterator[None]:
    """Hold the lock of a week for as long as the `with` block runs.

    Raises:
        WeekBusy: another process holds it; the error says which.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WeekBusy(cutoff, _holder(path)) from None
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "since": now().isoformat(timespec="seconds")}, file)
        file.flush()
        yield


@contextmanager
def waiting_lock(path: Path) -> Iterator[None]:
    """Hold a lock for a moment, waiting for it where another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        return f"process {holder['pid']} since {holder['since']}"
    except (OSError, ValueError, KeyError):
        return "an unknown process"
