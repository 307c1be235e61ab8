"""Clusters that would outlive this process: each has an entry in the lake until it has ended.

Whoever runs a cluster holds a lock on its entry, which the system releases when that process dies, however
it died: an entry whose lock is free is an orphan's.
"""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO

from forecasting.clock import now
from forecasting.storage.lake import Lake


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
        return (at - self.started).total_seconds() / 3600

    def cost(self, at: datetime) -> float:
        """So far, if all its instances were there all the time."""
        return self.hours(at) * self.instances * self.price_per_instance_hour


class HeldEntry:
    """An entry whose lock this process holds."""

    def __init__(self, file: IO[str], entry: Entry) -> None:
        self._file = file
        self._entry = entry
        self.is_abandoned = False

    def abandon(self) -> None:
        """Leave the entry behind as an orphan's: the cluster could not be ended."""
        self.is_abandoned = True

    def update(self, *, scheduler: str, instances: int) -> None:
        """Say where the cluster can be reached, once that is known. Written in place: a new file had no lock."""
        self._entry = replace(self._entry, scheduler=scheduler, instances=instances)
        content = {name: value for name, value in asdict(self._entry).items() if name != "is_orphan"}
        self._file.seek(0)
        self._file.truncate()
        json.dump(content, self._file, indent=2, default=str)
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def held_entry(
    lake: Lake, cluster_id: str, *, run: str, kind: str, instances: int, price_per_instance_hour: float
) -> Iterator[HeldEntry]:
    """Keep an entry for as long as the `with` block runs; it stays where this process is killed, or abandons it."""
    path = lake.cluster_entry(cluster_id)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    driver = f"process {os.getpid()} on {socket.gethostname()}"
    entry = Entry(cluster_id, run, kind, now(), driver, instances, price_per_instance_hour)
    hidden = path.with_name(f".{path.name}")
    with os.fdopen(os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "r+", encoding="utf-8") as file:
        try:
            # Locked and whole before anyone can see it.
            fcntl.flock(file, fcntl.LOCK_EX)
            held = HeldEntry(file, entry)
            held.update(scheduler="", instances=instances)
            hidden.rename(path)
            yield held
        finally:
            if not held.is_abandoned:
                _remove(path)
            hidden.unlink(missing_ok=True)


def entries(lake: Lake) -> list[Entry]:
    """All clusters that have an entry, oldest first."""
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


@contextmanager
def taken_orphan(lake: Lake, cluster_id: str) -> Iterator[bool]:
    """Whether this process may end the cluster now; its entry is gone afterwards. False where somebody holds it."""
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


def _read(path: Path, file: IO[str]) -> Entry:
    try:
        content = json.load(file)
        return Entry(**{**content, "started": datetime.fromisoformat(content["started"])})
    except (ValueError, TypeError, KeyError):
        # Its process was killed while it wrote: nothing but the name is known.
        changed = datetime.fromtimestamp(path.stat().st_mtime, tz=now().tzinfo)
        return Entry(path.stem, "unknown", "unknown", changed, "unknown", 0, 0.0)


def _remove(entry: Path) -> None:
    """The entry, and the certificates beside it."""
    entry.with_suffix(".pem").unlink(missing_ok=True)
    entry.unlink(missing_ok=True)
