"""Leases: locks between processes and hosts that need nothing of a place but to create an object if none is there.

locks/<name>/<number>.json   the holder of that turn, and its heartbeat; the highest number is the current turn

Whoever creates the next number holds the lease. That is allowed once the current turn has ended: its holder gave it
back, or is a process of this host that has died, or has not renewed it for `SECONDS_VALID`. That time is by the clock
of the place, so that the clocks of two hosts may differ.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

import psutil

from forecasting.clock import now
from forecasting.contracts.errors import RunError, WeekBusy
from forecasting.storage.location import Location

SECONDS_VALID = 120.0
SECONDS_NAMELESS = 10.0  # of a turn without its holder's name, which follows at once where the holder lives
SECONDS_BETWEEN_RENEWALS = 20.0
SECONDS_BETWEEN_LOOKS = 0.05
TURNS_KEPT = 3


@dataclass(frozen=True)
class Holder:
    """The process that holds a lease.

    space: the boot and the process namespace in which `pid` is meant.
    started: when the process was started, by its host's clock; another process may get its number later.
    since, renewed: seconds since 1970.
    """

    host: str
    space: str
    pid: int
    started: float
    since: float
    renewed: float
    returned: bool = False

    @property
    def is_dead(self) -> bool:
        """Whether it is known to have ended: only a process of this very host can be looked at."""
        if (self.host, self.space) != _this_host():
            return False
        try:
            process = psutil.Process(self.pid)
            return process.status() == psutil.STATUS_ZOMBIE or abs(process.create_time() - self.started) > 1
        except psutil.NoSuchProcess:
            return True
        except psutil.AccessDenied:
            return False

    @property
    def has_ended(self) -> bool:
        """Whether it gave the lease back, or has died."""
        return self.returned or self.is_dead

    def is_overdue(self, moment: float) -> bool:
        """Whether it should have renewed the lease before `moment`."""
        return moment - self.renewed > (SECONDS_VALID if self.host else SECONDS_NAMELESS)

    def __str__(self) -> str:
        if not self.host:
            return "a process that has just begun"
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.since))
        where = "" if (self.host, self.space) == _this_host() else f" on {self.host}"
        return f"process {self.pid}{where} since {since}"


class Lease:
    """A turn that this process holds."""

    def __init__(self, turn: Location, holder: Holder) -> None:
        self._turn = turn
        self._holder = holder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"lease {turn.key}", daemon=True)
        self._thread.start()

    def require_held(self) -> None:
        """Check that no other process has taken the next turn, as it may where this one stood still for long.

        Raises:
            RunError: one has.
        """
        if _newest(self._turn.parent) != int(self._turn.stem):
            raise RunError(
                f"Another run has taken over {self._turn.parent.name}, as this one did not renew its lease for "
                f"{SECONDS_VALID:.0f} s",
                "see whether its host was asleep or out of memory; the other run does the work",
            )

    def give_back(self) -> None:
        """End the turn."""
        self._stop.set()
        self._thread.join()
        with suppress(OSError):  # else it ends by itself
            _write(self._turn, replace(self._holder, returned=True))

    def _renew(self) -> None:
        while not self._stop.wait(SECONDS_BETWEEN_RENEWALS):
            with suppress(OSError):  # the next renewal may get through
                _write(self._turn, replace(self._holder, renewed=now().timestamp()))


@contextmanager
def week_lease(folder: Location, week: date) -> Iterator[Lease]:
    """Hold the lease of a week for as long as the `with` block runs.

    Raises:
        WeekBusy: another process holds it; the error says which.
    """
    lease = _take(folder)
    if isinstance(lease, Holder):
        raise WeekBusy(week, str(lease))
    try:
        yield lease
    finally:
        lease.give_back()


@contextmanager
def waiting_lease(folder: Location) -> Iterator[Lease]:
    """Hold a lease for as long as the `with` block runs; wait for it where another process holds it."""
    while isinstance(lease := _take(folder), Holder):
        time.sleep(SECONDS_BETWEEN_LOOKS)
    try:
        yield lease
    finally:
        lease.give_back()


def held_leases(locks: Location) -> dict[str, Holder]:
    """Return the holder of each lease that is held now, by its name; none is taken for that."""
    found = {}
    for folder in sorted({locks.at(entry).parent.name for entry in locks.walk()}):
        holder = _read(locks / folder, _newest(locks / folder))
        if holder and not (holder.has_ended or holder.is_overdue(now().timestamp())):
            found[folder] = holder
    return found


def _take(folder: Location) -> Lease | Holder:
    """Return the lease, or the process that holds it."""
    newest = _newest(folder)
    holder = _read(folder, newest) if newest else None
    if holder and not (holder.has_ended or _is_overdue(folder, newest, holder)):
        return holder
    moment = now().timestamp()
    mine = Holder(*_this_host(), os.getpid(), psutil.Process().create_time(), since=moment, renewed=moment)
    turn = folder / f"{newest + 1:012d}.json"
    # A request that is sent again, as its answer was lost, finds the turn that it has created.
    created = turn.create(_content(mine)) or _read(folder, newest + 1) == mine
    # Another may have listed the turns before these were made, and removed old ones since: only the highest counts.
    if not created or _newest(folder) != newest + 1:
        if created:
            turn.delete()
        return _read(folder, _newest(folder)) or mine
    for old in _turns(folder):
        if old <= newest + 1 - TURNS_KEPT:
            (folder / f"{old:012d}.json").delete()
    return Lease(turn, mine)


def _is_overdue(folder: Location, number: int, holder: Holder) -> bool:
    """Return whether a turn should have been renewed, by this host's clock and by that of the place."""
    if not holder.is_overdue(now().timestamp()):
        return False
    probe = folder / f".clock-{os.getpid()}"
    probe.write_bytes(b"")
    here, turn = probe.find(), (folder / f"{number:012d}.json").find()
    probe.delete()
    return not here or not turn or replace(holder, renewed=turn.changed).is_overdue(here.changed)


def _turns(folder: Location) -> list[int]:
    return sorted(int(file.stem) for file in folder.files(".json") if file.stem.isdecimal())


def _newest(folder: Location) -> int:
    return max(_turns(folder), default=0)


def _read(folder: Location, number: int) -> Holder | None:
    turn = folder / f"{number:012d}.json"
    try:
        return Holder(**json.loads(turn.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        # On a file system a reader may come between the name and the content of a new turn; and a host may have lost
        # power there.
        found = turn.find()
        written = found.changed if found else 0.0
        return Holder("", "", 0, 0.0, since=written, renewed=written) if found else None


def _write(turn: Location, holder: Holder) -> None:
    turn.write_bytes(_content(holder))


def _content(holder: Holder) -> bytes:
    return json.dumps(asdict(holder)).encode()


@cache
def _this_host() -> tuple[str, str]:
    """Return the name of this host, and what makes a process number unique on it: the boot and the namespace."""
    space = []
    with suppress(OSError):
        space.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
    with suppress(OSError):
        space.append(str(Path("/proc/self/ns/pid").readlink()))
    return socket.gethostname(), " ".join(space)
