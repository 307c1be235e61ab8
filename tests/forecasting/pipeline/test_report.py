"""The page of a week, from what the lake holds; and that it never costs a run its forecast."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from forecasting.cli import app
from forecasting.clock import now
from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.errors import DataError
from forecasting.pipeline import report as reporting
from forecasting.presentation.html import Content, render
from forecasting.storage.files import write_json, write_table
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.html.material import (
    CUTOFF,
    earlier_forecasts,
    forecast_of,
    made_up,
    record,
    scores_of,
)

WEEK = CUTOFF.date()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with 30 weeks of sales and one published forecast."""
    content = made_up()
    lake = Lake(tmp_path / "lake")
    lake.prepare()
    lake.reference.write(_filled(content.stores, orange_juice.STORES), content.products.assign(ounces=64))
    lake.sales.add(content.actual)
    lake.promotions.add(content.report.assign(announced=content.report["week"].min()))
    _publish(lake, WEEK, "run-1", forecast_of(content.forecast[schemas.CELL], CUTOFF))
    return lake


def _filled(rows: pd.DataFrame, table: Any) -> pd.DataFrame:
    return rows.reindex(columns=table.columns)


def _publish(lake: Lake, cutoff: date, run_id: str, rows: pd.DataFrame, **more: str) -> None:
    for path in (lake.forecasts.path(cutoff), lake.forecasts.run_folder(cutoff, run_id) / "forecast.parquet"):
        write_table(path, rows, schemas.FORECAST, {"run_id": run_id, **more})
    write_json(lake.forecasts.run_folder(cutoff, run_id) / "manifest.json", {})


def _gathered(lake: Lake, monkeypatch: pytest.MonkeyPatch, so_far: dict[str, Any] | None = None) -> Content:
    """What the page of the week was made of."""
    contents: list[Content] = []

    def noted(content: Content, folder: str) -> Any:
        contents.append(content)
        return render(content, folder)

    monkeypatch.setattr(reporting, "render", noted)
    reporting.write_page(lake, WEEK, so_far)
    return contents[0]


