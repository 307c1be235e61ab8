"""The Markdown artifacts of a run's page."""

import base64
import re
import subprocess
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from forecasting.contracts.errors import DataError, OptionError, TooManyFallbacks, WeekBusy, WeekNotWhole
from forecasting.core.completeness import Acceptance
from forecasting.pipeline.ingest import IngestResult
from forecasting.pipeline.model_selection import ModelChoice
from forecasting.pipeline.monitoring import MonitoringResult
from forecasting.pipeline.publication import PublishedForecast
from forecasting.presentation.artifacts import MOST_FALLBACKS, failure_artifact, run_artifacts, stage_artifacts
from forecasting.presentation.view import RunView
from tests.forecasting.presentation.material import alarm_of, monitoring_of, record_of, with_gaps

ERRORS = [
    WeekNotWhole(date(1992, 4, 23), ("store 2", "store 5"), 0.86, 0.9),
    DataError("No store has reported", "put its files into the inbox"),
    OptionError("cutoff=1992-04-17", "is not the first day of a week", "name the Thursday before"),
    WeekBusy(date(1992, 4, 23), "process 42"),
    TooManyFallbacks(date(1992, 4, 23), 51, 50, ("store 2 product 5: raised",)),
]


def pages(view: RunView) -> dict[str, str]:
    """The artifacts of a run by key."""
    return {artifact.key: artifact.markdown for artifact in run_artifacts(view)}


def page(result: object) -> str:
    """The artifact of a stage."""
    (artifact,) = stage_artifacts(result, record_of(result))
    return artifact.markdown


def test_every_store_and_row_is_accounted_for(published: RunView) -> None:
    """82 of 83 stores have reported, and the rows add up."""
    ingest = published.record.result(IngestResult)
    (artifact,) = stage_artifacts(ingest, published.record)
    assert artifact.key == "completeness"
    assert "| collected | 82 of 83 expected stores have reported\\: closed with gaps |" in artifact.markdown
    assert r"| **rows** | 4,477 = 4,477 accepted \+ 0 duplicates \+ 0 quarantined |" in artifact.markdown
    assert "| **gaps** | store 90 |" in artifact.markdown


def test_what_people_wrote_is_text() -> None:
    """Who accepted the gaps and why, notes on the inbox, and rules of the quarantine."""
    gaps = with_gaps()
    accepted = gaps.completeness.accepted
    assert accepted
    report = replace(gaps.completeness, accepted=Acceptance("*me*", "a | strike", accepted.when))
    markdown = page(replace(gaps, completeness=report, notes=("store 2 is *left*",)))
    assert r"| **accepted** | by \*me\*\: a \| strike |" in markdown
    assert r"not\_a\_number 300, cut\_row 150" in markdown
    assert r"| **inbox** | store 2 is \*left\* |" in markdown
    assert "| store 9 lacks the sales of 1992-04-16, 1992-04-17 |" in markdown


def test_an_alarm_comes_first() -> None:
    """Its sentence, as text, before the scores by step."""
    markdown = page(monitoring_of(alarms=(alarm_of("Too <b>high</b>."),)))
    assert "| alarm | Too \\<b\\>high\\</b\\>\\. |" in markdown
    assert r"| 1 week ahead | 24\.0 % | 115\.0 % | −7\.4 % | 83\.5 % | 94\.0 % |" in markdown


def test_a_stage_with_nothing_to_say_has_no_artifact() -> None:
    """Before a forecast has matured, and where the run fits the usual model."""
    for result in (MonitoringResult("mean"), ModelChoice("price_response", "always")):
        assert stage_artifacts(result, record_of(result)) == []
    assert "failed\\: KeyError" in page(MonitoringResult("mean", error="KeyError: 'units'"))


def test_a_model_that_was_asked_for_comes_first(published: RunView) -> None:
    """Then the fallbacks, with the meaning of each reason."""
    forecast = published.record.result(PublishedForecast)
    assert forecast
    record = replace(published.record, spec=replace(published.record.spec, model="price_response"))
    by_model = replace(forecast, series_by_model={"mean": 1, "price_response": 912})
    (artifact,) = stage_artifacts(by_model, record)
    assert "913 series × 2 weeks" in artifact.markdown
    markdown = artifact.markdown
    assert markdown.index(r"| price\_response | asked for | 912 |") < markdown.index("| mean | fallback | 1 |")
    assert r"| timed\_out | the model took longer than its timeout | 1 |" in markdown


def test_a_failed_series_is_named_with_its_reason(published: RunView) -> None:
    """Its product's name comes from outside and stays text."""
    markdown = pages(published)["fallbacks"]
    assert "## 1 series on fallback" in markdown
    (row,) = [line for line in markdown.splitlines() if line.startswith("| 2 |")]
    assert r"\*\*Evil\*\* \<img src=x" in row
    assert row.endswith(r"| timed\_out | the model took longer than its timeout |")


