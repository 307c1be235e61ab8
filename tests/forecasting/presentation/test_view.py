"""The view of a run."""

import logging
from pathlib import Path

from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.run_record import Outcome, RunFailure
from forecasting.presentation.view import RunView, log_lines, run_facts, seconds_line, seconds_of
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.material import full_record, made_up, published_of, record_of, with_gaps


def test_the_log_says_it_in_plain_words(tmp_path: Path) -> None:
    """One line a fact; a path comes with what is in it; details are left out."""
    lines = log_lines(with_gaps(), record_of())
    assert lines[0] == (logging.INFO, "Collected: 71 of 83 expected stores have reported: accepted with gaps.")
    assert (logging.WARNING, "Inbox: store 2 is left in the inbox.") in lines
    published = [text for _, text in log_lines(published_of(tmp_path), record_of())]
    assert f"Published: {tmp_path} (1,826,000 rows)." in published
    assert not any(text.startswith("Run id") for text in published)


def test_the_seconds_add_up() -> None:
    """What no stage took is the cluster's start and end; what was around the run is Prefect's."""
    record = record_of(seconds_by_stage={"collect": 0.5, "forecast": 2.0, "total": 4.0})
    assert seconds_of(record) == [("collect", 0.5), ("forecast", 2.0), ("cluster up and down", 1.5)]
    assert seconds_line(record, 6.0) == "6.0 s: Prefect 2.0, collect 0.5, forecast 2.0, cluster up and down 1.5"
    assert seconds_line(record_of(seconds_by_stage={"collect": 0.01, "total": 0.02})) == "0.0 s"


def test_a_run_says_what_was_asked_and_how_it_ended() -> None:
    """The error of a run that failed is among its facts."""
    assert [(fact.name, fact.text) for fact in run_facts(record_of())] == [
        ("outcome", "published, week of 1992-04-16"),
        ("asked for", "26 weeks by price_response, the median as point"),
        ("started", "1992-04-23 06:00:00 UTC"),
    ]
    failed = record_of(outcome=Outcome.FAILED, error=RunFailure("DataError", "It is dry; pour."))
    assert [fact.text for fact in run_facts(failed)][-1] == "It is dry; pour."


def test_a_view_holds_the_run_and_its_report(tmp_path: Path) -> None:
    """The page is there once it is written."""
    lake = Lake(tmp_path)
    view = RunView(full_record(tmp_path / "report.parquet"), made_up().report, lake, ORANGE_JUICE)
    assert view.title == "Week of 1992-04-16: published"
    assert view.headline.amount == "600 cartons"
    assert view.fallbacks == ()
    assert len(view.movers(1)) <= 2
    assert view.page is None
    path = lake.reports.page_path(view.record.week)
    Path(path.parent).mkdir(parents=True)
    path.write_text("")
    assert RunView(view.record, view.report, lake, ORANGE_JUICE).page == path
