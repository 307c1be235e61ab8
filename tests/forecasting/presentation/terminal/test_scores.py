"""What is printed of matured forecasts: within 80 columns, and the sums of all weeks before their shares."""

from io import StringIO
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from forecasting.contracts import schemas
from forecasting.presentation.terminal.scores import WEEKS_SHOWN, scores_table


def scores_of(weeks: int, sold: float = 1000.0) -> pd.DataFrame:
    """Total rows of two steps a week; the first step is 10 % too high, the second 50 %; every second week is twice."""
    rows: list[dict[str, Any]] = []
    for number in range(weeks):
        week = pd.Timestamp("1992-01-02") + pd.Timedelta(weeks=number)
        for step, error in ((1, 0.1), (2, 0.5)):
            actual = sold * (1 + number % 2)
            sums = {"actual": actual, "forecast": actual * (1 + error), "absolute_error": actual * error}
            losses = {"naive_absolute_error": actual, "pinball": 1.0, "naive_pinball": 2.0}
            shares = {"wape": error, "naive_wape": 1.0, "bias": error, "coverage_80": 0.8, "coverage_95": 1.0}
            within = {"series": 10, "within_80": 8, "within_95": 10}
            key = {"cutoff": week - pd.Timedelta(weeks=step), "run_id": "x", "week": week, "step": step}
            rows.append({**key, "dimension": "total", "member": "", **sums, **losses, **shares, **within})
    return schemas.SCORES.cast(pd.DataFrame(rows))


def printed(table: Table) -> list[str]:
    console = Console(width=80, file=StringIO(), force_terminal=False)
    console.print(table)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= 80
    return [" ".join(line.split()) for line in lines]


def test_each_week_is_shown_by_its_newest_forecast() -> None:
    """The first step, not the second; in all weeks together sums are divided, not shares averaged."""
    lines = printed(scores_table(scores_of(3)))
    assert lines[1] == "1992-01-02 1 10 1,000 10.0 100.0 10.0 80.0 100.0"
    assert lines[4] == "all 3 weeks 30 4,000 10.0 100.0 10.0 80.0 100.0"


def test_many_weeks_and_large_numbers_fit() -> None:
    """The last half year, and every number whole."""
    lines = printed(scores_table(scores_of(40, sold=123_456_789)))
    assert len([line for line in lines if line.startswith("199")]) == WEEKS_SHOWN
    assert "123,456,789" in "".join(lines)
