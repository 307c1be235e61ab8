"""What people are told, when, and how often: plain values in, a few lines of plain text out.

A run tells for itself what it knows, with and without a server. What a run cannot tell, as it is gone, the
Prefect server tells through the deployment `notify/notify`.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from textwrap import shorten
from typing import Any

from prefect import flow

from forecasting.clock import now
from forecasting.contracts.errors import ForecastingError, WeekBusy, WeekWaiting
from forecasting.core.completeness import gaps_in_words
from forecasting.pipeline.delivery import notify as deliver
from forecasting.storage.lake import Lake

logger = logging.getLogger(__name__)

MOST_NAMED = 10
MOST_CHARACTERS_OF_ERROR = 900  # a refused week names every store


@dataclass(frozen=True)
class Notification:
    """One thing to tell.

    once: a word of ours that stands for what happened to the week, where it is told once; None where it is
        told each time.
    """

    week: date | None
    title: str
    body: str
    once: str | None = None


def run_failed(week: date | None, error: Exception, current_forecast: date | None) -> Notification:
    """A run ended by an error.

    Args:
        in_force: cutoff of the forecast that remains the newest one in force.
    """
    ours = isinstance(error, ForecastingError)
    sentence = str(error) if ours else f"{type(error).__name__}: {error}".split("\n", maxsplit=1)[0]
    body = [shorten(sentence, MOST_CHARACTERS_OF_ERROR, placeholder=" …"), _in_force(current_forecast)]
    if week:
        body.append(f"Then run it again: oj run --cutoff {week}")
    return Notification(week, f"{_week(week)}: the run failed", "\n".join(body))


def week_waiting(week: date, gaps: Sequence[str], deadline: datetime) -> Notification:
    """A scheduled run found stores missing, and the week still has time."""
    missing = f"Missing: {_named(gaps)}." if gaps else "Nothing of it has come yet."
    return Notification(
        week,
        f"{_week(week)}: waiting for {_count(gaps, 'store') if gaps else 'its files'}",
        f"{missing}\nThe run waits until {deadline:%Y-%m-%d %H:%M %Z}; put the files into the inbox, or:\n"
        f'oj accept --week {week} --reason "your reason"',
        once="waiting",
    )


def gaps_accepted(week: date, completeness: Mapping[str, Any]) -> Notification:
    """Somebody let a week go on below its minimum.

    Args:
        ledger: the ledger's plain values, as the receipt holds them.
    """
    gaps = gaps_in_words(completeness["missing"], completeness["incomplete"])
    accepted = completeness["accepted"]
    return Notification(
        week,
        f"{_week(week)}: published without {_count(gaps, 'store')}",
        f"Accepted by {accepted['by']}, because: {accepted['why']}\nMissing: {_named(gaps) or 'nothing known'}.",
        once="gaps-accepted",
    )


def many_fallbacks(week: date, record: Mapping[str, Any], alarm: float) -> Notification | None:
    """More than the share `alarm` of the series got a fallback forecast; None where it were fewer."""
    reasons, series = record["fallbacks_by_reason"], record["series"]
    fallen = sum(reasons.values())
    if fallen <= alarm * series:
        return None
    by_reason = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())
    return Notification(
        week,
        f"{_week(week)}: {fallen / series:.1%} of the series on fallback",
        f"{fallen:,} of {series:,} series could not be forecast by {record['spec']['model']} ({by_reason}).\n"
        f"They are published with a fallback forecast; the column `reason` names each. The alarm is at {alarm:.1%}.",
        once="fallbacks",
    )


def late_files(week: date, files: Sequence[str]) -> Notification:
    """Files came for a week that is published already; told once for the same files."""
    return Notification(
        week,
        f"{_week(week)}: {_count(files, 'late file')}",
        f"Published already, without {_named(sorted(files))}.\nTo take them in: oj run --cutoff {week}",
        once=f"late-files-{_digest(sorted(files))}",
    )


def database_not_loaded(week: date, error: str) -> Notification:
    """The database that is loaded after each run was not; the forecast is published all the same.

    Args:
        error: one sentence, as the receipt holds it.
    """
    return Notification(week, f"{_week(week)}: published, but not in the database", error, once="database")


def drifted(week: date, alarms: Sequence[Mapping[str, Any]]) -> Notification:
    """A matured week told that forecasts are no longer what was promised; told once for the same alarms.

    Args:
        alarms: those of that week, as the receipt's `monitoring` holds them.
    """
    sentences = [alarm["sentence"] for alarm in alarms]
    return Notification(
        week,
        f"{_week(week)}: the forecasts are not what was promised",
        "\n".join(sentences) + "\nHow the forecasts came out week by week: oj scores",
        once=f"drifted-{_digest(sentences)}",
    )


def tell(lake: Lake, notice: Notification) -> bool:
    """Tell people, unless they have been told; True where somebody was reached now. Never makes a run fail."""
    reached = False
    with _harmless():
        if notice.week and notice.once and lake.notifications.is_sent(notice.week, notice.once):
            return False
        delivery = deliver(notice.title, f"{notice.body}\nLake: {lake.root.resolve()}")
        for failure in delivery.failures:
            logger.warning("A notification was not delivered: %s", failure)
        reached = delivery.reached > 0
        if reached and notice.week and notice.once:
            told = {"title": notice.title, "body": notice.body, "told": now().isoformat(timespec="seconds")}
            lake.notifications.write(notice.week, notice.once, told)
    return reached


def notify_drift(lake: Lake, monitored: Mapping[str, Any]) -> None:
    """Tell of each week whose alarms a run has found, whatever becomes of the run.

    Args:
        monitored: as `forecasting.pipeline.monitoring.monitor` gives it.
    """
    with _harmless():
        for week, alarms in groupby(monitored.get("alarms", []), key=itemgetter("week")):
            tell(lake, drifted(date.fromisoformat(week), list(alarms)))


def notify_published(lake: Lake, record: Mapping[str, Any], fallback_alarm: float) -> None:
    """Tell what is remarkable about a published week: gaps, fallbacks, late files, a database's error."""
    with _harmless():
        week, completeness = date.fromisoformat(record["spec"]["cutoff"]), record["completeness"]
        if completeness["status"] == "accepted with gaps":
            tell(lake, gaps_accepted(week, completeness))
        if fallbacks := many_fallbacks(week, record, fallback_alarm):
            tell(lake, fallbacks)
        if error := record.get("database", {}).get("error"):
            tell(lake, database_not_loaded(week, error))
        for earlier, files in record["late_files"].items():
            tell(lake, late_files(date.fromisoformat(earlier), files))


