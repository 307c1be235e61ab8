"""The register of clusters that could outlive this process: each has an entry in the lake until it has ended.

The process that runs a cluster holds a lock on its entry. The system releases the lock when the process ends, however
it ends: an entry whose lock is free belongs to an orphan, which the next run ends.
"""

import fcntl
import json
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO

from distributed import Client
from distributed.security import Security

from forecasting.clock import now
from forecasting.compute import tls
from forecasting.contracts.spec import ClusterSpec
from forecasting.storage.lake import Lake

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 5


@dataclass(frozen=True)
class Entry:
    """One cluster that may cost money.

    run: what it works for, in words.
    kind: its class.
    scheduler: its address; empty until it has started.
    driver: process and host that started it.
    """

    cluster_id: str
    run: str
    kind: str
    started: datetime
    driver: str
    instances: int
    price_per_instance_hour: float
    scheduler: str = ""
    is_orphan: bool = False

    def hours(self, at: datetime) -> float:
        """Return the age."""
        return (at - self.started).total_seconds() / 3600

    def cost(self, at: datetime) -> float:
        """Return the cost so far, if all its instances were there all the time."""
        return self.hours(at) * self.instances * self.price_per_instance_hour


@dataclass(frozen=True)
class Reaped:
    """One orphan, and whether its scheduler still answered and was shut down."""

    entry: Entry
    was_alive: bool


class HeldEntry:
    """An entry whose lock this process holds."""

    def __init__(self, file: IO[str], entry: Entry) -> None:
        self._file = file
        self._entry = entry
        self.is_abandoned = False

    def abandon(self) -> None:
        """Leave the entry behind for the next run: the cluster could not be ended."""
        self.is_abandoned = True

    def update(self, *, scheduler: str, instances: int) -> None:
        """Write where the cluster can be reached, into the same file: a new one would have no lock."""
        self._entry = replace(self._entry, scheduler=scheduler, instances=instances)
        content = {name: value for name, value in asdict(self._entry).items() if name != "is_orphan"}
        self._file.seek(0)
        self._file.truncate()
        json.dump(content, self._file, indent=2, default=str)
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def held_entry(lake: Lake, cluster_id: str, *, run: str, spec: ClusterSpec) -> Iterator[HeldEntry]:
    """Hold an entry for the length of the `with` block; it stays if this process is killed, or abandons it."""
    path = lake.cluster_entry(cluster_id)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    driver = f"process {os.getpid()} on {socket.gethostname()}"
    entry = Entry(cluster_id, run, spec.cluster, now(), driver, spec.instance_count, spec.price_per_instance_hour)
    hidden = path.with_name(f".{path.name}")
    with os.fdopen(os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "r+", encoding="utf-8") as file:
        held = HeldEntry(file, entry)
        try:
            # Locked and whole before anyone can see it.
            fcntl.flock(file, fcntl.LOCK_EX)
            held.update(scheduler="", instances=spec.instance_count)
            hidden.rename(path)
            yield held
        finally:
            if not held.is_abandoned:
                _remove(path)
            hidden.unlink(missing_ok=True)


def entries(lake: Lake) -> list[Entry]:
    """Return all clusters that have an entry, oldest first."""
    found = []
    for path in lake.cluster_entries():
        with suppress(FileNotFoundError), path.open(encoding="utf-8") as file:  # it may end just now
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                is_orphan = True
            except BlockingIOError:
                is_orphan = False
            found.append(replace(_read(path, file), is_orphan=is_orphan))
    return sorted(found, key=lambda entry: entry.started)


def reap_orphans(lake: Lake) -> list[Reaped]:
    """End every registered cluster whose run is gone; those of living runs are left alone."""
    reaped = []
    for entry in entries(lake):
        if not entry.is_orphan:
            continue
        with taken_orphan(lake, entry.cluster_id) as is_ours:
            if is_ours:
                reaped.append(Reaped(entry, _shut_down(entry, lake.cluster_entry(entry.cluster_id))))
    for each in reaped:
        result = "was ended" if each.was_alive else "did not answer any more"
        logger.warning("The orphaned cluster of %s (%s) %s", each.entry.run, each.entry.scheduler, result)
    return reaped


@contextmanager
def taken_orphan(lake: Lake, cluster_id: str) -> Iterator[bool]:
    """Give whether this process may end the cluster; if so, its entry is removed when the `with` block ends."""
    path = lake.cluster_entry(cluster_id)
    try:
        file = path.open(encoding="utf-8")
    except FileNotFoundError:
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
        _remove(path)


def _shut_down(entry: Entry, path: Path) -> bool:
    if not entry.scheduler:
        return False
    pem = path.with_suffix(".pem")
    security = tls.from_file(pem) if pem.exists() else tls.configured() or Security()
    try:
        with Client(entry.scheduler, timeout=CONNECT_TIMEOUT, security=security, set_as_default=False) as client:
            client.shutdown()
    except (OSError, RuntimeError, ValueError):
        return False
    return True


def _read(path: Path, file: IO[str]) -> Entry:
    try:
        content = json.load(file)
        return Entry(**{**content, "started": datetime.fromisoformat(content["started"])})
    except (ValueError, TypeError, KeyError):
        # Its process was killed while it wrote: only the file's name can be used.
        changed = datetime.fromtimestamp(path.stat().st_mtime, tz=now().tzinfo)
        return Entry(path.stem, "unknown", "unknown", changed, "unknown", 0, 0.0)


def _remove(entry: Path) -> None:
    """Remove the entry, and the certificates beside it."""
    entry.with_suffix(".pem").unlink(missing_ok=True)
    entry.unlink(missing_ok=True)
