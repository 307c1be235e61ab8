"""The stages that take a week in, each by itself."""

import errno
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from forecasting.cli import app
from forecasting.clock import now
from forecasting.contracts.errors import DataError, WeekWaiting
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import GateSpec
from forecasting.core.completeness import Acceptance
from forecasting.pipeline import ingest
from forecasting.pipeline.simulation import simulate
from forecasting.storage import inbox
from forecasting.storage.lake import Lake

WEEK = dominicks_week(136)
AT = datetime(1992, 4, 24, 9, tzinfo=UTC)


def test_the_oldest_week_that_waits_is_chosen(simulated_lake: Lake) -> None:
    """Two weeks in the inbox: both are due, the older first. An empty lake has nothing to choose."""
    simulate(simulated_lake)
    assert ingest.choose_weeks(simulated_lake, now()) == [dominicks_week(136), dominicks_week(137)]
    with pytest.raises(DataError, match="has no sales and its inbox is empty"):
        ingest.choose_weeks(Lake(simulated_lake.root / "elsewhere"), now())


def test_only_weeks_that_have_come_are_backfilled(simulated_lake: Lake) -> None:
    """Those of the lake and those in the inbox, up to the last; a range without any is refused."""
    weeks = ingest.weeks_to_backfill(simulated_lake, dominicks_week(134), None, now())
    assert weeks == [dominicks_week(134), dominicks_week(135), dominicks_week(136)]
    assert ingest.weeks_to_backfill(simulated_lake, dominicks_week(134), dominicks_week(135), now()) == weeks[:2]
    with pytest.raises(DataError, match="no week from 1993-01-07.*name weeks from 1990-06-14 to 1992-04-16"):
        ingest.weeks_to_backfill(simulated_lake, date(1993, 1, 7), None, now())


def test_a_look_at_a_week_changes_nothing(simulated_lake: Lake) -> None:
    """It says what the gate would say at that moment: waiting before the deadline, closed with gaps after it."""
    before = sorted(path.name for path in Path(simulated_lake.root).rglob("*"))
    deadline = datetime(1992, 4, 23, 18, tzinfo=UTC)
    early = ingest.look(simulated_lake, dominicks_week(136), GateSpec(deadline), deadline - timedelta(seconds=1))
    late = ingest.look(simulated_lake, dominicks_week(136), GateSpec(deadline), deadline)
    assert (early.status, early.missing) == ("waiting", (90,))
    assert late.status == "closed_with_gaps"
    assert sorted(path.name for path in Path(simulated_lake.root).rglob("*")) == before


def test_below_the_minimum_a_week_may_go_on_by_an_option(simulated_lake: Lake) -> None:
    """After the deadline only, and the report says that it was the option."""
    deadline = datetime(1992, 4, 23, 18, tzinfo=UTC)
    spec = GateSpec(deadline, min_reporting=1.0, below_minimum="go_on")
    taken = ingest.look(simulated_lake, dominicks_week(136), spec, deadline)
    assert taken.status == "accepted_with_gaps"
    assert taken.accepted == Acceptance("the option below_minimum", "the deadline has passed", deadline)
    assert ingest.look(simulated_lake, dominicks_week(136), spec, deadline - timedelta(hours=1)).status == "waiting"


def test_a_week_before_its_deadline_is_not_let_through(simulated_lake: Lake) -> None:
    """The error says until when, for whom, and how to go on without."""
    week = dominicks_week(136)
    arrived = ingest.collect(simulated_lake, week)
    spec = GateSpec(now() + timedelta(hours=1))
    with pytest.raises(WeekWaiting, match="is waiting until .* for store 90;.*oj accept --week 1992-04-16"):
        ingest.admit(simulated_lake, week, arrived, ingest.validate(simulated_lake, arrived), spec, now())
    assert simulated_lake.sales.weeks()[-1] == dominicks_week(135)