def test_a_first_week_has_its_page(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sales up to the cutoff and the forecast in force; of all else nothing; the receipt is the run's own."""
    content = _gathered(lake, monkeypatch, record(outcome="running"))
    assert len(content.actual) == len(lake.sales.read())
    assert len(content.forecast) == 12
    assert content.record["outcome"] == "running"
    for nothing in (content.earlier, content.scores, content.alarms, content.corrections, content.replaced):
        assert len(nothing) == 0
    assert lake.reports.page_path(WEEK).read_text(encoding="utf-8").startswith("<!doctype html>")


def test_what_other_stages_keep_is_on_the_page(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Earlier forecasts and scores of sold weeks, the week's alarms, what was corrected and what was replaced."""
    content = made_up()
    before, old = WEEK - timedelta(weeks=1), lake.forecasts.read(WEEK)
    earlier = earlier_forecasts(content, 1)
    later = forecast_of(content.forecast[schemas.CELL], pd.Timestamp(before))
    _publish(lake, before, "run-0", pd.concat([earlier, later], ignore_index=True).drop_duplicates(schemas.CELL))
    scores = scores_of(earlier, content.actual).assign(run_id="run-0")
    write_table(lake.root / "scores" / str(before) / "run-0.parquet", scores, schemas.SCORES)
    for week in (before, WEEK):
        alarm = {"week": str(week), "sentence": f"Alarm of {week}."}
        write_json(lake.root / "alarms" / f"{week}.json", {"alarms": [alarm]})
    _publish(lake, WEEK, "run-2", old.assign(forecast=110.0), point="mean", model_version="0ff5138fb1ec")
    lake.runs.write(WEEK, now(), {"outcome": "published", "run_id": "run-1"})
    lake.runs.write(WEEK, now(), {"outcome": "published", "run_id": "run-2", "series": 6})
    lake.runs.write(WEEK, now(), {"outcome": "unchanged", "run_id": "run-2"})

    found = _gathered(lake, monkeypatch)

    assert set(found.earlier["week"]) == {CUTOFF}
    assert len(found.scores) == len(scores)
    assert [alarm["sentence"] for alarm in found.alarms] == [f"Alarm of {WEEK}."]
    assert found.replaced["forecast"].unique().tolist() == [100.0]
    assert found.point == "mean"
    assert found.record["series"] == 6
    html = lake.reports.page_path(WEEK).read_text(encoding="utf-8")
    assert "What moved since the forecast before" in html
    assert "0ff5138fb1ec" in html


def test_gaps_are_told_though_the_run_failed_after_it_had_published(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its receipt is none of a published run; the lake's ledger and the published file say what it would."""
    gaps = record()["completeness"] | {"missing": [2], "status": "accepted with gaps"}
    lake.completeness.write(WEEK, gaps)
    lake.runs.write(WEEK, now(), {"outcome": "failed", "run_id": "run-1"})
    _gathered(lake, monkeypatch)
    html = lake.reports.page_path(WEEK).read_text(encoding="utf-8")
    assert "Stores that did not report" in html
    assert "every expected store has reported" not in html


def test_the_run_that_publishes_knows_best(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its receipt goes before one that is kept of the same run, which was published before."""
    lake.runs.write(WEEK, now(), {"outcome": "published", "run_id": "run-1", "series": 5})
    mine = record(outcome="published", run_id="run-1", series=6)
    assert _gathered(lake, monkeypatch, mine).record["series"] == 6
    assert _gathered(lake, monkeypatch, mine | {"outcome": "unchanged"}).record["series"] == 5


def test_an_alarm_that_a_correction_raised_of_an_earlier_week_is_on_the_page(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the week's own, once each; one of a later week is not, as the page is of this one."""
    before, own, later = (
        {"week": str(week), "sentence": f"Alarm of {week}."}
        for week in (WEEK - timedelta(weeks=1), WEEK, WEEK + timedelta(weeks=1))
    )
    write_json(lake.root / "alarms" / f"{WEEK}.json", {"alarms": [own]})
    published = record(outcome="published", run_id="run-1", monitoring={"alarms": [own, before, later]})
    lake.runs.write(WEEK, now(), published)
    again = record(outcome="unchanged", run_id="run-1", monitoring={"alarms": [own]})
    for so_far in (published, again, None):
        assert _gathered(lake, monkeypatch, so_far).alarms == [own, before]


def test_a_page_that_fails_is_told_and_costs_nothing(lake: Lake, caplog: pytest.LogCaptureFixture) -> None:
    """The run goes on; its receipt has the error."""
    (lake.root / "sales" / f"{WEEK}.parquet").write_text("no Parquet")
    of_another_week = reporting.Reported(lake.reports.table_path, date(1992, 5, 7), pd.DataFrame())
    page = reporting.try_page(lake, WEEK, record(), of_another_week)
    assert "cannot be read from" in page["error"]
    assert f"The report of the week of {WEEK} could not be written" in caplog.text
    assert not lake.reports.page_path(WEEK).exists()


def test_a_week_without_forecast_has_no_page(lake: Lake) -> None:
    """The error names the newest that there is, and how to make the missing one."""
    with pytest.raises(DataError, match="No forecast is published for the week of 1992-05-07.*newest is 1992-04-16"):
        reporting.write_page(lake, date(1992, 5, 7))
    with pytest.raises(DataError, match="has no published forecast; make one first: oj run"):
        Lake(lake.root / "elsewhere").forecasts.newest()


def test_oj_report_prints_where_the_page_is(lake: Lake) -> None:
    """The newest week, where none is named; what is wrong ends in one sentence."""
    done = CliRunner().invoke(app, ["report", "--lake", str(lake.root)])
    assert done.exit_code == 0, done.output
    assert "Report: " in done.output
    assert "1992-04-16.html" in done.output.replace("\n", "")
    wrong = CliRunner().invoke(app, ["report", "--lake", str(lake.root), "--cutoff", "1992-05-07"])
    assert wrong.exit_code == 1


def test_the_parts_of_a_page_go_with_it(lake: Lake) -> None:
    """A page that needs fewer parts than the one before it leaves none of the old ones."""
    folder = lake.root / "report" / str(WEEK)
    folder.mkdir(parents=True)
    (folder / "000-old.js").write_text("")
    reporting.write_page(lake, WEEK)
    assert list(folder.iterdir()) == []
