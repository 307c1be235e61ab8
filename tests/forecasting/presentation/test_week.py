"""What the page of a week shows, gathered from the lake."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.run_record import Outcome, RunRecord
from forecasting.core.completeness import WeekStatus
from forecasting.presentation.html import write_page
from forecasting.presentation.week import WeekView, week_view
from forecasting.storage.files import write_json, write_table
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.material import (
    CUTOFF,
    WEEK,
    alarm_of,
    earlier_forecasts,
    forecast_of,
    ingest_of,
    made_up,
    monitoring_of,
    published_of,
    record_of,
    scores_of,
)

BEFORE = WEEK - timedelta(weeks=1)


@pytest.fixture
def lake(page_lake: Lake) -> Lake:
    """A lake with 30 weeks of sales and one published forecast."""
    return page_lake


def publish(lake: Lake, cutoff: date, run_id: str, rows: pd.DataFrame, **more: str) -> None:
    """Publish a forecast, and keep it as a run's."""
    write_json(lake.forecasts.run_folder(cutoff, run_id) / "manifest.json", {})
    for path in (lake.forecasts.path(cutoff), lake.forecasts.run_folder(cutoff, run_id) / "forecast.parquet"):
        write_table(path, rows, orange_juice.FORECAST, {"run_id": run_id, **more})


def run_of(lake: Lake, run_id: str, series: int, *results: object, **changed: Any) -> RunRecord:
    """A run that published."""
    return record_of(published_of(Path(lake.forecasts.path(WEEK)), run_id=run_id, series=series), *results, **changed)


def series_of(week: WeekView) -> int:
    """How many series the run of the page published."""
    assert week.record
    published = week.record.results["published_forecast"]
    assert isinstance(published, dict)
    return int(published["series"])


def test_a_first_week_has_its_page(lake: Lake) -> None:
    """Sales up to the cutoff and the published forecast; of all else nothing; the record is the run's own."""
    mine = record_of(ingest_of(), outcome=Outcome.RUNNING)
    week = week_view(lake, WEEK, mine)
    assert len(week.actual) == len(lake.sales.read())
    assert len(week.forecast) == 12
    assert week.record == mine
    for nothing in (week.earlier, week.scores, week.alarms, week.corrections, week.replaced):
        assert len(nothing) == 0
    assert week.revision is None
    assert write_page(lake, WEEK, mine).read_text().startswith("<!doctype html>")


def test_what_other_stages_keep_is_on_the_page(lake: Lake) -> None:
    """Earlier forecasts and scores of sold weeks, the week's alarms, what was corrected and what was replaced."""
    made, old = made_up(), lake.forecasts.read(WEEK)
    earlier = earlier_forecasts(made, 1)
    later = forecast_of(made.forecast[schemas.CELL], pd.Timestamp(BEFORE))
    publish(lake, BEFORE, "run-0", pd.concat([earlier, later], ignore_index=True).drop_duplicates(schemas.CELL))
    scores = scores_of(earlier, made.actual).assign(run_id="run-0")
    lake.monitoring.write_scores(BEFORE, "run-0", scores, {})
    for week in (BEFORE, WEEK):
        lake.monitoring.add_alarms(week, "key", [alarm_of(f"Alarm of {week}.", week)])
    publish(lake, WEEK, "run-2", old.assign(forecast=110.0), point="mean", model_version="0ff5138fb1ec")
    for number, (run_id, outcome) in enumerate(
        (("run-1", Outcome.PUBLISHED), ("run-2", Outcome.PUBLISHED), ("run-2", Outcome.UNCHANGED))
    ):
        started = record_of().started + timedelta(seconds=number)
        lake.runs.write(run_of(lake, run_id, number, outcome=outcome, started=started))

    found = week_view(lake, WEEK)

    assert set(found.earlier["week"]) == {CUTOFF}
    assert len(found.scores) == len(scores)
    assert [alarm.sentence for alarm in found.alarms] == [f"Alarm of {WEEK}."]
    assert found.replaced["forecast"].unique().tolist() == [100.0]
    assert (found.point, found.version, found.run_id) == ("mean", "0ff5138fb1ec", "run-2")
    assert series_of(found) == 1
    html = write_page(lake, WEEK).read_text()
    assert "Revision of the forecast" in html
    assert "0ff5138fb1ec" in html


def test_gaps_are_shown_though_the_run_failed_after_it_had_published(lake: Lake) -> None:
    """Its record is none of a published run; the lake's completeness and the published file say what it would."""
    whole = ingest_of().completeness
    gaps = {"missing": (2,), "received": (1, 3), "status": WeekStatus.ACCEPTED_WITH_GAPS}
    lake.completeness.write(type(whole)(**{**vars(whole), **gaps}))
    lake.runs.write(run_of(lake, "run-1", 6, outcome=Outcome.FAILED))
    html = write_page(lake, WEEK).read_text()
    assert "Stores with gaps" in html
    assert "every expected store has reported" not in html
    assert "2 of 3 expected stores have reported: accepted with gaps" in html


def test_the_run_that_publishes_knows_best(lake: Lake) -> None:
    """Its record goes before one that is kept of the same run, which was published before."""
    lake.runs.write(run_of(lake, "run-1", 5))
    assert series_of(week_view(lake, WEEK, run_of(lake, "run-1", 6))) == 6
    assert series_of(week_view(lake, WEEK, run_of(lake, "run-1", 6, outcome=Outcome.UNCHANGED))) == 5


def test_an_alarm_that_a_correction_raised_of_an_earlier_week_is_on_the_page(lake: Lake) -> None:
    """Beside the week's own, once each; one of a later week is not, as the page is of this one."""
    before, own, later = (alarm_of(f"Alarm of {week}.", week) for week in (BEFORE, WEEK, WEEK + timedelta(weeks=1)))
    lake.monitoring.add_alarms(WEEK, "key", [own])
    published = run_of(lake, "run-1", 6, monitoring_of(alarms=(own, before, later)))
    lake.runs.write(published)
    again = run_of(lake, "run-1", 6, monitoring_of(alarms=(own,)), outcome=Outcome.UNCHANGED)
    for under_way in (published, again, None):
        assert week_view(lake, WEEK, under_way).alarms == (own, before)


def test_the_facts_of_a_week_name_no_file_of_the_machine(lake: Lake) -> None:
    """Data, model, run and seconds are there; the page may be sent to anybody."""
    facts = {fact.name: fact.text for fact in week_view(lake, WEEK, run_of(lake, "run-1", 6, ingest_of())).facts}
    assert facts["data"] == "180 rows of sales, 26 September 1991 to 16 April 1992, 3 stores, 2 brands"
    assert facts["models"] == "mean (6 series)"
    assert facts["rows"] == "6 = 6 accepted + 0 duplicates + 0 quarantined"
    assert facts["seconds"].startswith("700.0 s: collect 99.9")
    assert not any(str(lake.root) in text for text in facts.values())


def test_names_that_several_have_come_with_their_ids() -> None:
    """So that each can be chosen; a store without a name has its id."""
    week = made_up(names=["Milk", "Milk", "Main Street"])
    assert week.product_names == {1: "Milk (1)", 2: "Milk (2)"}
    assert week.store_names == {1: "Main Street", 2: "2", 3: "3"}
