"""What is printed of written files, database loads, scores and what-if questions."""

from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from rich.table import Table

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.metrics import LIVE_METRICS, METRICS, SUMS, with_metrics
from forecasting.pipeline.what_if import Answer
from forecasting.presentation import words
from forecasting.presentation.terminal.results import (
    WEEKS_SHOWN,
    scores_table,
    show_answer,
    show_exported,
    show_loaded,
    show_page,
)
from forecasting.presentation.words import metric_columns
from forecasting.storage.database import DatabaseLoad
from forecasting.storage.lake import Lake
from forecasting.storage.location import local_file
from tests.forecasting.presentation.terminal.printed import joined, text_of


def test_what_was_written_is_named(printed: StringIO) -> None:
    """The page, the exported file with its rows, and what was loaded."""
    show_page(local_file(Path("report/[b]1992-04-16.html")))
    show_exported(Path("[orders].xlsx"), date(1992, 4, 16), 1826)
    show_loaded(DatabaseLoad("reporting", (date(1992, 4, 16),), {"forecast": 1826}))

    text = joined(text_of(printed))
    assert joined("Report: report/[b]1992-04-16.html") in text
    assert joined("1,826 forecasts of the week of 1992-04-16 are in [orders].xlsx.") in text
    assert joined("The database reporting has new rows of 1 week (forecast 1,826).") in text


def scores_of(weeks: int, sold: float = 1000.0) -> pd.DataFrame:
    """Total rows of two steps a week; the first step is 10 % too high, the second 50 %; every second week is twice."""
    rows: list[dict[str, Any]] = []
    for number in range(weeks):
        week = pd.Timestamp("1992-01-02") + pd.Timedelta(weeks=number)
        for step, error in ((1, 0.1), (2, 0.5)):
            actual = sold * (1 + number % 2)
            sums = {"actual": actual, "forecast": actual * (1 + error), "absolute_error": actual * error}
            losses = {"naive_absolute_error": actual, "pinball": 1.0, "naive_pinball": 2.0}
            within = {"series": 10, "within_80": 8, "within_95": 10}
            key = {"cutoff": week - pd.Timedelta(weeks=step), "run_id": "x", "week": week, "step": step}
            others = dict.fromkeys(SUMS, 1.0)
            rows.append({**key, "dimension": "total", "member": "", **others, **sums, **losses, **within})
    return schemas.SCORES.cast(with_metrics(pd.DataFrame(rows)))


def shown(table: Table) -> list[str]:
    console = Console(width=80, file=StringIO(), force_terminal=False)
    console.print(table)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= 80
    return [" ".join(line.split()) for line in lines]


def test_each_week_is_shown_by_its_newest_forecast() -> None:
    """The first step, not the second; in all weeks together sums are divided, not shares averaged."""
    lines = shown(scores_table(scores_of(3), ORANGE_JUICE))
    for line, before in ((lines[1], "1992-01-02 1 10 1,000 "), (lines[4], "all 3 weeks 30 4,000 ")):
        assert line.startswith(before)
        cells = dict(zip((name for _, name, _ in metric_columns()), line.removeprefix(before).split(), strict=True))
        percent = {"wape": "10.0", "naive_wape": "100.0", "bias": "10.0", "coverage_80": "80.0", "coverage_95": "100.0"}
        assert cells.items() >= percent.items()


def test_a_metric_that_is_no_share_is_not_shown_in_percent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its value has two decimals, that of the naive forecast beside it too, and the caption says so."""
    metrics = {**METRICS, "wape": replace(METRICS["wape"], is_share=False)}
    live = [metrics[metric.name] for metric in LIVE_METRICS]
    monkeypatch.setattr(words, "METRICS", metrics)
    monkeypatch.setattr(words, "LIVE_METRICS", live)
    monkeypatch.setattr(words, "NAIVE_METRICS", [metric for metric in live if metric.name == "wape"])

    lines = shown(scores_table(scores_of(1), ORANGE_JUICE))

    assert lines[1].startswith("1992-01-02 1 10 1,000 0.10 1.00 10.0 80.0")
    assert "All but WAPE in percent." in " ".join(lines)


def test_many_weeks_and_large_numbers_fit() -> None:
    """The last half year, and every number whole."""
    lines = shown(scores_table(scores_of(40, sold=123_456_789), ORANGE_JUICE))
    assert len([line for line in lines if line.startswith("199")]) == WEEKS_SHOWN
    assert "123,456,789" in "".join(lines)


UNITS = {"forecast": 100.0, "lo_80": 80.0, "hi_80": 120.0, "lo_95": 70.0, "hi_95": 1300.0}
CALM = dict.fromkeys(ORANGE_JUICE.names, 0.0)
ANSWER = Answer(
    step=2,
    plan=CALM | {"price": 2.49, "deal": 0, "feat": 0.0},
    plan_known=True,
    asked=CALM | {"price": 1.99, "deal": 1, "feat": 0.5},
    by_plan=UNITS,
    by_asked={**UNITS, "forecast": 150.0},
    warnings=("The series has never had [bold]this price[/bold].",),
)


def test_plan_and_question_stand_side_by_side(printed: StringIO, lake: Lake) -> None:
    """The covariates of the panel by their labels, the units, both intervals, the change, and the warnings."""
    show_answer(lake, 5, 1, date(1992, 4, 30), "price_response", ANSWER)

    lines = [" ".join(line.split()) for line in text_of(printed).splitlines()]
    assert lines[0] == "Store 5, Tropicana (brand 1), week of 1992-04-30, 2 weeks ahead"
    assert lines[1] == "price deal advert cartons 80 % interval 95 % interval"
    assert lines[2] == "the plan $2.49 0 0 % 100 80–120 70–1,300"
    assert lines[3] == "what if $1.99 1 50 % 150 80–120 70–1,300"
    assert lines[4] == "+50 cartons (+50 %) against the plan"
    assert joined("The series has never had [bold]this price[/bold].") in joined(text_of(printed))


@pytest.mark.parametrize("forecast", [0.0, 100.0])
def test_an_assumed_plan_is_called_so(forecast: float, printed: StringIO, lake: Lake) -> None:
    """A change against nothing has no percent."""
    by_plan = {**UNITS, "forecast": forecast}
    answer = Answer(1, ANSWER.plan, False, ANSWER.asked, by_plan, ANSWER.by_asked, ())

    show_answer(lake, 5, 7, date(1992, 4, 30), "price_response", answer)

    text = text_of(printed)
    assert "assumed (no plan)" in text
    assert "Store 5, brand 7" in text
    assert ("%) against" in text) == bool(forecast)
