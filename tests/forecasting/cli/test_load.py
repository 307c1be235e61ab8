"""`oj load`, and the database that other commands take, as their users meet them."""

import inspect
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows.backfill import backfill
from flows.options import BackfillOptions
from forecasting.cli import app
from forecasting.storage.lake import Lake
from tests.databases import CUTOFFS, Target, assert_agrees, publish_anew


def oj(*args: str) -> Result:
    return CliRunner().invoke(app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1"})


def words(result: Result) -> str:
    return " ".join(result.output.replace("│", " ").split())


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
    assert "other addresses would be kept readable with their passwords" in words(result)
    assert "swordfish" not in result.output


def test_a_backfill_loads_its_database_too() -> None:
    """The option is a parameter of its flow."""
    assert "database" in inspect.signature(backfill.fn).parameters
    assert BackfillOptions(first=CUTOFFS[0], database="reporting").database == "reporting"
