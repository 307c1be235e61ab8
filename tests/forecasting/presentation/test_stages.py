"""What each stage says of its result."""

import logging
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from forecasting.compute.usage import ClusterUsage
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.comparison import ComparisonResult
from forecasting.core.revision import RevisedForecast, Revision
from forecasting.pipeline.baseline import BaselineResult
from forecasting.pipeline.challengers import Evaluation
from forecasting.pipeline.model_selection import ModelChoice
from forecasting.pipeline.monitoring import MonitoringResult
from forecasting.presentation.facts import Tone
from forecasting.presentation.stages import describe, revised, stages_of
from forecasting.storage.database import DatabaseLoad
from tests.forecasting.presentation.material import (
    alarm_of,
    full_record,
    ingest_of,
    monitoring_of,
    published_of,
    record_of,
    with_gaps,
)

MOST = RevisedForecast(5, 2, date(1992, 4, 23), 1, 120.4, 1340.0)
REVISION = Revision(912, 0, 0, 1e5, 99e3, (MOST, MOST))
REGISTERED = ModelChoice("price_response", "never", "0ff5138fb1ec", date(1992, 4, 16))
EVALUATION = Evaluation("mean", "abc", date(1992, 4, 16), promoted=True, why="pinball loss 3.00 against 6.00 cartons")


def said(result: object) -> dict[str, str]:
    """The facts of a result by name; facts of one name are joined."""
    found: dict[str, str] = {}
    for fact in describe(result, record_of(result)).facts:
        found[fact.name] = f"{found[fact.name]} / {fact.text}" if fact.name in found else fact.text
    return found


def test_every_store_and_row_is_accounted_for() -> None:
    """Stores, rows, gaps, who accepted them, quarantined rows by rule, corrections by week, late files, the inbox."""
    facts = said(with_gaps())
    assert facts == {
        "collected": "71 of 83 expected stores have reported: accepted with gaps",
        "rows": "4,477,000 = 4,476,000 accepted + 500 duplicates + 500 quarantined",
        "gaps": "store 8 lacks brands 1, 2, 3, store 9 lacks the sales of 1992-04-16, 1992-04-17, store 100, "
        "store 101, store 102, store 103 and 6 more",
        "accepted": "by Ada: strike",
        "quarantined": "not_a_number 300, cut_row 150, negative 50, unknown_store 1,234,567",
        "corrected": "rows with other units than before: 4,477 of the week of 1992-04-09, 1 of the week of "
        "1992-04-16; the lake keeps both",
        "late files": "week of 1992-04-02: b.csv, a.csv",
        "inbox": "store 2 is left in the inbox",
    }
    stage = describe(with_gaps(), record_of())
    assert [grid.title for grid in stage.grids] == ["Stores with gaps"]
    assert len(stage.grids[0].rows) == 12
    assert said(ingest_of()).keys() == {"collected", "rows"}


def test_what_is_no_sale_and_what_is_new_are_told_where_there_is_any() -> None:
    """Rows that were passed over, products that a store left out, stores and products that the lake did not know."""
    found = said(ingest_of(passed_over={"left_out": 2}, unsold=3, new_stores=(7,), new_products=("a\nb", "c")))
    assert found["rows"] == "6 = 6 accepted + 0 duplicates + 2 passed over + 0 quarantined"
    assert (found["passed over"], found["not sold"]) == ("left_out 2", "3 cells that files leave out: 0 cartons")
    assert found["new"] == "stores 7 / brands a\\nb, c"


def test_gaps_and_quarantined_rows_are_warnings() -> None:
    """They stand out in the log and in the terminal."""
    tones = {fact.name: fact.tone for fact in describe(with_gaps(), record_of()).facts}
    assert {name for name, tone in tones.items() if tone is Tone.WARNING} == {
        "gaps",
        "quarantined",
        "late files",
        "inbox",
    }


def test_scores_stand_by_step_in_percent() -> None:
    """Where nothing was sold there is no share."""
    stage = describe(monitoring_of(), record_of())
    assert [fact.text for fact in stage.facts] == [
        "week of 1992-04-30, 1 week ahead: WAPE 24.0 % (naive 115.0 %), bias −7.4 %",
        "week of 1992-04-30, 2 weeks ahead: WAPE – (naive 115.0 %), bias −7.4 %",
    ]
    assert stage.grids[0].head == ("forecast", "WAPE", "naive", "bias", "in 80 %", "in 95 %")
    assert stage.grids[0].rows[0] == ("1 week ahead", "24.0 %", "115.0 %", "−7.4 %", "83.5 %", "94.0 %")
    assert "is compared with the baseline" in stage.notes[1]
    assert "drift is not detected" in describe(monitoring_of(is_monitored=False), record_of()).notes[1]


def test_an_alarm_comes_first() -> None:
    """Its sentence, as an alarm; an error and a new baseline are facts too; before a forecast matures there is none."""
    stage = describe(monitoring_of(alarms=(alarm_of("Too <b>high</b>."),)), record_of())
    assert (stage.facts[0].text, stage.facts[0].tone, stage.facts[0].level) == (
        "Too <b>high</b>.",
        Tone.ALARM,
        logging.WARNING,
    )
    assert said(MonitoringResult("mean", error="KeyError: 'units'")) == {"monitoring": "failed: KeyError: 'units'"}
    assert said(MonitoringResult("mean")) == {}
    assert said(BaselineResult(52)) == {
        "baseline": "built from a backtest of 52 past weeks; drift is monitored from now on"
    }


def test_the_usual_choice_of_model_needs_no_words() -> None:
    """A run that fitted its own model."""
    assert said(ModelChoice("price_response", "always")) == {}


