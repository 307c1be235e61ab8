"""What people are told: the words, how often, and through which doors."""

import logging
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows import notify as notifying
from flows.notify import (
    Notification,
    alert_on_failure,
    database_not_loaded,
    drifted,
    gaps_accepted,
    late_files,
    many_fallbacks,
    notify,
    notify_drift,
    notify_published,
    run_failed,
    tell,
    week_waiting,
)
from forecasting.contracts.errors import RunError, WeekBusy, WeekNotWhole, WeekWaiting
from forecasting.pipeline.delivery import Delivery
from forecasting.storage.lake import Lake
from tests.sinks import http_sink, wait_long_for_targets, write_connections

WEEK = date(1992, 4, 16)
DEADLINE = datetime(1992, 4, 25, 6, 0, tzinfo=UTC)
LEDGER = {
    "status": "accepted with gaps",
    "missing": [2, 5],
    "incomplete": {8: "products 1, 2"},
    "accepted": {"by": "anna", "why": "strike", "when": "1992-04-24T08:00:00+00:00"},
}
RECEIPT = {
    "spec": {"cutoff": "1992-04-16", "model": "price_response"},
    "completeness": LEDGER,
    "series": 913,
    "fallbacks_by_reason": {"failed": 40, "timed_out": 6},
    "late_files": {},
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What would have been delivered, and one person who takes it."""
    sent: list[tuple[str, str]] = []

    def take(title: str, body: str) -> Delivery:
        sent.append((title, body))
        return Delivery(1)

    monkeypatch.setattr(notifying, "deliver", take)
    return sent


def test_a_failure_says_what_what_is_in_force_and_what_to_do() -> None:
    """The error's own sentence has cause and remedy; a foreign one is named by its type, on one line."""
    stores = tuple(f"store {number}" for number in range(300))
    failed = run_failed(WEEK, RunError("It broke", "mend it"), date(1992, 4, 9))
    assert failed.title == "Week of 1992-04-16: the run failed"
    assert failed.body.splitlines() == [
        "It broke; mend it.",
        "In force: the forecast of the week of 1992-04-09.",
        "Then run it again: oj run --cutoff 1992-04-16",
    ]
    foreign = run_failed(None, ValueError("a\nb"), None)
    assert foreign.title == "Orange juice forecast: the run failed"
    assert foreign.body == "ValueError: a\nNo forecast is in force."
    long = run_failed(WEEK, WeekNotWhole(WEEK, stores, 0.1, 0.9), None).body.splitlines()
    assert len(long[0]) <= notifying.MOST_CHARACTERS_OF_ERROR
    assert long[2] == "Then run it again: oj run --cutoff 1992-04-16"


def test_a_week_that_waits_says_for_what() -> None:
    """The stores, ten by name, and the deadline with its zone."""
    gaps = [f"store {number}" for number in range(1, 13)]
    waiting = week_waiting(WEEK, gaps, DEADLINE)
    assert waiting.title == "Week of 1992-04-16: waiting for 12 stores"
    assert waiting.body.splitlines() == [
        f"Missing: {', '.join(gaps[:10])} and 2 more.",
        "The run waits until 1992-04-25 06:00 UTC; put the files into the inbox, or:",
        'oj accept --week 1992-04-16 --reason "your reason"',
    ]
    empty = week_waiting(WEEK, [], DEADLINE)
    assert empty.title == "Week of 1992-04-16: waiting for its files"
    assert empty.body.startswith("Nothing of it has come yet.")


def test_accepted_gaps_name_who_and_why() -> None:
    """Nobody has to open the ledger."""
    notice = gaps_accepted(WEEK, LEDGER)
    assert notice.title == "Week of 1992-04-16: published without 3 stores"
    assert notice.body == ("Accepted by anna, because: strike\nMissing: store 2, store 5, store 8 lacks products 1, 2.")


def test_fallbacks_are_told_above_the_alarm_only() -> None:
    """46 of 913 series are 5.04 %."""
    notice = many_fallbacks(WEEK, RECEIPT, 0.05)
    assert notice
    assert notice.title == "Week of 1992-04-16: 5.0% of the series on fallback"
    assert "46 of 913 series could not be forecast by price_response (failed 40, timed_out 6)" in notice.body
    assert many_fallbacks(WEEK, RECEIPT, 46 / 913) is None
    assert many_fallbacks(WEEK, {**RECEIPT, "fallbacks_by_reason": {}}, 0.0) is None


def test_late_files_are_told_once_for_the_same_files(tmp_path: Path, told: list[tuple[str, str]]) -> None:
    """Another file is news."""
    lake = Lake(tmp_path)
    assert tell(lake, late_files(WEEK, ["b.csv", "a.csv"]))
    assert not tell(lake, late_files(WEEK, ["a.csv", "b.csv"]))
    assert tell(lake, late_files(WEEK, ["a.csv", "b.csv", "c.csv"]))
    assert [title for title, _ in told] == [f"Week of 1992-04-16: {count} late files" for count in (2, 3)]


def test_drift_is_told_once_in_the_alarms_own_sentences(tmp_path: Path, told: list[tuple[str, str]]) -> None:
    """Of the week that told it, with the command that shows more."""
    alarms = [
        {"week": str(WEEK), "sentence": "The forecasts are too high."},
        {"week": str(WEEK), "sentence": "And off."},
    ]
    notice = drifted(WEEK, alarms)
    assert notice.body.splitlines()[:2] == ["The forecasts are too high.", "And off."]
    for _ in range(2):
        notify_drift(Lake(tmp_path), {"alarms": alarms})
        notify_drift(Lake(tmp_path), {"error": "KeyError"})
    assert [title for title, _ in told] == ["Week of 1992-04-16: the forecasts are not what was promised"]


def test_a_correction_that_raises_an_alarm_of_an_earlier_week_is_told(
    tmp_path: Path, told: list[tuple[str, str]]
) -> None:
    """Also where the newest week was told before; so is what another promise raises of the same week."""
    newest = {"week": str(WEEK), "sentence": "The forecasts are too high."}
    earlier = {"week": "1992-04-09", "sentence": "They were too high already."}
    of_another = {"week": str(WEEK), "sentence": "So are those of another model."}
    for alarms in ([newest], [earlier, newest], [of_another]):
        notify_drift(Lake(tmp_path), {"alarms": alarms})
    assert [body.splitlines()[0] for _, body in told] == [each["sentence"] for each in (newest, earlier, of_another)]
    assert told[1][0] == "Week of 1992-04-09: the forecasts are not what was promised"


def test_a_week_is_told_once_of_each_kind(tmp_path: Path, told: list[tuple[str, str]]) -> None:
    """Also by a new process: what has been told stands in the lake."""
    for _ in range(2):
        notify_published(Lake(tmp_path), RECEIPT, 0.05)
        tell(Lake(tmp_path), week_waiting(WEEK, ["store 2"], DEADLINE))
    assert [title.split(": ")[1] for title, _ in told] == [
        "published without 3 stores",
        "5.0% of the series on fallback",
        "waiting for 1 store",
    ]
    assert all(body.endswith(f"Lake: {tmp_path.resolve()}") for _, body in told)


def test_a_database_that_was_not_loaded_is_told(tmp_path: Path, told: list[tuple[str, str]]) -> None:
    """Once a week, with the sentence that has cause and remedy."""
    completeness = LEDGER | {"status": "whole"}
    error = {"target": "reporting", "error": "The database reporting could not be loaded: mend it."}
    record = RECEIPT | {"completeness": completeness, "fallbacks_by_reason": {}, "database": error}
    notify_published(Lake(tmp_path), record, 0.05)
    notify_published(Lake(tmp_path), record, 0.05)
    [(title, body)] = told
    assert title == "Week of 1992-04-16: published, but not in the database"
    assert body.startswith(error["error"])


def test_a_whole_week_is_not_worth_a_word(tmp_path: Path, told: list[tuple[str, str]]) -> None:
    """Nor are gaps within the minimum, which five weeks of six have."""
    quiet = {**RECEIPT, "completeness": {**LEDGER, "status": "closed with gaps"}, "fallbacks_by_reason": {"failed": 1}}
    notify_published(Lake(tmp_path), quiet, 0.05)
    assert told == []


@pytest.mark.parametrize("delivery", [Delivery(0), Delivery(1, ("down",))], ids=["nobody named", "nobody reached"])
def test_what_reached_nobody_is_told_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    told: list[tuple[str, str]],
    delivery: Delivery,
) -> None:
    """It counts as told once somebody has it; the log says who has not."""
    lake, notice = Lake(tmp_path), week_waiting(WEEK, ["store 2"], DEADLINE)
    with monkeypatch.context() as patch:
        patch.setattr(notifying, "deliver", lambda title, body: delivery)
        assert not tell(lake, notice)
    assert caplog.messages == [f"A notification was not delivered: {failure}" for failure in delivery.failures]
    assert tell(lake, notice)


