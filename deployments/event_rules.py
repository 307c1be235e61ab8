"""What the watcher has to tell: a pure decision over what is seen of the weeks, and what was told before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

Kind = Literal["whole", "accepted", "late", "late-file"]
WEEKS_REMEMBERED = 100


@dataclass(frozen=True)
class Seen:
    """One week as it stands in the lake and its inbox.

    is_over: its last day has passed.
    is_whole: every expected store is there.
    is_published: a forecast of it is in force.
    is_due: the deadline has passed at which it should have been published.
    accepted: why somebody lets it go on with its gaps.
    gaps: the expected stores that are not whole, in words.
    files: its files in the inbox, by names and stamps, so that one that is sent again counts anew.
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
    """Something to tell the server: `key` is what is remembered of it."""

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


def events_due(weeks: Iterable[Seen], told: Mapping[str, list[str]]) -> list[Event]:
    """What is to be told now, oldest week first; nothing is told twice.

    Args:
        told: keys of what was told before, by week.
    """
    events = [event for seen in sorted(weeks, key=lambda seen: seen.week) for event in _events_of(seen)]
    return [event for event in events if event.key not in told.get(event.week.isoformat(), [])]


def remember(told: Mapping[str, list[str]], event: Event) -> dict[str, list[str]]:
    """What was told, with `event`; only of the last weeks, as old ones do not come back."""
    week = event.week.isoformat()
    more = {**told, week: [*told.get(week, []), event.key]}
    return {week: more[week] for week in sorted(more)[-WEEKS_REMEMBERED:]}


def _events_of(seen: Seen) -> Iterable[Event]:
    if not seen.is_published and seen.is_over and seen.is_whole:
        yield Event(seen.week, "whole", "whole", "every expected store has reported")
    if not seen.is_published and seen.is_over and seen.accepted:
        yield Event(seen.week, "accepted", f"accepted {seen.accepted}", f"its gaps were accepted: {seen.accepted}")
    if not seen.is_published and seen.is_due:
        missing = f"it waits for {', '.join(seen.gaps)}" if seen.gaps else "every expected store has reported"
        yield Event(seen.week, "late", "late", f"The week of {seen.week} is not published at its deadline: {missing}.")
    if seen.is_published:
        for file in seen.files:
            yield Event(seen.week, "late-file", f"late-file {file}", f"{file.split()[0]} came after the publication")
