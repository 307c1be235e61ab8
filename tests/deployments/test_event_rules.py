"""What the watcher tells: a decision over what it sees, and what it told before."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.event_rules import WEEKS_REMEMBERED, Event, Seen, events_due, remember
from forecasting.contracts.calendar import WEEK

FIRST = date(1992, 4, 16)
OPEN = Seen(FIRST, is_over=False, is_whole=False, is_published=False, is_due=False)


def named(weeks: list[Seen], told: dict[str, list[str]] | None = None) -> list[str]:
    return [event.name for event in events_due(weeks, told or {})]


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
def test_a_week_is_told_by_what_is_seen_of_it(change: dict[str, object], names: list[str]) -> None:
    """A week that is not over is never whole, and a published one is never late."""
    assert named([replace(OPEN, **change)]) == names  # type: ignore[arg-type]


def test_a_late_week_names_what_it_waits_for() -> None:
    """The reason travels with the event to the notification."""
    week = replace(OPEN, is_over=True, is_due=True, gaps=("store 90", "store 91 lacks product 3"))
    [event] = events_due([week], {})
    assert event.payload("/lake") == {
        "cutoff": "1992-04-16",
        "lake": "/lake",
        "reason": "The week of 1992-04-16 is not published at its deadline: it waits for store 90, "
        "store 91 lacks product 3.",
    }


def test_a_file_that_is_sent_again_is_told_again() -> None:
    """A file is known by its name and its stamp."""
    week = replace(OPEN, is_published=True, files=("a.csv 1",))
    [event] = events_due([week], {})
    told = remember({}, event)
    assert named([week], told) == []
    assert named([replace(week, files=("a.csv 2",))], told) == ["oj.week.late-file"]


weeks = st.lists(
    st.builds(
        Seen,
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
def test_nothing_is_told_twice(looks: list[list[Seen]]) -> None:
    """Whatever is seen in whatever order, an event is told at most once, oldest week first."""
    told: dict[str, list[str]] = {}
    events: list[Event] = []
    for look in looks:
        due = events_due(look, told)
        assert [event.week for event in due] == sorted(event.week for event in due)
        for event in due:
            told = remember(told, event)
        events += due
    assert len({(event.week, event.key) for event in events}) == len(events)


def test_only_the_last_weeks_are_remembered() -> None:
    """What was told does not grow without end."""
    told: dict[str, list[str]] = {}
    for number in range(WEEKS_REMEMBERED + 5):
        told = remember(told, Event(FIRST + WEEK * number, "whole", "whole", ""))
    assert len(told) == WEEKS_REMEMBERED
    assert FIRST.isoformat() not in told
