"""The command `oj scores`."""

from datetime import date
from pathlib import Path

from typer.testing import CliRunner

from forecasting.cli import app
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.terminal.test_scores import scores_of


def test_a_lake_without_matured_forecasts_says_when_there_will_be_some(tmp_path: Path) -> None:
    """And is no mistake."""
    result = CliRunner().invoke(app, ["scores", "--lake", str(tmp_path)])
    assert result.exit_code == 0
    assert "No forecast has matured yet" in result.output


def test_scores_and_alarms_are_printed(tmp_path: Path, monkeypatch: object) -> None:
    """Alarms up to the last week that has matured, each with its week."""
    lake = Lake(tmp_path)
    lake.monitoring.add_alarms(
        date(1992, 1, 9), "mean", [{"week": "1992-01-09", "sentence": "The forecasts are too high."}]
    )
    lake.monitoring.add_alarms(date(1993, 1, 7), "mean", [{"week": "1993-01-07", "sentence": "Later."}])
    monkeypatch.setattr("forecasting.storage.monitoring.Monitoring.scores", lambda self: scores_of(2))  # type: ignore[attr-defined]
    result = CliRunner().invoke(app, ["scores", "--lake", str(tmp_path)])
    assert result.exit_code == 0
    assert "1992-01-09  The forecasts are too high." in result.output
    assert "all 2 weeks" in result.output
    assert "Later" not in result.output
