"""Leases between processes, on every kind of storage."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import psutil
import pytest

from forecasting.clock import now
from forecasting.contracts.errors import RunError, WeekBusy
from forecasting.storage import leases
from forecasting.storage.leases import SECONDS_NAMELESS, SECONDS_VALID, Holder, held_leases, waiting_lease, week_lease
from forecasting.storage.location import Location, open_location

ROOT = Path(__file__).parents[3]
WEEK = date(1992, 4, 16)
HOLD = """
import sys, time
from datetime import date
from forecasting.storage.leases import week_lease
from forecasting.storage.location import open_location
with week_lease(open_location(sys.argv[1]) / "locks" / "week", date(1992, 4, 16)):
    print("held", flush=True)
    sys.stdin.read()
"""
COUNT = """
import sys
from forecasting.storage.leases import waiting_lease
from forecasting.storage.location import open_location
root = open_location(sys.argv[1])
for _ in range(10):
    with waiting_lease(root / "locks" / "count"):
        number = int((root / "number").read_text())
        (root / "number").write_text(str(number + 1))
"""


@pytest.fixture
def locks(root: str) -> Location:
    """The folder of a lake's leases."""
    return open_location(root) / "locks"


@pytest.fixture
def folder_locks(tmp_path: Path) -> Location:
    """The same in a folder, where it does not matter where it lies."""
    return open_location(tmp_path) / "locks"


