"""Notifications: how often people get them, and by which ways."""

import logging
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows import notify as notifying
from flows.notify import Alerts, alert_on_failure, notify, send
from forecasting.contracts.errors import RunError, WeekBusy, WeekWaiting
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.completeness import WeekStatus
from forecasting.pipeline.delivery import Delivery
from forecasting.pipeline.monitoring import MonitoringResult
from forecasting.presentation.notifications import late_files, week_waiting
from forecasting.storage.database import DatabaseLoad
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.material import (
    ACCEPTED_WITH_GAPS,
    WEEK,
    alarm_of,
    ingest_of,
    monitoring_of,
    published_of,
    record_of,
)
from tests.sinks import http_sink, wait_long_for_targets, write_connections

DEADLINE = datetime(1992, 4, 25, 6, 0, tzinfo=UTC)
INGEST = ingest_of(completeness=ACCEPTED_WITH_GAPS)
PUBLISHED = published_of(Path("forecast.parquet"), series=913, fallbacks_by_reason={"failed": 40, "timed_out": 6})


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What would have been delivered, and one person who takes it."""
    sent: list[tuple[str, str]] = []

    def take(title: str, body: str) -> Delivery:
        sent.append((title, body))
        return Delivery(1)

    monkeypatch.setattr(notifying, "deliver", take)
    return sent


def test_people_are_notified_of_late_files_once_for_the_same_files(tmp_path: Path, sent: list[tuple[str, str]]) -> None:
    """Another file is news."""
    lake = Lake(tmp_path)
    assert send(lake, late_files(WEEK, ["b.csv", "a.csv"]))
    assert not send(lake, late_files(WEEK, ["a.csv", "b.csv"]))
    assert send(lake, late_files(WEEK, ["a.csv", "b.csv", "c.csv"]))
    assert [title for title, _ in sent] == [f"Week of 1992-04-16: {count} late files" for count in (2, 3)]


def test_drift_is_notified_at_once_and_once(tmp_path: Path, sent: list[tuple[str, str]]) -> None:
    """In the sentences of the alarms, before the run ends; neither its end nor a later run repeats it."""
    found = monitoring_of(alarms=(alarm_of("The forecasts are too high."), alarm_of("And off.")))
    for _ in range(2):
        alerts = Alerts(Lake(tmp_path), 0.05)
        alerts.stage_finished(found, record_of(found))
        assert [body.splitlines()[:2] for _, body in sent] == [["The forecasts are too high.", "And off."]]
        alerts.run_finished(record_of(found))
        Alerts(Lake(tmp_path), 0.05).stage_finished(MonitoringResult("mean", error="KeyError"), record_of())
    assert [title for title, _ in sent] == ["Week of 1992-04-16: the forecasts have drifted"]


def test_a_correction_that_raises_an_alarm_of_an_earlier_week_is_notified(
    tmp_path: Path, sent: list[tuple[str, str]]
) -> None:
    """Also where people were notified of the newest week before; so is what another model raises in the same week."""
    newest = alarm_of("The forecasts are too high.")
    earlier = alarm_of("They were too high already.", date(1992, 4, 9))
    of_another = alarm_of("So are those of another model.")
    for alarms in ((newest,), (earlier, newest), (of_another,)):
        found = monitoring_of(alarms=alarms)
        Alerts(Lake(tmp_path), 0.05).stage_finished(found, record_of(found))
    assert [body.splitlines()[0] for _, body in sent] == [each.sentence for each in (newest, earlier, of_another)]
    assert sent[1][0] == "Week of 1992-04-09: the forecasts have drifted"


def test_people_are_notified_once_of_each_event_of_a_week(tmp_path: Path, sent: list[tuple[str, str]]) -> None:
    """Also by a new process: what was sent stands in the lake."""
    for _ in range(2):
        Alerts(Lake(tmp_path), 0.05).run_finished(record_of(INGEST, PUBLISHED))
        send(Lake(tmp_path), week_waiting(WEEK, ["store 2"], DEADLINE, ORANGE_JUICE))
    assert [title.split(": ")[1] for title, _ in sent] == [
        "published without 3 stores",
        "5.0 % of the series on fallback",
        "waiting for 1 store",
    ]
    assert all(body.endswith(f"Lake: {tmp_path.resolve()}") for _, body in sent)


def test_a_database_that_was_not_loaded_is_notified(tmp_path: Path, sent: list[tuple[str, str]]) -> None:
    """Once a week, with the sentence that has cause and remedy."""
    error = "The database reporting could not be loaded: mend it."
    whole = ingest_of(completeness=replace(INGEST.completeness, status=WeekStatus.WHOLE))
    record = record_of(whole, published_of(Path("forecast.parquet")), DatabaseLoad("reporting", error=error))
    for _ in range(2):
        Alerts(Lake(tmp_path), 0.05).run_finished(record)
    [(title, body)] = sent
    assert title == "Week of 1992-04-16: published, but not in the database"
    assert body.startswith(error)


def test_a_week_without_anything_remarkable_sends_nothing(tmp_path: Path, sent: list[tuple[str, str]]) -> None:
    """Nor do gaps within the minimum, which five weeks of six have."""
    closed = ingest_of(completeness=replace(INGEST.completeness, status=WeekStatus.CLOSED_WITH_GAPS))
    published = published_of(Path("forecast.parquet"), series=913, fallbacks_by_reason={"failed": 1})
    Alerts(Lake(tmp_path), 0.05).run_finished(record_of(closed, published))
    assert sent == []


@pytest.mark.parametrize("delivery", [Delivery(0), Delivery(1, ("down",))], ids=["nobody named", "nobody reached"])
def test_what_reached_nobody_is_sent_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    sent: list[tuple[str, str]],
    delivery: Delivery,
) -> None:
    """It counts as sent once somebody has it; the log says who has not."""
    lake, notice = Lake(tmp_path), week_waiting(WEEK, ["store 2"], DEADLINE, ORANGE_JUICE)
    with monkeypatch.context() as patch:
        patch.setattr(notifying, "deliver", lambda title, body: delivery)
        assert not send(lake, notice)
    assert caplog.messages == [f"A notification was not delivered: {failure}" for failure in delivery.failures]
    assert send(lake, notice)


def test_a_notification_never_makes_a_run_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, sent: list[tuple[str, str]]
) -> None:
    """A lake that cannot remember it, or an error that nobody expects, costs a line in the log."""
    (tmp_path / "notifications").write_text("in the way")
    assert send(Lake(tmp_path), week_waiting(WEEK, ["store 2"], DEADLINE, ORANGE_JUICE))
    assert "A notification failed: " in caplog.text
    monkeypatch.setattr(notifying, "deliver", lambda title, body: 1 / 0)
    assert not send(Lake(tmp_path), week_waiting(WEEK, ["store 2"], DEADLINE, ORANGE_JUICE))
    assert "A notification failed: ZeroDivisionError" in caplog.text


def test_each_failed_run_is_notified_and_its_error_goes_on(tmp_path: Path, sent: list[tuple[str, str]]) -> None:
    """A busy week, one that waits, and a stop by a person send nothing."""
    broken = RunError("It broke", "mend it")
    for error in (broken, broken, WeekBusy(WEEK, "process 1"), WeekWaiting(WEEK, (), DEADLINE)):
        with pytest.raises(type(error)), alert_on_failure(Lake(tmp_path), WEEK):
            raise error
    with pytest.raises(KeyboardInterrupt), alert_on_failure(Lake(tmp_path), WEEK):
        raise KeyboardInterrupt
    with alert_on_failure(Lake(tmp_path), WEEK):
        pass
    assert [title for title, _ in sent] == ["Week of 1992-04-16: the run failed"] * 2


@pytest.mark.usefixtures("prefect_server")
def test_the_flow_reaches_a_real_target_and_fails_where_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What the deployment `notify/notify` runs: a target that refuses turns its run red, without its address."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OJ_HOME", str(tmp_path))
    assert notify("nobody", "hears") == 0
    wait_long_for_targets(monkeypatch)
    with http_sink() as (port, documents):
        write_connections(tmp_path, f'notify = "json://user:s3cret@127.0.0.1:{port}"')
        assert notify("A run crashed", "Look at it.") == 1
    assert _sent(documents) == [("A run crashed", "Look at it.")]
    with pytest.raises(RunError, match=r"1 of 1 were not notified: target 1 \(json\) could not be reached"):
        notify("A run crashed", "Look at it.")
    assert "s3cret" not in caplog.text


def _sent(documents: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(document["title"], document["message"]) for document in documents]