def test_files_of_later_weeks_stay_in_the_inbox(simulated_lake: Lake) -> None:
    """A run collects the weeks up to its cutoff, and files whose name names no week."""
    simulate(simulated_lake)
    (simulated_lake.inbox / "notes.txt").write_text("hello")
    arrived = ingest.collect(simulated_lake, dominicks_week(136))
    weeks: set[date | None] = {file.week for file in arrived.files}
    assert weeks == {dominicks_week(136), None}
    assert set(arrived.rows["rule"]) == {"", "wrong_file_name"}


def test_a_file_that_is_replaced_while_it_is_collected_is_not_lost(simulated_lake: Lake) -> None:
    """Its old rows are taken in; the new content stays in the inbox for the next run."""
    week = dominicks_week(136)
    arrived = ingest.collect(simulated_lake, week)
    replaced = arrived.files[0].place
    replaced.write_text(replaced.read_text() + "\n")
    checked = ingest.validate(simulated_lake, arrived)
    assert ingest.admit(simulated_lake, week, arrived, checked, GateSpec(now()), now()).notes == (
        f"{replaced.name}: changed since it was read, and is read again by the next run.",
    )
    assert [file.name for file in simulated_lake.archive.waiting()] == [replaced.name]


def take_in(lake: Lake, week: date, arrived: ingest.Arrived) -> tuple[str, ...]:
    """Admit the week, and archive its files; return the notes about them."""
    checked = ingest.validate(lake, arrived)
    return ingest.admit(lake, week, arrived, checked, GateSpec(now(), min_reporting=0), now()).notes


def rows_of_store(lake: Lake, week: date, store: int) -> int:
    sales = lake.sales.read()
    return len(sales[(sales["store"] == store) & (sales["week"] == pd.Timestamp(week))])


@pytest.mark.parametrize("moment", ["after it was read", "after it was archived"])
def test_late_bytes_of_a_file_reach_the_lake(simulated_lake: Lake, moment: str) -> None:
    """Its sender has it open all the while; the last 51 of 55 rows come after the run has read it."""
    week = dominicks_week(136)
    file = Path(simulated_lake.inbox) / f"{week}_store-012.csv"
    lines = file.read_text().splitlines(keepends=True)
    assert len(lines) == 56
    with file.open("w") as sender:
        sender.writelines(lines[:5])
        sender.flush()
        arrived = ingest.collect(simulated_lake, week)
        if moment == "after it was read":
            sender.writelines(lines[5:])
            sender.flush()
        said = take_in(simulated_lake, week, arrived)
        sender.writelines(lines[5:] if moment == "after it was archived" else [])
    assert rows_of_store(simulated_lake, week, 12) == 4
    again = ingest.collect(simulated_lake, week)
    (note,) = {*said, *again.notes}
    assert note.startswith(f"{file.name}: ")
    assert take_in(simulated_lake, week, again) == tuple(again.notes)
    assert rows_of_store(simulated_lake, week, 12) == 11
    assert ingest.collect(simulated_lake, week).files == []
    kept = {path.read_text() for path in simulated_lake.archive.files(week) if "store-012" in path.name}
    assert "".join(lines) in kept
    assert kept <= {"".join(lines), "".join(lines[:5])}


def test_a_file_that_is_being_written_is_left_and_said(simulated_lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run waits for it a moment, then goes on without it."""
    monkeypatch.setattr(inbox, "SECONDS_UNTOUCHED", 2.0)
    monkeypatch.setattr(inbox, "MOST_SECONDS_AWAITED", 0.0)
    week = dominicks_week(136)
    for file in Path(simulated_lake.inbox).glob("*.csv"):
        os.utime(file, (0, 0))
    file = Path(simulated_lake.inbox) / f"{week}_store-012.csv"
    moment = simulated_lake.archive.clock()
    os.utime(file, (moment, moment))
    monkeypatch.setattr(simulated_lake.archive, "clock", lambda: moment)
    arrived = ingest.collect(simulated_lake, week)
    assert len(arrived.files) == 81
    assert arrived.notes == [
        f"{file.name}: is still being written to (less than 2 seconds ago), and is left for the next run; "
        "run again when it is complete."
    ]


def test_rows_of_a_file_that_cannot_be_moved_are_taken_in_once(
    simulated_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The inbox cannot be written: the file is not read again, but for a correction."""

    def refuse(self: Path, _: Path) -> Path:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "rename", refuse)
    week = dominicks_week(136)
    (note,) = take_in(simulated_lake, week, ingest.collect(simulated_lake, week))
    assert "and 79 more: could not be moved out of the inbox (Permission denied)" in note
    assert ingest.collect(simulated_lake, week).files == []
    assert ingest.choose_weeks(simulated_lake, now()) == [week]

    corrected = simulated_lake.inbox / f"{week}_store-012.csv"
    lines = corrected.read_text().splitlines()
    store, product, of_week, units, *rest = lines[1].split(",")
    corrected.write_text("\n".join([lines[0], ",".join([store, product, of_week, str(int(units) + 64), *rest])]) + "\n")
    arrived = ingest.collect(simulated_lake, week)
    assert ingest.validate(simulated_lake, arrived).corrected_by_week == {week: 1}
    take_in(simulated_lake, week, arrived)
    assert ingest.collect(simulated_lake, week).files == []


