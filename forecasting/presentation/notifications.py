"""Texts of the notifications: typed results in, a title and a few lines of plain text out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from itertools import groupby
from textwrap import shorten

from forecasting.contracts.errors import ForecastingError
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.contracts.run_record import RunRecord
from forecasting.core.completeness import CompletenessReport, WeekStatus
from forecasting.core.drift import Alarm
from forecasting.pipeline.ingest import IngestResult
from forecasting.pipeline.monitoring import MonitoringResult
from forecasting.pipeline.publication import PublishedForecast
from forecasting.presentation import words
from forecasting.storage.database import DatabaseLoad

MOST_NAMED = 10
MOST_CHARACTERS_OF_ERROR = 900  # the error of a refused week names every store


@dataclass(frozen=True)
class Notification:
    """One message to people.

    once: names the event, where people are notified of it once a week; None where they are notified each time.
    """

    week: date | None
    title: str
    body: str
    once: str | None = None


def notifications_of(record: RunRecord, fallback_alarm: float) -> list[Notification]:
    """Return what people should hear about a run: drift, and what is remarkable about a published week.

    Args:
        fallback_alarm: the share of series on fallback above which people are notified.
    """
    found: list[Notification] = []
    ingest, monitoring = record.result(IngestResult), record.result(MonitoringResult)
    published, database = record.result(PublishedForecast), record.result(DatabaseLoad)
    if monitoring:
        found += drift_notifications(monitoring)
    if published:
        if ingest and ingest.completeness.status is WeekStatus.ACCEPTED_WITH_GAPS:
            found.append(gaps_accepted(ingest.completeness, record.spec.definition))
        if fallbacks := many_fallbacks(record, published, fallback_alarm):
            found.append(fallbacks)
        if database and database.error:
            found.append(database_not_loaded(record.week, database.error))
        if ingest:
            found += [late_files(week, files) for week, files in ingest.late_files.items()]
    return found


def drift_notifications(monitoring: MonitoringResult) -> list[Notification]:
    """Return one notification for each week whose alarms a run has found."""
    return [drifted(week, [*alarms]) for week, alarms in groupby(monitoring.alarms, key=lambda alarm: alarm.week)]


def run_failed(week: date | None, error: BaseException, published: date | None) -> Notification:
    """Return that a run ended by an error.

    Args:
        published: cutoff of the forecast that remains the newest published one.
    """
    ours = isinstance(error, ForecastingError)
    sentence = str(error) if ours else f"{type(error).__name__}: {error}".split("\n", maxsplit=1)[0]
    current = f"Still published: the forecast of the {words.week_of(published)}." if published else ""
    body = [
        shorten(sentence, MOST_CHARACTERS_OF_ERROR, placeholder=" …"),
        current or "No forecast is published.",
        *([f"Then run it again: oj run --cutoff {week}"] if week else []),
    ]
    return Notification(week, f"{_week(week)}: the run failed", "\n".join(body))


def week_waiting(week: date, gaps: Sequence[str], deadline: datetime, panel: PanelDefinition) -> Notification:
    """Return that a scheduled run found stores missing before the deadline of the week."""
    missing = f"Missing: {words.named(gaps, MOST_NAMED)}." if gaps else "None of its files has arrived yet."
    return Notification(
        week,
        f"{_week(week)}: waiting for {_stores(len(gaps), panel) if gaps else 'its files'}",
        f"{missing}\nThe run waits until {deadline:%Y-%m-%d %H:%M %Z}; put the files into the inbox, or:\n"
        f'oj accept --week {week} --reason "your reason"',
        once="waiting",
    )


def gaps_accepted(report: CompletenessReport, panel: PanelDefinition) -> Notification:
    """Return that a person accepted a week below its minimum."""
    by, why = (report.accepted.by, report.accepted.why) if report.accepted else ("nobody", "unknown")
    missing = words.named(report.gaps(panel), MOST_NAMED)
    return Notification(
        report.week,
        f"{_week(report.week)}: published without {_stores(report.n_gaps, panel)}",
        f"Accepted by {by}, because: {why}\nMissing: {missing or f'no expected {panel.store.word}'}.",
        once="gaps-accepted",
    )


def many_fallbacks(record: RunRecord, published: PublishedForecast, alarm: float) -> Notification | None:
    """Return that more than the share `alarm` of the series have a fallback forecast; None where fewer have."""
    failed = sum(published.fallbacks_by_reason.values())
    if failed <= alarm * published.series:
        return None
    return Notification(
        record.week,
        f"{_week(record.week)}: {words.percent(failed / published.series, 1)} of the series on fallback",
        f"{failed:,} of {words.series(published.series)} could not be forecast by {record.spec.model} "
        f"({words.counts(published.fallbacks_by_reason)}).\nThey are published with a fallback forecast; the column "
        f"`reason` names the reason of each. The alarm is at {words.percent(alarm, 1)}.",
        once="fallbacks",
    )


def late_files(week: date, files: Sequence[str]) -> Notification:
    """Return that files arrived for a week that is already published; once for the same files."""
    return Notification(
        week,
        f"{_week(week)}: {words.count(len(files), 'late file')}",
        f"Already published without {words.named(sorted(files), MOST_NAMED)}.\nTo take them in: oj run --cutoff {week}",
        once=f"late-files-{_digest(sorted(files))}",
    )


def database_not_loaded(week: date, error: str) -> Notification:
    """Return that the database was not loaded, though the forecast is published.

    Args:
        error: one sentence.
    """
    return Notification(week, f"{_week(week)}: published, but not in the database", error, once="database")


def drifted(week: date, alarms: Sequence[Alarm]) -> Notification:
    """Return that the accuracy of the forecasts has left its baseline; once for the same alarms."""
    sentences = [alarm.sentence for alarm in alarms]
    return Notification(
        week,
        f"{_week(week)}: the forecasts have drifted",
        "\n".join(sentences) + "\nAccuracy of the forecasts week by week: oj scores",
        once=f"drifted-{_digest(sentences)}",
    )


def _stores(amount: int, panel: PanelDefinition) -> str:
    return words.count(amount, panel.store.word, panel.store.words)


def _week(week: date | None) -> str:
    return f"Week of {week}" if week else "Forecast"


def _digest(lines: Sequence[str]) -> str:
    return sha256("\n".join(lines).encode()).hexdigest()[:8]