def test_a_registered_model_is_named_with_its_age() -> None:
    """Family, version, and the last week that it was trained on."""
    assert said(REGISTERED) == {"model": "price_response 0ff5138fb1ec, trained on weeks up to 1992-04-16"}


def test_an_evaluation_has_its_cause_and_its_end() -> None:
    """The alarm, who was promoted or not, and why."""
    after = replace(REGISTERED, alarm="The forecasts are twice what was sold.", evaluation=EVALUATION)
    assert said(after)["challengers"] == (
        "after an alarm (The forecasts are twice what was sold.) mean was promoted: pinball loss 3.00 against 6.00 "
        "cartons"
    )
    worse = replace(EVALUATION, promoted=False, candidates={"mean": ComparisonResult(12, 6.0, 5.9, 0.4)})
    assert said(replace(REGISTERED, evaluation=worse))["challengers"].startswith("mean was not better beyond chance: ")
    assert said(replace(REGISTERED, error="KeyError"))["challengers"] == "the evaluation failed: KeyError"


def test_one_that_is_only_registered_is_not_called_worse() -> None:
    """A past week got a model of its own; a better one came too late, as the champion was replaced meanwhile."""
    better = {"mean": ComparisonResult(12, 6.0, 3.0, 0.001)}
    for candidates in ({}, better):
        kept = replace(REGISTERED, evaluation=replace(EVALUATION, promoted=False, candidates=candidates))
        assert said(kept)["challengers"].startswith("mean was registered, and not promoted: pinball")


def test_a_revision_says_how_far() -> None:
    """Series, totals, and the biggest change; series that came or went; none at all."""
    assert revised(REVISION, ORANGE_JUICE) == (
        "912 series by more than one carton; in all 100,000 → 99,000; most: store 5 brand 2, week of 1992-04-23: "
        "120 → 1,340"
    )
    assert "11 series are new, 0 are gone" in revised(Revision(0, 11, 0, 1e5, 99e3), ORANGE_JUICE)
    assert revised(Revision(0, 0, 0, 1e5, 99e3), ORANGE_JUICE).startswith("nothing by more than one carton")


def test_a_published_forecast_names_models_and_reasons(tmp_path: Path) -> None:
    """The model that was asked for comes first; each reason is explained."""
    stage = describe(published_of(tmp_path), record_of())
    assert stage.facts[0].text == "913,000 series × 26 weeks by price_response (median)"
    assert stage.grids[0].rows == (("price_response", "asked for", "912,994"), ("mean", "fallback", "6"))
    assert ("timed_out", "the model took longer than its timeout", "2") in stage.grids[1].rows
    whole = published_of(tmp_path, fallbacks_by_reason={}, is_new=False, revision=None, rows_without_plan=0)
    assert said(whole)["forecast"].endswith(", none on fallback")
    assert said(whole)["published"] == "1,826,000 rows, unchanged"
    assert describe(whole, record_of()).notes == ("No series failed, and none was refused.",)


def test_a_cluster_says_what_is_left_and_what_it_cost(tmp_path: Path) -> None:
    """Processes that survived stand out; a cost is there where a price was given."""
    usage = ClusterUsage(workers=2, seconds_busy=3.0, worker_seconds={"computing": 5.0}, tasks=5, lost_tasks=1)
    assert said(usage)["cluster"].endswith("no worker is left")
    assert said(usage)["worker seconds"] == "5.0 provisioned: 3.0 busy, 2.0 idle"
    left = replace(usage, left_over=(42,), instance_seconds=36.0, price_per_instance_hour=1.25)
    stage = describe(left, record_of(published_of(tmp_path, rows=1000)))
    facts = {fact.name: fact for fact in stage.facts}
    assert (facts["cluster"].tone, facts["cluster"].text[-17:]) == (Tone.ALARM, "STILL RUNNING: 42")
    assert facts["cost"].text == "0.0125, 0.0125 per 1,000 forecasts"
    assert said(left)["cost"] == "0.0125"
    assert said(replace(usage, kind="tls://there"))["cluster"].endswith("left to its owner")


def test_a_database_says_what_was_loaded_or_why_not() -> None:
    """Weeks and rows by table, or the error's sentence."""
    load = DatabaseLoad("reporting", (date(1992, 4, 16),), {"sales": 913})
    assert said(load) == {"database": "reporting has new rows of 1 week (sales 913)"}
    assert said(replace(load, rows={})) == {"database": "reporting has new rows of 1 week (only rows removed)"}
    assert said(DatabaseLoad("reporting")) == {"database": "reporting agrees with the files already"}
    assert said(DatabaseLoad("reporting", error="It is down; start it.")) == {"database": "It is down; start it"}


@dataclass(frozen=True)
class WeatherResult:
    """A stage that nobody has described."""

    station: str
    degrees: float
    by_day: dict[str, int]
    missing: tuple[str, ...] = ()


def test_a_stage_without_a_description_is_shown_field_by_field() -> None:
    """As a result, and in a record, which knows it by name only."""
    result = WeatherResult("Chicago", 12.5, {"Thursday": 3})
    for stage in (describe(result, record_of()), stages_of(record_of(result))[0]):
        assert (stage.key, stage.title) == ("weather-result", "Weather")
        assert [(fact.name, fact.text) for fact in stage.facts] == [
            ("weather: station", "Chicago"),
            ("weather: degrees", "12.5"),
            ("weather: by day: Thursday", "3"),
        ]


def test_the_stages_of_a_record_come_in_the_order_of_the_run(tmp_path: Path) -> None:
    """Each with its result read back from JSON."""
    record = full_record(tmp_path / "report.parquet")
    again = type(record).from_json(record.to_json())
    assert [stage.key for stage in stages_of(again)] == ["completeness", "cluster", "outcome", "report", "database"]
    assert stages_of(again) == stages_of(record)