def test_many_failures_are_counted_beyond_the_first(published: RunView) -> None:
    """A page is not a table of thousands; without failures there is no such page."""
    failed = published.report.assign(reason=published.report["cutoff"].map(lambda cutoff: cutoff and "raised"))
    failed.loc[failed["kind"] == "actual", "reason"] = None
    markdown = pages(replace(published, report=failed))["fallbacks"]
    assert markdown.count("the model raised an error") == MOST_FALLBACKS
    assert f"{913 - MOST_FALLBACKS} more are in the published table" in markdown
    assert "fallbacks" not in pages(replace(published, report=published.report.assign(reason=pd.NA)))


def test_the_headline_has_a_chart_movers_and_no_markup_of_names(published: RunView) -> None:
    """The chart is a small PNG within the page, described in words too; names from outside stay text."""
    report = published.report.assign(product_name="**Evil** | <b>")
    markdown = pages(replace(published, report=report))["headline"]
    alternative, data = re.findall(r"!\[(.*?)\]\(data:image/png;base64,([^)]*)\)", markdown)[0]
    assert base64.b64decode(data).startswith(b"\x89PNG")
    assert len(data) < 60_000
    assert "Last sold, 1992-04-16" in alternative
    assert "1992-04-23" in alternative
    assert "cartons are expected in the week of 23 April 1992, " in markdown
    assert markdown.count(r"| \*\*Evil\*\* \| \<b\> |") == 10
    assert "only means add up" in markdown
    of_mean = replace(published.record, spec=replace(published.record.spec, point="mean"))
    assert "only means add up" not in pages(replace(published, record=of_mean))["headline"]


def test_the_commands_open_the_files_and_the_hashes_are_theirs(published: RunView) -> None:
    """What stands on the page is run: both tables are read; `sha256sum` agrees."""
    markdown = pages(published)["results"]
    commands = re.findall(r"```python\n(.*?)\n```", markdown, flags=re.DOTALL)
    rows = []
    for command in commands:
        scope: dict[str, object] = {}
        *lines, last = command.splitlines()
        exec("\n".join(lines), scope)  # noqa: S102 - the command of the page
        rows.append(len(eval(last, scope)))  # noqa: S307 - as above
    forecast = published.record.result(PublishedForecast)
    assert forecast
    assert rows == [forecast.rows, len(published.report)]
    assert f"{forecast.rows:,} rows, one per store, brand and week" in markdown
    for file in (forecast.path, published.lake.reports.table_path):
        summed = subprocess.run(["sha256sum", str(file)], capture_output=True, text=True, check=True).stdout  # noqa: S607
        assert f"`{summed.split()[0]}`" in markdown
    assert "could not be written; try again: `oj report`" in markdown


def test_every_step_of_the_lineage_has_its_counts_and_a_hash_that_can_be_checked(published: RunView) -> None:
    """From 82 files to the report; the command of the page gives the hash of the sales."""
    markdown = pages(published)["lineage"]
    steps = [line.split(" | ") for line in markdown.splitlines() if line.endswith("` |")]
    assert [(step[0], step[1]) for step in steps] == [
        ("| files that were sent", "82"),
        ("| sales up to 1992-04-16", "97"),
        ("| promotions announced up to 1992-04-16", "93"),
        ("| forecast", "1"),
        ("| report", "1"),
    ]
    assert steps[3][2] == "1,826"
    forecast = published.record.result(PublishedForecast)
    assert forecast
    assert f"Run id `{forecast.run_id}`" in markdown
    assert "913 series in 4 partitions" in markdown
    (command,) = re.findall(r"```sh\n(.*?)\n```", markdown)
    summed = subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout  # noqa: S602
    assert steps[1][4] == f"`{summed[:12]}` |"


def test_the_seconds_of_the_record_add_up(published: RunView) -> None:
    """What no stage took is the cluster's start and end."""
    markdown = pages(published)["record"]
    assert "| outcome | published, week of 1992-04-16 |" in markdown
    assert "| cluster up and down | 1.5 |" in markdown
    assert "| **in all** | **4.0** |" in markdown


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_failure_says_what_who_and_how(error: Exception) -> None:
    """The sentence is cut where its remedy begins."""
    markdown = failure_artifact(error).markdown.replace("\\", "")
    what, remedy = str(error).rsplit("; ", 1)
    assert f"## What went wrong\n\n{what}.\n\n## What to do\n\n{remedy[0].upper()}{remedy[1:]}" in markdown
    assert " must " in markdown.split("## What to do")[1]
    assert "stay published" in markdown


def test_an_error_that_nobody_expects_is_quoted() -> None:
    """A traceback is for the log; the page quotes the error as code, whatever is in it."""
    markdown = failure_artifact(KeyError("<b>```")).markdown
    assert "````\nKeyError: '<b>```'\n````" in markdown
    assert "Run the week again" in markdown
