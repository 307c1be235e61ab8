"""The texts of the notifications."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from forecasting.contracts.errors import RunError, WeekNotWhole
from forecasting.contracts.panel_definition import ORANGE_JUICE, Key
from forecasting.contracts.run_record import RunRecord
from forecasting.core.completeness import WeekStatus
from forecasting.presentation.notifications import (
    MOST_CHARACTERS_OF_ERROR,
    database_not_loaded,
    drifted,
    gaps_accepted,
    late_files,
    many_fallbacks,
    notifications_of,
    run_failed,
    week_waiting,
)
from forecasting.storage.database import DatabaseLoad
from tests.forecasting.presentation.material import ACCEPTED_WITH_GAPS as REPORT
from tests.forecasting.presentation.material import WEEK, alarm_of, ingest_of, monitoring_of, published_of, record_of

DEADLINE = datetime(1992, 4, 25, 6, 0, tzinfo=UTC)
PUBLISHED = published_of(Path("forecast.parquet"), series=913, fallbacks_by_reason={"failed": 40, "timed_out": 6})
ERROR = "The database reporting could not be loaded: mend it."


def record(*, status: WeekStatus = WeekStatus.ACCEPTED_WITH_GAPS, fallbacks: int = 46) -> RunRecord:
    """A run with gaps and fallbacks."""
    published = replace(PUBLISHED, fallbacks_by_reason={"failed": fallbacks} if fallbacks else {})
    return record_of(ingest_of(completeness=replace(REPORT, status=status)), published)


def test_a_failure_says_what_is_still_published_and_what_to_do() -> None:
    """The error's own sentence has cause and remedy; a foreign one is named by its type, on one line."""
    stores = tuple(f"store {number}" for number in range(300))
    failed = run_failed(WEEK, RunError("It broke", "mend it"), date(1992, 4, 9))
    assert failed.title == "Week of 1992-04-16: the run failed"
    assert failed.body.splitlines() == [
        "It broke; mend it.",
        "Still published: the forecast of the week of 1992-04-09.",
        "Then run it again: oj run --cutoff 1992-04-16",
    ]
    foreign = run_failed(None, ValueError("a\nb"), None)
    assert foreign.title == "Forecast: the run failed"
    assert foreign.body == "ValueError: a\nNo forecast is published."
    long = run_failed(WEEK, WeekNotWhole(WEEK, stores, 0.1, 0.9), None).body.splitlines()
    assert len(long[0]) <= MOST_CHARACTERS_OF_ERROR
    assert long[2] == "Then run it again: oj run --cutoff 1992-04-16"


def test_a_week_that_waits_says_for_what() -> None:
    """The stores, ten by name, and the deadline with its zone."""
    gaps = [f"store {number}" for number in range(1, 13)]
    waiting = week_waiting(WEEK, gaps, DEADLINE, ORANGE_JUICE)
    assert waiting.title == "Week of 1992-04-16: waiting for 12 stores"
    assert waiting.body.splitlines() == [
        f"Missing: {', '.join(gaps[:10])} and 2 more.",
        "The run waits until 1992-04-25 06:00 UTC; put the files into the inbox, or:",
        'oj accept --week 1992-04-16 --reason "your reason"',
    ]
    empty = week_waiting(WEEK, [], DEADLINE, ORANGE_JUICE)
    assert empty.title == "Week of 1992-04-16: waiting for its files"
    assert empty.body.startswith("None of its files has arrived yet.")


def test_accepted_gaps_name_who_and_why() -> None:
    """Nobody has to open the completeness report."""
    notification = gaps_accepted(REPORT, ORANGE_JUICE)
    assert notification.title == "Week of 1992-04-16: published without 3 stores"
    assert notification.body == (
        "Accepted by anna, because: strike\nMissing: store 2, store 5, store 8 lacks brands 1, 2."
    )


def test_fallbacks_are_notified_above_the_alarm_only() -> None:
    """46 of 913 series are 5.04 %."""
    notification = many_fallbacks(record_of(), PUBLISHED, 0.05)
    assert notification
    assert notification.title == "Week of 1992-04-16: 5.0 % of the series on fallback"
    assert "46 of 913 series could not be forecast by price_response (failed 40, timed_out 6)" in notification.body
    assert many_fallbacks(record_of(), PUBLISHED, 46 / 913) is None
    assert many_fallbacks(record_of(), replace(PUBLISHED, fallbacks_by_reason={}), 0.0) is None


