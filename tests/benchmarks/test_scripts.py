"""Every benchmark still runs: on a few stores and weeks, with one kill (`make benchmarks`)."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from flows.backtest import backtest
from flows.prefect_tasks import run_flow
from forecasting.contracts.table import Table
from forecasting.pipeline.backtest import BacktestResult
from forecasting.pipeline.simulation import shipped

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
STORES = [2, 5, 8, 12]
# Scripts that read a whole lake run where one is made: tests/forecasting/pipeline/test_monitoring.py.
# The others have test files of their names.
ELSEWHERE = {"scores_recomputed", "panels", "panels_peers"}
KILLING = {
    "backfill_killed": ["--weeks", "1", "--kills", "1"],
    "database_killed": ["--runs", "1", "--kills", "1"],
    "server_killed": ["--only", "1"],
    "ways_to_end": ["--times", "1", "--only", "SIGKILL of the run"],
}
# The first is run; it uses the others.
SCALE = ("scale", "scale_lake", "scale_plain", "scale_docs")
# Constants of a script that make it small, and what it then prints.
SMALL: dict[str, tuple[dict[str, Any], str]] = {
    "drift": (
        {"MODEL": "naive", "CUTOFFS": "first 66", "ORIGINS": range(0, 6, 5), "REPLICATIONS": 20},
        "baseline of the first 52 weeks, alarms in the other 14",
    ),
    "promotion": (
        {"STORES": 2, "CUTOFFS": range(126, 142), "WINDOWS": (4, 8), "REPLICATES": 3, "MADE_UP": 50},
        "Made-up gains of mean zero",
    ),
    "report": ({"COUNTS": (44, 88), "WEEKS_BEFORE": 2}, "88 series: "),
    "whatif": ({"QUESTIONS": 5}, "5 questions: median"),
}


def script(name: str) -> ModuleType:
    """The script as a module; it does nothing until its `main` is called."""
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def of_few_stores(table: Table) -> pd.DataFrame:
    """A shipped table without most of its stores."""
    rows = shipped(table)
    return rows[rows["store"].isin(STORES)] if "store" in rows else rows


def test_every_benchmark_is_run_by_a_test() -> None:
    """A new script joins one of the lists."""
    assert {path.stem for path in BENCHMARKS.glob("*.py")} == {*KILLING, *SMALL, *ELSEWHERE, *SCALE, "cost"}


@pytest.mark.parametrize("name", SMALL)
def test_a_measurement_runs_on_few_stores(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints to its last line."""
    module = script(name)
    constants, printed = SMALL[name]
    for constant, value in constants.items():
        monkeypatch.setattr(module, constant, module.CUTOFFS[:66] if value == "first 66" else value)
    monkeypatch.setattr(module, "shipped", of_few_stores)
    module.main(*([tmp_path] if name == "drift" else []))
    assert printed in capsys.readouterr().out


def test_the_cost_of_models_is_written_as_table_and_plot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two folds of two models; one row a model."""

    def without_prefect(**options: Any) -> BacktestResult:
        return run_flow(backtest, options, why_not="no Prefect is needed", warn=lambda _: None)

    module = script("cost")
    monkeypatch.setattr(module, "DOCS", tmp_path)
    monkeypatch.setattr(module, "MODELS", ["naive", "mean"])
    monkeypatch.setattr(module, "backtest", without_prefect)
    monkeypatch.setattr(sys, "argv", ["cost.py", "--quick"])
    monkeypatch.setenv("OJ_LAKE", str(tmp_path / "lake"))
    module.main()
    lines = (tmp_path / "cost.md").read_text(encoding="utf-8").splitlines()
    assert {line.split("`")[1] for line in lines[3:]} == {"naive", "mean"}
    assert "</svg>" in (tmp_path / "cost.svg").read_text(encoding="utf-8")


def test_the_cost_of_a_run_is_measured_by_size(tmp_path: Path) -> None:
    """Beside the plain script, on a lake of a dozen stores; the last line is JSON."""
    command = [sys.executable, str(BENCHMARKS / "scale.py"), "--series", "132", "--folder", str(tmp_path)]
    ours = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "OJ_"))}
    done = subprocess.run(command, env=ours, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    measured = json.loads(done.stdout.splitlines()[-1])
    assert measured["series"] > 100
    named = ("wall_s", "plain_wall_s", "cpu_s", "peak_gib_driver", "peak_gib_worker")
    assert all(measured[name] > 0 for name in named)


@pytest.mark.parametrize("name", KILLING)
def test_what_is_killed_once_loses_nothing(name: str) -> None:
    """The script's own result is its exit code."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "OJ_"))}
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / f"{name}.py"), *KILLING[name]],
        env={**ours, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
