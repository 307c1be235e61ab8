"""The schedule: when a week closes, until when a run waits for its stores, and which weeks are due."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from forecasting.contracts.calendar import THURSDAY, WEEK, week_of

# A lake whose last week is older than this is a replay of the past: no store is about to report.
WEEKS_STILL_AWAITED = 4


def closes_at(week: date, time_zone: str) -> datetime:
    """Return the first moment after the last day of `week`, by the clocks of `time_zone`."""
    return datetime.combine(week + WEEK, time(), ZoneInfo(time_zone))


def deadline_of(week: date, hours: float, time_zone: str) -> datetime:
    """Return until when a run waits for stores that have not reported `week`: `hours` after it closes."""
    return closes_at(week, time_zone) + timedelta(hours=hours)


def last_closed(now: datetime, time_zone: str, week_starts_on: int = THURSDAY) -> date:
    """Return the first day of the last week that was over at `now`."""
    return week_of(now.astimezone(ZoneInfo(time_zone)).date(), week_starts_on) - WEEK


def is_overdue(deadline: datetime, now: datetime) -> bool:
    """Return whether a deadline has passed within the last weeks; that of a replay passed years ago."""
    return deadline <= now < deadline + WEEK * WEEKS_STILL_AWAITED


def awaited_week(*, published: Iterable[date], collected: Iterable[date], closed: date) -> date | None:
    """Return the week that stores are reporting now: the last one that closed, where it is not published yet.

    None for a lake without weeks, and for one whose last week is long past.
    """
    known = max([*published, *collected], default=None)
    if known is None or known < closed - WEEK * WEEKS_STILL_AWAITED:
        return None
    return closed if closed > max(published, default=date.min) else None


def due_weeks(
    *,
    dropped: Iterable[date],
    admitted: Iterable[date],
    published: Iterable[date],
    collected: Iterable[date],
    closed: date,
) -> list[date]:
    """Return the weeks that a run without a given cutoff takes, oldest first: those that have come, unpublished.

    After an outage there are several, and the last one is that of today.

    Args:
        dropped: weeks with files in the inbox.
        admitted: weeks whose rows an earlier run has collected, published or not.
        published: cutoffs with a published forecast. Weeks before the last one are history: only a backfill takes them.
        collected: weeks with sales in the lake.
        closed: the last week that is over; files of a later one wait for its end.

    Returns:
        Failing a new week the last published one (late files may have changed its input), failing that the
        last collected one; nothing where there is nothing at all.
    """
    published, collected = list(published), list(collected)
    last = max(published, default=date.min)
    come = {week for week in {*dropped, *admitted} if last < week <= closed}
    if awaited := awaited_week(published=published, collected=collected, closed=closed):
        come.add(awaited)
    if come:
        return sorted(come)
    return [max(published or collected)] if published or collected else []