def test_late_files_are_one_event_for_the_same_files() -> None:
    """In whatever order; another file is another event."""
    notification = late_files(WEEK, ["b.csv", "a.csv"])
    assert notification.title == "Week of 1992-04-16: 2 late files"
    assert notification.body.startswith("Already published without a.csv, b.csv.")
    assert late_files(WEEK, ["a.csv", "b.csv"]).once == notification.once
    assert late_files(WEEK, ["a.csv", "b.csv", "c.csv"]).once != notification.once


def test_drift_is_notified_by_week_in_the_alarms_own_sentences() -> None:
    """With the command that shows more; also for a week that the run did not publish."""
    alarms = (
        alarm_of("They were too high already.", date(1992, 4, 9)),
        alarm_of("The forecasts are too high."),
        alarm_of("And off."),
    )
    earlier, newest = notifications_of(record_of(monitoring_of(alarms=alarms)), 0.05)
    assert earlier.title == "Week of 1992-04-09: the forecasts have drifted"
    assert newest.title == "Week of 1992-04-16: the forecasts have drifted"
    assert newest.body.splitlines() == [
        "The forecasts are too high.",
        "And off.",
        "Accuracy of the forecasts week by week: oj scores",
    ]
    assert drifted(WEEK, alarms[1:]).once == newest.once != drifted(WEEK, alarms[1:2]).once
    assert notifications_of(record_of(monitoring_of(error="KeyError")), 0.05) == []


def test_a_published_week_notifies_of_what_is_remarkable() -> None:
    """Accepted gaps, many fallbacks, a database's error, and late files of earlier weeks."""
    late = replace(ingest_of(), completeness=REPORT, late_files={date(1992, 4, 9): ("a.csv",)})
    found = notifications_of(record_of(late, PUBLISHED, DatabaseLoad("reporting", error=ERROR)), 0.05)
    assert [notification.title.split(": ")[1] for notification in found] == [
        "published without 3 stores",
        "5.0 % of the series on fallback",
        "published, but not in the database",
        "1 late file",
    ]
    assert found[2].body == ERROR
    assert found[3].week == date(1992, 4, 9)


def test_a_whole_week_needs_no_notification() -> None:
    """Nor do gaps within the minimum, which five weeks of six have, nor a run that has not published."""
    assert notifications_of(record(status=WeekStatus.CLOSED_WITH_GAPS, fallbacks=1), 0.05) == []
    assert notifications_of(record_of(ingest_of(completeness=REPORT)), 0.05) == []


def test_every_notification_fits_a_phone() -> None:
    """Subjects of 60 characters at most, and events that can be a file's name."""
    found = [
        run_failed(WEEK, RunError("a", "b"), None),
        week_waiting(WEEK, ["store 2"], DEADLINE, ORANGE_JUICE),
        gaps_accepted(REPORT, ORANGE_JUICE),
        many_fallbacks(record_of(), PUBLISHED, 0.0),
        late_files(WEEK, ["a.csv"]),
        database_not_loaded(WEEK, "The database reporting could not be loaded: nobody listens at that address."),
        drifted(WEEK, [alarm_of("Too high.")]),
    ]
    for notification in found:
        assert notification
        assert len(notification.title) <= 60
        assert (notification.once or "").replace("-", "").isalnum() or notification.once is None


def test_a_notification_has_the_words_of_the_definition() -> None:
    """Outlets and SKUs, not stores and brands."""
    panel = replace(ORANGE_JUICE, store=Key("outlet", "outlets"), product=Key("SKU", "SKUs"))
    accepted = gaps_accepted(REPORT, panel)
    assert accepted.title.endswith("published without 3 outlets")
    assert "Missing: outlet 2, outlet 5, outlet 8 lacks SKUs 1, 2." in accepted.body
    assert week_waiting(WEEK, ["outlet 2"], DEADLINE, panel).title.endswith("waiting for 1 outlet")
