"""Leases on every kind of storage: one holder at a time, and none that stays when its process has died."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import psutil
import pytest

from forecasting.contracts.errors import RunError, WeekBusy
from forecasting.storage import leases
from forecasting.storage.leases import held_leases, waiting_lease, week_lease
from forecasting.storage.location import Location, open_location

WEEK = date(1992, 4, 16)
ROOT = Path(__file__).parents[3]
HOLD = """
import sys, time
from forecasting.storage.leases import waiting_lease
from forecasting.storage.location import open_location
with waiting_lease(open_location(sys.argv[1]) / "locks" / "collect"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def lock(root: str) -> Location:
    """The place of a lease that nobody has held yet."""
    return open_location(root) / "locks" / "collect"


def test_a_second_run_of_a_week_is_told_who_holds_it(lock: Location) -> None:
    """Its process and since when; it may begin once the first has ended."""
    with week_lease(lock, WEEK) as lease:
        lease.require_held()
        with pytest.raises(WeekBusy, match=rf"process {os.getpid()} since 2\d\d\d-"), week_lease(lock, WEEK):
            pass
        assert [*held_leases(lock.parent)] == ["collect"]
    assert held_leases(lock.parent) == {}
    with week_lease(lock, WEEK):
        pass


def test_a_lease_is_free_at_once_where_its_holder_was_killed(lock: Location, root: str) -> None:
    """A process of this host."""
    with subprocess.Popen([sys.executable, "-c", HOLD, root], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(WeekBusy, match=f"process {process.pid}"), week_lease(lock, WEEK):
            pass
        process.kill()
        process.wait()
    with week_lease(lock, WEEK):
        assert held_leases(lock.parent)["collect"].pid == os.getpid()


def test_those_who_wait_hold_it_one_after_the_other(lock: Location) -> None:
    """A counter that is read and written under it misses no one; few objects of old turns stay."""
    count = 0

    def add() -> None:
        nonlocal count
        for _ in range(4):
            with waiting_lease(lock):
                read = count
                time.sleep(0.002)
                count = read + 1

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count == 16
    assert len(lock.files()) <= leases.TURNS_KEPT + 1


def written(lock: Location, **changes: object) -> None:
    """Write the turn of a living process of this host, changed."""
    here = leases._this_host()
    mine = {"host": here[0], "space": here[1], "pid": os.getpid(), "started": psutil.Process().create_time()}
    holder = {**mine, "since": time.time(), "renewed": time.time(), "returned": False} | changes
    (lock / "000000000001.json").write_text(json.dumps(holder))


@pytest.mark.parametrize(
    ("changes", "is_free"),
    [
        ({}, False),
        ({"returned": True}, True),
        ({"started": 0.0}, True),  # another process has its number
        ({"host": "elsewhere", "pid": 1}, False),
        ({"host": "elsewhere", "renewed": time.time() - 1000}, True),
        ({"space": "another container", "pid": 4_000_000}, False),
    ],
)
def test_a_turn_ends_with_its_holder_or_in_time(tmp_path: Path, changes: dict[str, object], is_free: bool) -> None:
    """Of a process on another host nothing is known but when it last renewed its lease."""
    lock = open_location(tmp_path) / "locks" / "collect"
    written(lock, **changes)
    if is_free:
        with week_lease(lock, WEEK):
            pass
        return
    with pytest.raises(WeekBusy) as raised, week_lease(lock, WEEK):
        pass
    assert ("on elsewhere" in str(raised.value)) == (changes.get("host") == "elsewhere")


def test_a_turn_without_content_is_one_that_begins(tmp_path: Path) -> None:
    """Its holder has taken the name and writes the content now; after a loss of power it ends in time."""
    lock = open_location(tmp_path) / "locks" / "collect"
    written(lock)
    (turn,) = (Path(file) for file in lock.files())
    turn.write_text("")
    with pytest.raises(WeekBusy, match="an unknown host"), week_lease(lock, WEEK):
        pass
    os.utime(turn, times=(0, time.time() - leases.SECONDS_VALID - 1))
    with week_lease(lock, WEEK):
        pass


def test_who_has_lost_its_lease_learns_it(tmp_path: Path) -> None:
    """A host that was asleep must not go on: another run has taken the next turn."""
    lock = open_location(tmp_path) / "locks" / "collect"
    with week_lease(lock, WEEK) as lease:
        (lock / "000000000002.json").write_text("{}")
        with pytest.raises(RunError, match="Another run has taken over collect"):
            lease.require_held()


def test_a_lease_is_renewed_while_it_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it does not end in time."""
    monkeypatch.setattr(leases, "SECONDS_BETWEEN_RENEWALS", 0.01)
    lock = open_location(tmp_path) / "locks" / "collect"
    with waiting_lease(lock):
        first = held_leases(lock.parent)["collect"]
        until = time.monotonic() + 30
        while held_leases(lock.parent)["collect"].renewed == first.renewed and time.monotonic() < until:
            time.sleep(0.01)
        assert held_leases(lock.parent)["collect"].renewed > first.renewed
        assert first.host == socket.gethostname()