@contextmanager
def held_by_another(root: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the lease of the week until the block ends."""
    command = [sys.executable, "-c", HOLD, root]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_a_second_process_reads_who_holds_the_week(root: str, locks: Location) -> None:
    """The error names week and holder; when the holder is killed, the lease is free at once."""
    with held_by_another(root) as holder:
        named = f"1992-04-16 is busy.*process {holder.pid} since"
        with pytest.raises(WeekBusy, match=named), week_lease(locks / "week", WEEK):
            pass
        holder.kill()
        while psutil.Process(holder.pid).status() != psutil.STATUS_ZOMBIE:
            pass  # dead it is also where nobody has asked how it ended
        with week_lease(locks / "week", WEEK) as lease:
            lease.require_held()


def test_a_lease_can_be_held_again(locks: Location) -> None:
    """Leaving the block frees it, also by an error; of its turns only the last are kept."""
    with pytest.raises(ValueError, match="inside"), week_lease(locks / "week", WEEK):
        raise ValueError("inside")
    for _ in range(4):
        with week_lease(locks / "week", WEEK), waiting_lease(locks / "other"):
            pass
    assert len((locks / "week").files()) == leases.TURNS_KEPT


def test_held_leases_are_seen_without_touching_them(locks: Location) -> None:
    """Held, it is named with its holder; free again, it is not."""
    assert held_leases(locks) == {}
    with week_lease(locks / "1992-04-16", WEEK), waiting_lease(locks / "collect"):
        held = held_leases(locks)
        assert list(held) == ["1992-04-16", "collect"]
        assert {holder.pid for holder in held.values()} == {os.getpid()}
    assert held_leases(locks) == {}


def test_processes_take_turns(root: str, locks: Location) -> None:
    """Three that each count to ten in one file count to thirty: none reads while another is between read and write."""
    (locks.parent / "number").write_text("0")
    processes = [subprocess.Popen([sys.executable, "-c", COUNT, root], cwd=ROOT) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert (locks.parent / "number").read_text() == "30"


def test_threads_of_one_process_take_turns(locks: Location) -> None:
    """Of eight that take a lease at once never two hold it."""
    barrier, holding, most = threading.Barrier(8), list[int](), list[int]()

    def hold(number: int) -> None:
        barrier.wait()
        with waiting_lease(locks / "collect"):
            holding.append(number)
            most.append(len(holding))
            holding.remove(number)

    threads = [threading.Thread(target=hold, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_a_holder_of_another_host_counts_as_alive(locks: Location) -> None:
    """It cannot be looked at, and has renewed its lease: the error says where it runs."""
    (locks / "week" / "000000000001.json").create(leases._content(another_host()))
    with pytest.raises(WeekBusy, match="process 77 on elsewhere since"), week_lease(locks / "week", WEEK):
        pass


def another_host() -> Holder:
    """A process that has renewed its lease just now, on a host that cannot be looked at."""
    moment = now().timestamp()
    return Holder("elsewhere", "boot", 77, 0.0, since=moment, renewed=moment)


@pytest.mark.parametrize("hours", [-1, 1])
def test_clocks_of_two_hosts_may_differ(locks: Location, monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    """A host whose clock is an hour ahead or behind does not take a lease that was renewed just now."""
    (locks / "week" / "000000000001.json").create(leases._content(another_host()))
    here = now() + timedelta(hours=hours)
    monkeypatch.setattr(leases, "now", lambda: here)
    with pytest.raises(WeekBusy, match="elsewhere"), week_lease(locks / "week", WEEK):
        pass
    assert [entry.name for entry in (locks / "week").children()] == ["000000000001.json"]


def test_a_lease_that_was_not_renewed_is_free(folder_locks: Location) -> None:
    """Its object has the age that says so; a moment before it is not free."""
    turn = folder_locks / "week" / "000000000001.json"
    for age, free in ((SECONDS_VALID - 10, False), (SECONDS_VALID + 10, True)):
        moment = now().timestamp() - age
        turn.write_bytes(leases._content(replace(another_host(), renewed=moment)))
        os.utime(turn, (moment, moment))
        if free:
            with week_lease(folder_locks / "week", WEEK):
                pass
        else:
            with pytest.raises(WeekBusy), week_lease(folder_locks / "week", WEEK):
                pass


def test_a_turn_without_its_holder_is_free_soon(folder_locks: Location) -> None:
    """A process that was killed between the name and the content of its turn blocks nobody for long."""
    turn = folder_locks / "week" / "000000000001.json"
    turn.create(b"")
    with pytest.raises(WeekBusy, match="a process that has just begun"), week_lease(folder_locks / "week", WEEK):
        pass
    old = now().timestamp() - SECONDS_NAMELESS - 1
    os.utime(turn, (old, old))
    with week_lease(folder_locks / "week", WEEK):
        pass


def test_a_process_number_that_is_given_again_is_another_process(folder_locks: Location) -> None:
    """The holder died, and another process of this host has its number now."""
    host, space = leases._this_host()
    moment = now().timestamp()
    dead = Holder(host, space, os.getpid(), psutil.Process().create_time() - 100, since=moment, renewed=moment)
    (folder_locks / "week" / "000000000001.json").create(leases._content(dead))
    with week_lease(folder_locks / "week", WEEK):
        pass


def test_a_holder_renews_its_lease(folder_locks: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as it holds it."""
    monkeypatch.setattr(leases, "SECONDS_BETWEEN_RENEWALS", 0.01)
    with week_lease(folder_locks / "week", WEEK):
        first = held_leases(folder_locks)["week"]
        while held_leases(folder_locks)["week"].renewed <= first.renewed:
            pass


def test_a_holder_that_stood_still_learns_that_another_has_taken_over(folder_locks: Location) -> None:
    """Before it publishes it asks, and stops with a sentence."""
    with week_lease(folder_locks / "week", WEEK) as lease:
        lease.require_held()
        (folder_locks / "week" / "000000000002.json").create(leases._content(another_host()))
        with pytest.raises(RunError, match="Another run has taken over week"):
            lease.require_held()


def test_a_request_that_is_sent_again_is_not_lost(folder_locks: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answer did not arrive: the store says that the turn is there, and it is this process's own."""
    create = Location.create

    def twice(turn: Location, content: bytes) -> bool:
        create(turn, content)
        return create(turn, content)

    monkeypatch.setattr(Location, "create", twice)
    with week_lease(folder_locks / "week", WEEK) as lease:
        lease.require_held()
