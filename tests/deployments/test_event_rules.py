"""Which events the watcher sends: a decision over the state of the weeks and the events sent before."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.event_rules import WEEKS_KEPT, Event, WeekState, due_events, with_event
from forecasting.contracts.calendar import WEEK

FIRST = date(1992, 4, 16)
OPEN = WeekState(FIRST, is_over=False, is_whole=False, is_published=False, is_due=False)


def named(weeks: list[WeekState], sent: dict[str, list[str]] | None = None) -> list[str]:
    return [event.name for event in due_events(weeks, sent or {})]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({}, []),
        ({"is_whole": True}, []),
        ({"is_over": True}, []),
        ({"is_over": True, "is_whole": True}, ["oj.week.whole"]),
        ({"is_over": True, "is_due": True}, ["oj.week.late"]),
        ({"is_over": True, "is_due": True, "is_whole": True}, ["oj.week.whole", "oj.week.late"]),
        ({"is_over": True, "is_due": True, "is_whole": True, "is_published": True}, []),
        ({"is_over": True, "is_published": True, "files": ("a.csv 1",)}, ["oj.week.late-file"]),
        ({"is_over": True, "files": ("a.csv 1",)}, []),
    ],
    ids=str,
)
def test_the_state_of_a_week_decides_its_events(change: dict[str, object], names: list[str]) -> None:
    """A week that is not over is never whole, and a published one is never late."""
    assert named([replace(OPEN, **change)]) == names  # type: ignore[arg-type]


def test_a_late_week_names_what_it_waits_for() -> None:
    """The reason travels with the event to the notification."""
    week = replace(OPEN, is_over=True, is_due=True, gaps=("store 90", "store 91 lacks product 3"))
    [event] = due_events([week], {})
    assert event.payload("/lake") == {
        "cutoff": "1992-04-16",
        "lake": "/lake",
        "reason": "The week of 1992-04-16 is not published at its deadline: it waits for store 90, "
        "store 91 lacks product 3.",
    }


def test_a_file_that_comes_again_is_a_new_event() -> None:
    """A file is known by its name and its stamp."""
    week = replace(OPEN, is_published=True, files=("a.csv 1",))
    [event] = due_events([week], {})
    sent = with_event({}, event)
    assert named([week], sent) == []
    assert named([replace(week, files=("a.csv 2",))], sent) == ["oj.week.late-file"]


weeks = st.lists(
    st.builds(
        WeekState,
        week=st.integers(0, 5).map(lambda number: FIRST + WEEK * number),
        is_over=st.booleans(),
        is_whole=st.booleans(),
        is_published=st.booleans(),
        is_due=st.booleans(),
        files=st.lists(st.sampled_from(["a.csv 1", "b.csv 1"]), unique=True).map(tuple),
    ),
    unique_by=lambda seen: seen.week,
)


@given(st.lists(weeks, max_size=4))
def test_no_event_is_sent_twice(looks: list[list[WeekState]]) -> None:
    """Whatever is seen in whatever order, an event is sent at most once, oldest week first."""
    sent: dict[str, list[str]] = {}
    events: list[Event] = []
    for look in looks:
        due = due_events(look, sent)
        assert [event.week for event in due] == sorted(event.week for event in due)
        for event in due:
            sent = with_event(sent, event)
        events += due
    assert len({(event.week, event.key) for event in events}) == len(events)


def test_only_the_last_weeks_are_remembered() -> None:
    """The sent events do not grow without end."""
    sent: dict[str, list[str]] = {}
    for number in range(WEEKS_KEPT + 5):
        sent = with_event(sent, Event(FIRST + WEEK * number, "whole", "whole", ""))
    assert len(sent) == WEEKS_KEPT
    assert FIRST.isoformat() not in sent
