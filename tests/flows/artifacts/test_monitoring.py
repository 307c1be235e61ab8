"""The page of matured forecasts."""

from typing import Any

import pytest
from flows.artifacts import monitoring
from flows.artifacts.monitoring import monitoring_markdown, show_monitoring

SCORES = {"wape": 0.2398, "naive_wape": 1.1499, "bias": -0.0739, "coverage_80": 0.8346, "coverage_95": 0.9397}
QUIET: dict[str, Any] = {
    "scored": 2,
    "week": "1992-04-30",
    "steps": {"1": SCORES, "2": {**SCORES, "wape": None}},
    "expected": True,
    "alarms": [],
}


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The markdown of what would have been posted."""
    pages: list[str] = []
    monkeypatch.setattr(monitoring, "post", lambda key, why, compose, *args: pages.append(compose(*args)))
    return pages


def test_scores_stand_by_step_in_percent() -> None:
    """Where nothing was sold there is no share, and the cell is empty."""
    page = monitoring_markdown(QUIET)
    assert page.startswith("## How the week of 1992-04-30 came out")
    assert "| 1 week ahead | 24.0 % | 115.0 % | -7.4 % | 83.5 % | 94.0 % |" in page
    assert "| 2 weeks ahead |  | 115.0 % |" in page
    assert "is held against what a backtest promised" in page
    assert "is not watched for drift yet" in monitoring_markdown({**QUIET, "expected": False})


def test_an_alarm_comes_first_and_is_logged(posted: list[str], caplog: pytest.LogCaptureFixture) -> None:
    """Its sentence, as text."""
    show_monitoring({"monitoring": {**QUIET, "alarms": [{"sentence": "Too <b>high</b>."}]}})
    assert posted[0].startswith("## The forecasts are not what was promised\n\nToo \\<b\\>high")
    assert "Too <b>high</b>." in caplog.text


def test_trouble_is_told_and_nothing_is_no_page(posted: list[str]) -> None:
    """Before a forecast has matured there is nothing to show."""
    show_monitoring({"monitoring": {"scored": 0, "expected": False, "alarms": []}})
    assert posted == []
    show_monitoring({"monitoring": {"error": "KeyError: 'units'"}})
    assert "could not be monitored" in posted[0]