def collect_and_admit(lake: Lake) -> ingest.IngestResult:
    arrived = ingest.collect(lake, WEEK)
    return ingest.admit(lake, WEEK, arrived, ingest.validate(lake, arrived), GateSpec(AT, min_reporting=0), now())


@pytest.fixture
def odd_lake(simulated_lake: Lake) -> Lake:
    """Store 2 sold a million cartons of product 1, it says; its week was collected without that row."""
    for file in sorted(Path(simulated_lake.inbox).iterdir())[10:]:
        file.unlink()
    file = Path(simulated_lake.inbox) / f"{WEEK}_store-002.csv"
    lines = file.read_text().splitlines()
    assert lines[1].startswith(f"2,1,{WEEK},")
    lines[1] = ",".join(["2", "1", str(WEEK), "1000000", *lines[1].split(",")[4:]])
    file.write_text("\n".join(lines) + "\n")
    assert collect_and_admit(simulated_lake).quarantined_by_rule == {"outlier": 1}
    return simulated_lake


def test_accepted_units_come_in_with_the_next_run(odd_lake: Lake) -> None:
    """Who, why and when is kept; the rest of the file is a duplicate, and the row is quarantined no more."""
    accepted, files = ingest.accept_override(odd_lake, WEEK, 2, 1, "a wholesaler bought them", "Ada", AT)
    assert (accepted.by, accepted.why, accepted.when) == (
        "Ada",
        "a wholesaler bought them",
        AT,
    )
    assert files == [file.name for file in odd_lake.archive.waiting()] == [f"{WEEK}_store-002.csv"]

    result = collect_and_admit(odd_lake)

    assert (result.quarantined_by_rule, result.rows_in) == ({}, result.accepted + result.duplicates)
    assert 2 in result.completeness.received
    sold = odd_lake.sales.read().set_index(["store", "product", "week"])["units"]
    assert sold[2, 1, pd.Timestamp(WEEK)] == 1_000_000
    assert odd_lake.quarantine.read(WEEK).empty


def test_the_command_takes_both_store_and_product(odd_lake: Lake) -> None:
    """One alone is refused in a sentence, and so is what nobody has quarantined."""

    def run(*options: str) -> str:
        said = CliRunner().invoke(
            app, ["accept", "--lake", str(odd_lake.root), "--week", str(WEEK), "--reason", "x", *options]
        )
        return " ".join(said.output.split())

    assert "give both, or neither" in run("--store", "2")
    assert "No row of store 2 brand 5 in the week of 1992-04-16 is quarantined" in run("--store", "2", "--product", "5")
    assert "Next: oj run" in run("--store", "2", "--product", "1")


def test_a_file_that_is_gone_is_named(odd_lake: Lake) -> None:
    """The acceptance stands; the file must be sent again."""
    for file in odd_lake.archive.files(WEEK):
        Path(file).unlink()
    with pytest.raises(DataError, match="1992-04-16_store-002.csv are not in the lake's archive"):
        ingest.accept_override(odd_lake, WEEK, 2, 1, "x", "Ada", AT)
    assert odd_lake.acceptances.overrides().to_numpy().tolist() == [[2, 1, pd.Timestamp(WEEK)]]
