"""Waiting for late stores in the process itself; suspended runs are tested where a real service runs."""

import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows import waiting
from flows.options import WeeklyOptions
from flows.waiting import await_stores
from forecasting.clock import now
from forecasting.contracts.errors import WeekWaiting
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.core.completeness import CompletenessReport
from forecasting.pipeline import ingest
from forecasting.storage.lake import Lake

WEEK = dominicks_week(136)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[WeekWaiting]:
    """What the waiting run said in the terminal; it looks often."""
    printed: list[WeekWaiting] = []
    monkeypatch.setattr(waiting, "SECONDS_BETWEEN_LOOKS", 0.05)
    monkeypatch.setattr(waiting, "say_waiting", printed.append)
    return printed


def wait(lake: Lake, seconds: float, meanwhile: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait until `seconds` from now at most; once people are notified, something happens in the lake."""
    monkeypatch.setattr(waiting, "send", lambda *_: threading.Timer(0.3, meanwhile).start())
    await_stores(lake, WEEK, WeeklyOptions(lake=str(lake.root), deadline=now() + timedelta(seconds=seconds)))


@pytest.fixture
def late(simulated_lake: Lake, tmp_path: Path) -> Callable[[], object]:
    """Store 90 never sends; without it the week is whole. Store 2 is late: calling this lands its file."""
    sales = simulated_lake.sales.read()
    silent = sales[(sales["store"] == 90) & (sales["week"] > "1992-03-01")]
    for path in Path(simulated_lake.root / "sales").glob("1992-0[34]-*.parquet"):
        path.unlink()
    simulated_lake.sales.add(sales[(sales["week"] > "1992-02-27") & (sales["store"] != 90)])
    assert len(silent)
    file = simulated_lake.inbox / f"{WEEK}_store-002.csv"
    shutil.move(file, tmp_path / file.name)
    return lambda: shutil.move(tmp_path / file.name, file)


def test_the_run_goes_on_when_the_last_store_has_reported(
    simulated_lake: Lake, late: Callable[[], object], said: list[WeekWaiting], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before the deadline; it says once what is missing."""
    wait(simulated_lake, 600, late, monkeypatch)
    assert [waiting.missing for waiting in said] == [("store 2",)]


def test_the_run_goes_on_when_somebody_accepts_the_gaps(
    simulated_lake: Lake, said: list[WeekWaiting], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever says so while it waits."""
    wait(
        simulated_lake,
        600,
        lambda: ingest.accept(simulated_lake, WEEK, "store 90 has closed", "Ada", now()),
        monkeypatch,
    )
    assert [waiting.missing for waiting in said] == [("store 90",)]
    accepted = simulated_lake.acceptances.read(WEEK)
    assert accepted
    assert (accepted.by, accepted.why) == ("Ada", "store 90 has closed")


def test_the_run_goes_on_at_the_deadline(
    simulated_lake: Lake, said: list[WeekWaiting], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that changes nothing is looked at, and does not end the wait; the deadline does."""
    looks: list[CompletenessReport] = []

    def look(*args: Any) -> CompletenessReport:
        looks.append(ingest.look(*args))
        if len(looks) == 2:
            (simulated_lake.inbox / "notes.txt").write_text("hello")
        return looks[-1]

    monkeypatch.setattr(waiting, "ingest", SimpleNamespace(look=look))
    monkeypatch.setattr(waiting, "now", lambda: now() + timedelta(hours=1 if len(looks) == 3 else 0))
    wait(simulated_lake, 600, lambda: None, monkeypatch)
    assert [completeness.status for completeness in looks] == ["waiting"] * 3
    assert len(said) == 1


def test_a_week_past_its_deadline_is_not_waited_for(
    simulated_lake: Lake, said: list[WeekWaiting], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shipped weeks closed long ago: nothing is read, nothing is said."""
    await_stores(simulated_lake, WEEK, WeeklyOptions(lake=str(simulated_lake.root)))
    assert said == []