def test_telling_never_makes_a_run_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, told: list[tuple[str, str]]
) -> None:
    """A lake that cannot keep the marker, or an error that nobody foresaw, costs a line in the log."""
    (tmp_path / "notifications").write_text("in the way")
    assert tell(Lake(tmp_path), week_waiting(WEEK, ["store 2"], DEADLINE))
    assert "Notifying people met with trouble (FileExistsError)" in caplog.text
    monkeypatch.setattr(notifying, "deliver", lambda title, body: 1 / 0)
    assert not tell(Lake(tmp_path), week_waiting(WEEK, ["store 2"], DEADLINE))
    notify_published(Lake(tmp_path), {}, 0.05)
    assert "(ZeroDivisionError)" in caplog.text
    assert "(KeyError)" in caplog.text


def test_a_failed_run_tells_each_time_and_its_error_goes_on(tmp_path: Path, told: list[tuple[str, str]]) -> None:
    """A busy week, one that waits, and a stop by a person are not told."""
    broken = RunError("It broke", "mend it")
    for error in (broken, broken, WeekBusy(WEEK, "process 1"), WeekWaiting(WEEK, (), DEADLINE)):
        with pytest.raises(type(error)), alert_on_failure(Lake(tmp_path), WEEK):
            raise error
    with pytest.raises(KeyboardInterrupt), alert_on_failure(Lake(tmp_path), WEEK):
        raise KeyboardInterrupt
    with alert_on_failure(Lake(tmp_path), WEEK):
        pass
    assert [title for title, _ in told] == ["Week of 1992-04-16: the run failed"] * 2


@pytest.mark.usefixtures("prefect_server")
def test_the_flow_tells_through_a_real_target_and_fails_where_it_cannot(
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
    assert _told(documents) == [("A run crashed", "Look at it.")]
    with pytest.raises(RunError, match=r"1 of 1 were not notified: target 1 \(json\) could not be reached"):
        notify("A run crashed", "Look at it.")
    assert "s3cret" not in caplog.text


def test_every_notice_fits_a_phone() -> None:
    """Subjects of 60 characters at most, and no kind that is not a file's name."""
    notices: list[Notification | None] = [
        run_failed(WEEK, RunError("a", "b"), None),
        week_waiting(WEEK, ["store 2"], DEADLINE),
        gaps_accepted(WEEK, LEDGER),
        many_fallbacks(WEEK, RECEIPT, 0.0),
        late_files(WEEK, ["a.csv"]),
        database_not_loaded(WEEK, "The database reporting could not be loaded: nobody listens at that address."),
    ]
    for notice in notices:
        assert notice
        assert len(notice.title) <= 60
        assert (notice.once or "").replace("-", "").isalnum() or notice.once is None


def _told(documents: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(document["title"], document["message"]) for document in documents]
