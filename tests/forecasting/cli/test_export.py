"""`oj export`, as its users meet it."""

from pathlib import Path

from typer.testing import CliRunner, Result

from forecasting.cli import app
from forecasting.storage.lake import Lake
from tests.databases import CUTOFFS


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
