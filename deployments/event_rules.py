"""Which events the watcher sends: a pure decision over the state of each week and the events sent before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

Kind = Literal["whole", "accepted", "late", "late-file"]
WEEKS_KEPT = 100


@dataclass(frozen=True)
class WeekState:
    """The state of one week in the lake and its inbox.

    is_over: its last day has passed.
    is_whole: every expected store is there.
    is_published: a forecast of it is published.
    is_due: its deadline has passed.
    accepted: the reason for which somebody accepted its gaps.
    gaps: the expected stores that have not reported in full, in words.
    files: its files in the inbox, each with a stamp, so that a file that is sent again counts as new.
    """

    week: date
    is_over: bool
    is_whole: bool
    is_published: bool
    is_due: bool
    accepted: str | None = None
    gaps: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Event:
    """An event for the server; `key` is stored, so that it is sent once."""

    week: date
    kind: Kind
    key: str
    reason: str

    @property
    def name(self) -> str:
        return f"oj.week.{self.kind}"

    @property
    def resource(self) -> str:
        return f"oj.week.{self.week}"

    def payload(self, lake: str) -> dict[str, Any]:
        return {"cutoff": self.week.isoformat(), "lake": lake, "reason": self.reason}


def due_events(weeks: Iterable[WeekState], sent: Mapping[str, list[str]]) -> list[Event]:
    """Return the events to send now, oldest week first; no event is sent twice.

    Args:
        sent: keys of the events sent before, by week.
    """
    events = [event for seen in sorted(weeks, key=lambda seen: seen.week) for event in _events_of(seen)]
    return [event for event in events if event.key not in sent.get(event.week.isoformat(), [])]


def with_event(sent: Mapping[str, list[str]], event: Event) -> dict[str, list[str]]:
    """Return the sent events with `event` added; only the last weeks are kept."""
    week = event.week.isoformat()
    more = {**sent, week: [*sent.get(week, []), event.key]}
    return {week: more[week] for week in sorted(more)[-WEEKS_KEPT:]}


def _events_of(seen: WeekState) -> Iterable[Event]:
    if not seen.is_published and seen.is_over and seen.is_whole:
        yield Event(seen.week, "whole", "whole", "all that was expected has arrived")
    if not seen.is_published and seen.is_over and seen.accepted:
        yield Event(seen.week, "accepted", f"accepted {seen.accepted}", f"its gaps were accepted: {seen.accepted}")
    if not seen.is_published and seen.is_due:
        missing = f"it waits for {', '.join(seen.gaps)}" if seen.gaps else "all that was expected has arrived"
        yield Event(seen.week, "late", "late", f"The week of {seen.week} is not published at its deadline: {missing}.")
    if seen.is_published:
        for file in seen.files:
            yield Event(seen.week, "late-file", f"late-file {file}", f"{file.split()[0]} came after the publication")
