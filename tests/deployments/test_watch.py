"""The watcher's looks at a real lake, without a server."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest

from deployments.event_rules import Event
from deployments.home import Home
from deployments.watch import Look, Send, Watcher, deadlines, look
from forecasting.contracts.errors import OptionError, RunError
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.completeness import CompletenessReport, WeekStatus
from forecasting.pipeline import ingest as intake
from forecasting.storage.lake import Lake

WEEK = dominicks_week(136)
LAST_MINUTE = datetime(1992, 4, 22, 23, 59, tzinfo=ZoneInfo("America/Chicago"))
CLOSED = datetime(1992, 4, 23, 0, 0, tzinfo=ZoneInfo("America/Chicago"))
LONG_AFTER = datetime(1992, 4, 24, 0, 0, tzinfo=ZoneInfo("America/Chicago"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


def whole(lake: Lake, week: object) -> CompletenessReport:
    return CompletenessReport(WEEK, 1, None, (2,), (2,), (), (), status=WeekStatus.WHOLE)


def watcher_of(
    home: Home, lake: Lake, send: Send, look: Look = look, parameters: Mapping[str, object] = MappingProxyType({})
) -> Watcher:
    """A watcher whose weekly deployment has these parameters."""
    return Watcher(home, lake, send, lambda: deadlines(lake, parameters), look)


def test_a_look_changes_nothing(simulated_lake: Lake) -> None:
    """It finds the missing store, and the lake is as it was."""
    before = sorted((path, path.stat().st_mtime_ns) for path in Path(simulated_lake.root).rglob("*"))
    assert look(simulated_lake, WEEK).gaps(ORANGE_JUICE) == ("store 90",)
    assert sorted((path, path.stat().st_mtime_ns) for path in Path(simulated_lake.root).rglob("*")) == before


def test_a_week_is_over_at_midnight_in_chicago(simulated_lake: Lake, home: Home) -> None:
    """No event before, one after. The week before closed long ago, and nobody has forecast from it yet."""
    sent: list[Event] = []
    watcher = watcher_of(home, simulated_lake, sent.append, whole)
    assert {event.week for event in watcher.send_events(LAST_MINUTE)} == {dominicks_week(135)}
    assert [(event.week, event.name) for event in watcher.send_events(CLOSED)] == [(WEEK, "oj.week.whole")]
    assert sent[-1].week == WEEK


def test_accepted_gaps_are_an_event(simulated_lake: Lake, home: Home) -> None:
    """So that a run starts without the missing store, once for each word of somebody's."""
    intake.accept(simulated_lake, WEEK, "store 90 is closed", "Ada", CLOSED)
    watcher = watcher_of(home, simulated_lake, lambda _: None)
    sent = [event for event in watcher.send_events(CLOSED) if event.week == WEEK]
    assert [(event.name, event.reason) for event in sent] == [
        ("oj.week.accepted", "its gaps were accepted: store 90 is closed")
    ]
    assert watcher.send_events(CLOSED) == []


def test_a_week_of_which_nothing_came_is_late_at_its_deadline(simulated_lake: Lake, home: Home) -> None:
    """There is an event although no file came; long afterwards there is none."""
    for file in Path(simulated_lake.inbox).iterdir():
        file.unlink()
    deadline = datetime(1992, 4, 23, 18, 0, tzinfo=ZoneInfo("America/Chicago"))
    watcher = watcher_of(home, simulated_lake, lambda _: None)
    assert watcher.send_events(deadline - timedelta(minutes=1)) == []
    assert [(event.week, event.name) for event in watcher.send_events(deadline)] == [(WEEK, "oj.week.late")]
    assert watcher_of(home, simulated_lake, lambda _: None).survey(deadline + timedelta(weeks=10)) == []


@pytest.mark.parametrize(
    ("parameters", "deadline"),
    [
        ({}, "1992-04-23T18:00:00-05:00"),
        ({"deadline_hours": 30}, "1992-04-24T06:00:00-05:00"),
        ({"deadline_hours": 30, "deadline": "1992-04-25T12:00:00+00:00"}, "1992-04-25T07:00:00-05:00"),
        ({"deadline": "1992-04-25T07:00:00"}, "1992-04-25T07:00:00-05:00"),
        ({"deadline_hours": 30, "deadline": None, "horizon": 3, "lake": "elsewhere"}, "1992-04-24T06:00:00-05:00"),
    ],
    ids=str,
)
def test_a_week_is_late_at_the_deadline_of_the_deployment(
    simulated_lake: Lake, home: Home, parameters: dict[str, object], deadline: str
) -> None:
    """A fixed `deadline` wins over `deadline_hours`; a clock time without a zone is the lake's; other options are not
    looked at.
    """
    for file in Path(simulated_lake.inbox).iterdir():
        file.unlink()
    moment = datetime.fromisoformat(deadline)
    watcher = watcher_of(home, simulated_lake, lambda _: None, parameters=parameters)
    assert watcher.send_events(moment - timedelta(seconds=1)) == []
    assert [event.name for event in watcher.send_events(moment)] == ["oj.week.late"]


def test_the_deadline_is_read_at_every_look(simulated_lake: Lake, home: Home) -> None:
    """Somebody may change the deployment while the watcher runs."""
    parameters: dict[str, object] = {"deadline_hours": 100}
    watcher = watcher_of(home, simulated_lake, lambda _: None, parameters=parameters)
    assert watcher.send_events(LONG_AFTER) == []
    parameters["deadline_hours"] = 1
    assert [event.name for event in watcher.send_events(LONG_AFTER)] == ["oj.week.late"]


def test_a_deadline_that_cannot_be_used_is_named(simulated_lake: Lake) -> None:
    """The watcher says it and looks again a minute later."""
    with pytest.raises(OptionError, match=r"deadline_hours=soon of the weekly deployment cannot be used .*; correct"):
        deadlines(simulated_lake, {"deadline_hours": "soon"})


def test_a_restart_repeats_nothing(simulated_lake: Lake, home: Home) -> None:
    """The sent events are stored in the home."""
    sent: list[Event] = []
    assert len(watcher_of(home, simulated_lake, sent.append).send_events(LONG_AFTER)) == 1
    assert sent[0].reason.endswith("it waits for store 90.")
    assert watcher_of(home, simulated_lake, sent.append).send_events(LONG_AFTER) == []


def test_an_event_that_the_server_did_not_take_is_sent_again(simulated_lake: Lake, home: Home) -> None:
    """Only what it has taken is remembered."""

    def unreachable(event: Event) -> None:
        raise RunError("No Prefect server answers", "bring it up")

    with pytest.raises(RunError):
        watcher_of(home, simulated_lake, unreachable, whole).send_events(CLOSED)
    assert len(watcher_of(home, simulated_lake, lambda _: None, whole).send_events(CLOSED)) == 1


def test_a_week_is_looked_at_anew_only_when_its_files_change(simulated_lake: Lake, home: Home) -> None:
    """A look reads the whole inbox."""
    looks = []

    def counted(lake: Lake, week: object) -> CompletenessReport:
        looks.append(week)
        return whole(lake, week)

    watcher = watcher_of(home, simulated_lake, lambda _: None, counted)
    watcher.survey(CLOSED)
    watcher.survey(CLOSED)
    assert len(looks) == 1
    next(iter(sorted(Path(simulated_lake.inbox).iterdir()))).unlink()
    watcher.survey(CLOSED)
    assert len(looks) == 2
