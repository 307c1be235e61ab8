"""The commands that give forecasts to people and programs, as their users meet them."""

import inspect
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from flows.backfill import backfill
from flows.options import BackfillOptions
from forecasting.cli import app
from forecasting.contracts import orange_juice
from forecasting.core.drift import Alarm
from forecasting.storage.files import read_table
from forecasting.storage.lake import Lake
from forecasting.storage.location import local_file
from tests.databases import CUTOFFS, Target, assert_agrees, publish_anew
from tests.forecasting.presentation.terminal.test_results import scores_of
from tests.forecasting.storage.test_forecasts import SERIES, SPEC, forecast
from tests.forecasting.storage.test_history import NOON, SECOND, announced, sales


def oj(*args: str) -> Result:
    return CliRunner().invoke(app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1"})


def words(result: Result) -> str:
    return " ".join(result.output.replace("│", " ").split())


def test_a_forecast_is_exported(small_lake: Lake, tmp_path: Path) -> None:
    """One line says what is where; mistakes end in one sentence."""
    lake, file = ("--lake", str(tmp_path / "lake")), tmp_path / "orders.xlsx"
    done = oj("export", "--to", str(file), *lake)
    assert words(done).startswith(f"12 forecasts of the week of {CUTOFFS[-1]} are in")
    assert file.exists()
    assert "ends neither in .xlsx nor in .csv" in words(oj("export", "--to", "orders.doc", *lake))
    assert oj("export", "--to", str(file), "--cutoff", "1990-01-04", *lake).exit_code == 1


def test_a_lake_is_loaded_by_hand(small_lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What differs, or what is named; a relative path is one in the current folder."""
    monkeypatch.chdir(tmp_path)
    lake, target = small_lake, Target("", f"sqlite:///{tmp_path}/oj.db")
    first = oj("load", "--database", "sqlite:///oj.db")
    assert first.exit_code == 0, first.output
    assert "oj.db has new rows of 5 weeks (stores 3, products 2," in words(first)
    publish_anew(lake, CUTOFFS[0], factor=2.0)
    assert "has new rows of 1 week (forecast 12)." in words(oj("load", "--database", "sqlite:///oj.db"))
    assert "agrees with the files already." in words(oj("load", "--database", "sqlite:///oj.db"))
    named = oj("load", "--database", "sqlite:///oj.db", "--from", str(CUTOFFS[0]), "--to", str(CUTOFFS[1]))
    assert "has new rows of 2 weeks (announced_promotions 24, forecast 24, sales 12)." in words(named)
    assert_agrees(lake, target)


def test_a_database_that_cannot_be_loaded_ends_in_one_sentence(small_lake: Lake, tmp_path: Path) -> None:
    """The exit code says so, for who loads by a schedule."""
    result = oj("load", "--lake", str(tmp_path / "lake"), "--database", f"sqlite:///{tmp_path}/no/oj.db")
    assert result.exit_code == 1
    assert "could not be loaded: its folder does not exist" in words(result)
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["run", "load", "backfill"])
def test_an_address_with_a_password_is_refused_and_not_repeated(command: str) -> None:
    """It would be kept readable among the parameters of the run."""
    given = ("--from", "1992-01-02") if command == "backfill" else ()
    result = oj(command, *given, "--database", "postgresql://oj:swordfish@127.0.0.1/db")
    assert result.exit_code == 2
    assert "other URLs would be stored readably with their passwords" in words(result)
    assert "swordfish" not in result.output


def test_a_backfill_loads_its_database_too() -> None:
    """The option is a parameter of its flow."""
    assert "database" in inspect.signature(backfill.fn).parameters
    assert BackfillOptions(first=CUTOFFS[0], database="reporting").database == "reporting"


def test_a_lake_without_matured_forecasts_says_when_there_will_be_some(tmp_path: Path) -> None:
    """And is no mistake."""
    result = oj("scores", "--lake", str(tmp_path))
    assert result.exit_code == 0
    assert "No forecast has matured yet" in result.output


def test_scores_and_alarms_are_printed(tmp_path: Path, monkeypatch: object) -> None:
    """Alarms up to the last week that has matured, each with its week."""
    lake = Lake(tmp_path)
    for week, sentence in ((date(1992, 1, 9), "The forecasts are too high."), (date(1993, 1, 7), "Later.")):
        lake.monitoring.add_alarms(week, "mean", [Alarm(week, "bias", 1.1, 0.0, week, sentence)])
    monkeypatch.setattr("forecasting.storage.monitoring.Monitoring.scores", lambda self: scores_of(2))  # type: ignore[attr-defined]
    result = oj("scores", "--lake", str(tmp_path))
    assert result.exit_code == 0
    assert "1992-01-09  The forecasts are too high." in result.output
    assert "all 2 weeks" in result.output
    assert "Later" not in result.output


LATER = datetime(1993, 1, 1, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """The forecast of SPEC's cutoff knew five cartons; by now it is six, and another week has come."""
    lake = Lake(tmp_path / "lake")
    lake.sales.add(sales(SPEC.cutoff, {2: 5}), NOON)
    lake.promotions.add(announced(SPEC.cutoff, 1.5, SPEC.cutoff), NOON)
    lake.forecasts.publish([forecast(10)], SERIES, SPEC, "run-a", lake.last_collected())
    lake.sales.add(pd.concat([sales(SPEC.cutoff, {2: 6}), sales(SECOND, {2: 7})]), LATER)
    return lake


def snapshot(lake: Lake, cutoff: object, to: Path) -> str:
    return words(oj("snapshot", "--lake", str(lake.root), "--cutoff", str(cutoff), "--to", str(to)))


def test_a_snapshot_is_written(lake: Lake, tmp_path: Path) -> None:
    """Without later corrections; the output names the moment."""
    said = snapshot(lake, SPEC.cutoff, tmp_path / "then")

    assert "collected by 1992-04-24 12:00:00 UTC" in said
    assert read_table(local_file(tmp_path / "then" / "sales.parquet"), orange_juice.SALES)["units"].tolist() == [5]
    assert read_table(local_file(tmp_path / "then" / "promotions.parquet"), orange_juice.PROMOTIONS)[
        "price"
    ].tolist() == [1.5]
    assert lake.sales.read()["units"].tolist() == [6, 7]


def test_a_snapshot_of_a_week_without_a_forecast_is_refused(lake: Lake, tmp_path: Path) -> None:
    """The error names the command that makes a forecast."""
    assert f"make it with `oj run --cutoff {SECOND}`" in snapshot(lake, SECOND, tmp_path)


def test_a_folder_that_cannot_be_written_is_named(lake: Lake, tmp_path: Path) -> None:
    """The error is one sentence with a remedy."""
    (tmp_path / "file").touch()

    assert "name a folder of yours" in snapshot(lake, SPEC.cutoff, tmp_path / "file")
