"""Locks between processes, by `flock`: the system releases a lock when its holder dies."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from forecasting.clock import now
from forecasting.contracts.errors import WeekBusy


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
    """Hold a lock for as long as the `with` block runs; wait for it where another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class HeldLock:
    """A lock that a process holds; `since` is ISO 8601, and empty where the holder did not write it."""

    name: str
    pid: int
    since: str


def held_locks(folder: Path) -> list[HeldLock]:
    """Return the locks of `folder` that are held now, by name; no lock is taken for that."""
    holders, held = _system_locks(), []
    for path in sorted(folder.glob("*.lock")):
        with suppress(FileNotFoundError):
            if pid := holders.get(path.stat().st_ino):
                holder = _read_holder(path)
                held.append(HeldLock(path.stem, pid, holder.since if holder and holder.pid == pid else ""))
    return held


def is_in_use(folder: Path) -> bool:
    """Return whether a process holds a lock on any file in `folder`, as Dask's workers do in scratch folders."""
    holders = _system_locks()
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            if path.stat().st_ino in holders:
                return True
    return False


def _system_locks() -> dict[int, int]:
    """Return the process that holds a lock, by inode: `1: FLOCK ADVISORY WRITE <pid> <device>:<inode> …`."""
    locks = {}
    for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
        words = line.split()
        if words[1] != "->":  # a process that waits
            locks[int(words[5].rpartition(":")[2])] = int(words[4])
    return locks


def _holder(path: Path) -> str:
    holder = _read_holder(path)
    return f"process {holder.pid} since {holder.since}" if holder else "an unknown process"


def _read_holder(path: Path) -> HeldLock | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return HeldLock(path.stem, content["pid"], content["since"])
    except (OSError, ValueError, KeyError):
        return None
