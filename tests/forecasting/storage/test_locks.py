"""Locks between processes."""

import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from forecasting.contracts.errors import WeekBusy
from forecasting.storage.locks import held_locks, is_in_use, waiting_lock, week_lock

WEEK = date(1992, 4, 16)
HOLD = """
import sys, time
from datetime import date
from pathlib import Path
from forecasting.storage.locks import week_lock
with week_lock(Path(sys.argv[1]), date(1992, 4, 16)):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_error_of_a_second_process_names_who_holds_the_week(tmp_path: Path) -> None:
    """The error names week and holder; when the holder is killed, the lock is free at once."""
    path = tmp_path / "week.lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(WeekBusy, match=f"1992-04-16 is busy.*process {holder.pid}"), week_lock(path, WEEK):
            pass
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    with week_lock(path, WEEK):
        pass


def test_a_lock_can_be_held_again(tmp_path: Path) -> None:
    """Leaving the block frees the lock, also by an error."""
    path = tmp_path / "week.lock"
    with pytest.raises(ValueError, match="inside"), week_lock(path, WEEK):
        raise ValueError("inside")
    with week_lock(path, WEEK), waiting_lock(tmp_path / "other.lock"):
        pass


def test_held_locks_are_seen_without_touching_them(tmp_path: Path) -> None:
    """Held, it is named with its holder; free again, it is not, though its file is still there."""
    path = tmp_path / "1992-04-16.lock"
    with week_lock(path, WEEK), waiting_lock(tmp_path / "collect.lock"):
        held = held_locks(tmp_path)
        assert [(lock.name, lock.pid) for lock in held] == [("1992-04-16", os.getpid()), ("collect", os.getpid())]
        assert held[0].since
        assert not held[1].since
        assert is_in_use(tmp_path)
    assert path.exists()
    assert held_locks(tmp_path) == []
    assert not is_in_use(tmp_path)