@contextmanager
def alert_on_failure(lake: Lake, week: date | None = None) -> Iterator[None]:
    """Tell of an error that ends the `with` block; the error goes on.

    Nobody is told of a busy week, as the run that holds it tells for itself, of one that waits, which is no
    trouble yet, nor of a run that a person stopped.
    """
    try:
        yield
    except (WeekBusy, WeekWaiting):
        raise
    except Exception as error:
        with _harmless():
            tell(lake, run_failed(week, error, max(lake.forecasts.cutoffs(), default=None)))
        raise


@contextmanager
def _harmless() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        logger.warning("Notifying people met with trouble (%s): %s", type(error).__name__, error)


@flow(name="notify", persist_result=False)
def notify(title: str, body: str) -> int:
    """Tell people of what the Prefect server noticed: a run that crashed, a week that is late.

    Args:
        title: one line that says what happened.
        body: a few lines of plain text.

    Returns:
        How many targets took the message; 0 where none is set up.

    Raises:
        forecasting.contracts.errors.RunError: a target did not take it.
    """
    delivery = deliver(title, body)
    delivery.require_all()
    return delivery.reached


def _week(week: date | None) -> str:
    return f"Week of {week}" if week else "Orange juice forecast"


def _in_force(cutoff: date | None) -> str:
    return f"In force: the forecast of the week of {cutoff}." if cutoff else "No forecast is in force."


def _count(things: Sequence[str], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _digest(lines: Sequence[str]) -> str:
    return sha256("\n".join(lines).encode()).hexdigest()[:8]


def _named(things: Sequence[str]) -> str:
    more = len(things) - MOST_NAMED
    return ", ".join(things[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
