"""Tests of the timetable: closing times, deadlines, and the weeks that are due."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts.calendar import WEEK
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.core.schedule import awaited_week, closes_at, deadline_of, due_weeks, last_closed

W = [dominicks_week(number) for number in range(1, 10)]
LONG_AFTER = date(2026, 11, 12)  # the shipped weeks are over


def test_a_week_closes_at_midnight_by_the_chain_s_clocks() -> None:
    """The week of Thursday 2026-11-12 ends with Wednesday the 18th: at 06:00 UTC in Chicago's winter."""
    week = date(2026, 11, 12)
    assert closes_at(week, "America/Chicago") == datetime(2026, 11, 19, 6, tzinfo=UTC)
    assert closes_at(week, "UTC") == datetime(2026, 11, 19, tzinfo=UTC)
    assert deadline_of(week, 18, "UTC") == datetime(2026, 11, 19, 18, tzinfo=UTC)


def test_hours_are_counted_across_a_change_of_the_clocks() -> None:
    """Chicago put its clocks forward on 2026-03-08: midnight stays midnight."""
    assert closes_at(date(2026, 3, 5), "America/Chicago") == datetime(2026, 3, 12, 5, tzinfo=UTC)


@given(st.integers(0, 10 * 365 * 24 * 3600), st.integers(0, 6))
def test_the_last_closed_week_is_over_and_the_next_is_not(seconds: int, starts_on: int) -> None:
    """Whatever the moment and the weekday that opens a week."""
    now = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    week = last_closed(now, "America/Chicago", starts_on)
    assert week.weekday() == starts_on
    assert closes_at(week, "America/Chicago") <= now < closes_at(week + WEEK, "America/Chicago")


@pytest.mark.parametrize(
    ("dropped", "admitted", "published", "collected", "expected"),
    [
        ([], [], [], [], []),
        ([], [], [], W[:3], [W[2]]),
        ([W[3]], [], [], W[:3], [W[3]]),
        ([W[4], W[3]], [], [W[2]], W[:3], [W[3], W[4]]),
        ([], [W[3]], [W[2]], W[:4], [W[3]]),
        ([W[4]], [W[3]], [W[2]], W[:4], [W[3], W[4]]),
        ([], [W[2]], [W[1], W[2]], W[:3], [W[2]]),
        ([W[1]], [], [W[2]], W[:3], [W[2]]),
        ([W[1], W[4]], [], [W[2]], W[:3], [W[4]]),
    ],
    ids=[
        "nothing at all",
        "history only: its last week",
        "the week that came",
        "all that came during an outage, oldest first",
        "one that was let through but not published",
        "let through before newly come",
        "all published: the last again",
        "late files only: the last published again",
        "late files do not hold up a new week",
    ],
)
def test_the_weeks_that_are_due(
    dropped: list[date], admitted: list[date], published: list[date], collected: list[date], expected: list[date]
) -> None:
    """Every week after the last published one that has come; failing that the last there is."""
    found = due_weeks(dropped=dropped, admitted=admitted, published=published, collected=collected, closed=LONG_AFTER)
    assert found == expected


def test_a_week_that_is_not_over_is_not_due() -> None:
    """Daily files of the running week lie in the inbox: the last closed week is taken."""
    found = due_weeks(dropped=[W[4], W[5]], admitted=[], published=[W[3]], collected=W[:4], closed=W[4])
    assert found == [W[4]]


def test_the_week_that_has_just_closed_is_due_before_its_first_file() -> None:
    """It is waited for; weeks in between of which nothing came are not."""
    found = due_weeks(dropped=[], admitted=[], published=[W[2]], collected=W[:3], closed=W[4])
    assert found == [W[4]]


@pytest.mark.parametrize(
    ("published", "collected", "closed", "expected"),
    [
        ([], [], W[4], None),
        ([W[3]], W[:4], W[4], W[4]),
        ([W[4]], W[:5], W[4], None),
        ([], W[:5], W[4], W[4]),
        ([W[3]], W[:4], W[3] + 5 * WEEK, None),
    ],
    ids=["an empty lake", "not published yet", "published", "nothing published yet", "a replay of the past"],
)
def test_which_week_is_awaited(
    published: list[date], collected: list[date], closed: date, expected: date | None
) -> None:
    """The last one that closed, in a lake that is alive."""
    assert awaited_week(published=published, collected=collected, closed=closed) == expected


def test_a_deadline_of_no_hours_is_the_close() -> None:
    """Nothing is waited for then."""
    assert deadline_of(W[0], 0, "UTC") == closes_at(W[0], "UTC")
    assert deadline_of(W[0], 1.5, "UTC") - closes_at(W[0], "UTC") == timedelta(minutes=90)
