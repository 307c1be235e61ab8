"""The stages that take a week in, each by itself."""

from datetime import UTC, date, datetime, timedelta

import pytest

from flows import intake
from forecasting.adapters.clock import now
from forecasting.adapters.feed import feed
from forecasting.adapters.lake import Lake
from forecasting.errors import DataError, WeekWaiting
from forecasting.ledger import Acceptance
from forecasting.spec import GateSpec
from forecasting.weeks import dominicks_week


def test_the_oldest_week_that_waits_is_chosen(fed_lake: Lake) -> None:
    """Two weeks in the inbox: both are due, the older first. An empty lake has nothing to choose."""
    feed(fed_lake)
    assert intake.choose_weeks(fed_lake, now()) == [dominicks_week(136), dominicks_week(137)]
    with pytest.raises(DataError, match="has no sales and its inbox is empty"):
        intake.choose_weeks(Lake(fed_lake.root / "elsewhere"), now())


def test_only_weeks_that_have_come_are_backfilled(fed_lake: Lake) -> None:
    """Those of the lake and those in the inbox, up to the last; a range without any is told."""
    weeks = intake.weeks_to_backfill(fed_lake, dominicks_week(134), None, now())
    assert weeks == [dominicks_week(134), dominicks_week(135), dominicks_week(136)]
    assert intake.weeks_to_backfill(fed_lake, dominicks_week(134), dominicks_week(135), now()) == weeks[:2]
    with pytest.raises(DataError, match="no week from 1993-01-07.*name weeks from 1990-06-14 to 1992-04-16"):
        intake.weeks_to_backfill(fed_lake, date(1993, 1, 7), None, now())


def test_a_look_at_a_week_changes_nothing(fed_lake: Lake) -> None:
    """It says what the gate would say at that moment: waiting before the deadline, closed with gaps after it."""
    before = sorted(path.name for path in fed_lake.root.rglob("*"))
    deadline = datetime(1992, 4, 23, 18, tzinfo=UTC)
    early = intake.look(fed_lake, dominicks_week(136), GateSpec(deadline), deadline - timedelta(seconds=1))
    late = intake.look(fed_lake, dominicks_week(136), GateSpec(deadline), deadline)
    assert (early.status, early.missing) == ("waiting", (90,))
    assert late.status == "closed with gaps"
    assert sorted(path.name for path in fed_lake.root.rglob("*")) == before


def test_below_the_minimum_a_week_may_go_on_by_an_option(fed_lake: Lake) -> None:
    """After the deadline only, and the ledger says that it was the option."""
    deadline = datetime(1992, 4, 23, 18, tzinfo=UTC)
    spec = GateSpec(deadline, min_reporting=1.0, below_minimum="go_on")
    taken = intake.look(fed_lake, dominicks_week(136), spec, deadline)
    assert taken.status == "accepted with gaps"
    assert taken.accepted == Acceptance(
        "the option below_minimum", "the deadline has passed", "1992-04-23T18:00:00+00:00"
    )
    assert intake.look(fed_lake, dominicks_week(136), spec, deadline - timedelta(hours=1)).status == "waiting"


def test_a_week_before_its_deadline_is_not_let_through(fed_lake: Lake) -> None:
    """The error says until when, for whom, and how to go on without."""
    week = dominicks_week(136)
    arrived = intake.collect(fed_lake, week)
    spec = GateSpec(now() + timedelta(hours=1))
    with pytest.raises(WeekWaiting, match="is waiting until .* for store 90;.*oj accept --week 1992-04-16"):
        intake.gate(fed_lake, week, arrived, intake.validate(fed_lake, arrived), spec, now())
    assert fed_lake.weeks_of_sales()[-1] == dominicks_week(135)


def test_files_of_later_weeks_stay_in_the_inbox(fed_lake: Lake) -> None:
    """A run collects the weeks up to its cutoff, and files whose name tells no week."""
    feed(fed_lake)
    (fed_lake.inbox / "notes.txt").write_text("hello")
    arrived = intake.collect(fed_lake, dominicks_week(136))
    weeks: set[date | None] = {file.week for file in arrived.files}
    assert weeks == {dominicks_week(136), None}
    assert set(arrived.rows["rule"]) == {"", "wrong_file_name"}


def test_a_file_that_is_replaced_while_it_is_collected_is_not_lost(fed_lake: Lake) -> None:
    """Its old rows are taken in; the new content stays in the inbox for the next run."""
    week = dominicks_week(136)
    arrived = intake.collect(fed_lake, week)
    replaced = arrived.files[0].path
    replaced.write_text(replaced.read_text() + "\n")
    checked = intake.validate(fed_lake, arrived)
    intake.gate(fed_lake, week, arrived, checked, GateSpec(now()), now())
    assert [path.name for path in fed_lake.inbox.iterdir()] == [replaced.name]
