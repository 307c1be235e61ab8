"""The backtest on the real data, through a real Prefect server and a real Dask cluster."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from flows.backtest import backtest
from forecasting.cli import app
from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.orange_juice import LAYOUTS, dominicks_week
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.backtest import score_models
from forecasting.pipeline.backtest import BacktestResult
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.simulation import shipped
from forecasting.storage.files import read_table
from forecasting.storage.lake import Lake
from forecasting.storage.location import local_file

MODELS = ["naive", "mean"]
FIRST, SECOND = dominicks_week(120), dominicks_week(124)


@pytest.fixture(scope="module")
def children_before() -> set[int]:
    return {process.pid for process in psutil.Process().children(recursive=True)}


@pytest.fixture(scope="module")
def ran(
    prefect_server: None, children_before: set[int], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, BacktestResult]:
    """The folder and the result of a backtest of two folds and two models; not to be changed."""
    folder = tmp_path_factory.mktemp("backtest")
    options = {"first_cutoff": FIRST, "last_cutoff": SECOND, "every": 4, "horizon": 3, "gap": 1}
    result = backtest(lake=str(folder / "lake"), models=MODELS, out=str(folder / "out" / "rows.parquet"), **options)
    return folder, result


@pytest.fixture(scope="module")
def rows(ran: tuple[Path, BacktestResult]) -> pd.DataFrame:
    return read_table(local_file(ran[0] / "out" / "rows.parquet"), orange_juice.BACKTEST)


def test_the_result_counts_what_was_done(ran: tuple[Path, BacktestResult], rows: pd.DataFrame) -> None:
    """Two folds, one line of scores a model in the order asked, as many forecasts as the file has rows."""
    _, result = ran

    assert result.source == "the shipped data"
    assert result.folds == 2
    assert result.fallbacks == 0
    assert result.forecasts == len(rows) > 10_000
    assert list(result.scores) == MODELS
    assert all(np.isfinite(value) for row in result.scores.values() for value in row.values())
    assert set(result.seconds_by_stage) == {"load", "forecast the folds", "score", "write the forecasts", "total"}


def test_the_file_is_as_declared(ran: tuple[Path, BacktestResult], rows: pd.DataFrame) -> None:
    """Columns and types of the table `backtest`; weeks and cutoffs are dates to any reader; one row a key."""
    schema = pq.read_schema(ran[0] / "out" / "rows.parquet")

    assert schema.names == orange_juice.BACKTEST.columns
    assert schema.field("week").type == schema.field("cutoff").type == pa.date32()
    assert not rows.duplicated(list(orange_juice.BACKTEST.key)).any()
    assert sorted(rows["step"].unique()) == [2, 3, 4]
    assert rows["week"].equals(
        rows["cutoff"] + pd.to_timedelta(7 * rows["step"], unit="D").astype(rows["week"].diff().dtype)
    )
    assert set(rows["cutoff"].dt.date) == {FIRST, SECOND}


def test_the_scores_are_those_of_the_file(ran: tuple[Path, BacktestResult], rows: pd.DataFrame) -> None:
    """Whoever reads the file can score it again."""
    again = score_models(rows, shipped(orange_juice.SALES))

    for model, row in ran[1].scores.items():
        expected = again.loc[model].to_dict()
        assert {name: row[name] for name in expected} == pytest.approx(expected)


def test_every_reported_cell_of_the_folds_is_scored(rows: pd.DataFrame) -> None:
    """No row is lost, and none is made up: the actuals are what was sold."""
    sales = shipped(orange_juice.SALES)
    naive = rows[rows["model"] == "naive"]

    sold = naive.merge(sales, on=schemas.CELL)

    assert len(sold) == len(naive)
    assert (sold["actual"] == sold["units"]).all()
    weeks = [pd.Timestamp(cutoff + WEEK * step) for cutoff in (FIRST, SECOND) for step in (2, 3, 4)]
    assert len(naive) == sales["week"].isin(weeks).sum()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("cutoff", [FIRST, SECOND])
def test_a_fold_is_the_live_forecast_at_its_cutoff(model: str, cutoff: Any, rows: pd.DataFrame) -> None:
    """With the sales up to the cutoff and nothing later, a plain call gives the file's rows to the last bit."""
    spec = ForecastSpec(cutoff, horizon=3, gap=1, model=model, point="mape")
    sales, promotions = shipped(orange_juice.SALES), shipped(orange_juice.PROMOTIONS)
    live = forecast(
        sales[sales["week"] <= pd.Timestamp(cutoff)],
        promotions[promotions["week"] <= pd.Timestamp(spec.weeks[-1])],
        spec,
    )

    of_fold = rows[(rows["model"] == model) & (rows["cutoff"] == pd.Timestamp(cutoff))].reset_index(drop=True)

    shared = [name for name in orange_juice.FORECAST.columns if name in of_fold]
    expected = live.merge(of_fold[schemas.CELL], on=schemas.CELL)
    pd.testing.assert_frame_equal(of_fold[shared], expected[shared], check_exact=True)


def test_nothing_is_left_behind(ran: tuple[Path, BacktestResult], children_before: set[int]) -> None:
    """No worker lives on, and the lake's scratch folder is empty."""
    now = {process.pid for process in psutil.Process().children(recursive=True) if process.is_running()}
    left = [pid for pid in now - children_before if "multiprocessing.spawn" in " ".join(psutil.Process(pid).cmdline())]

    assert left == []
    assert list((ran[0] / "lake" / "scratch").iterdir()) == []


def oj(*args: str) -> Result:
    return CliRunner().invoke(app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1"})


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("--protocol", "C"), 2, "--protocol"),
        ((), 1, "The folds are not chosen; name --protocol A, or both --first-cutoff and --last-cutoff."),
        (("--first-cutoff", "1992-01-02"), 1, "The folds are not chosen"),
        (
            ("--first-cutoff", "1992-01-09", "--last-cutoff", "1992-01-02"),
            1,
            "last-cutoff=1992-01-02 lies before first-cutoff=1992-01-09; name 1992-01-09 or a later week.",
        ),
        (("--first-cutoff", "1992-01-03", "--last-cutoff", "1992-01-03"), 1, "is not the first day of a week"),
        (
            ("--protocol", "A", "--models", "naive", "--models", "gues"),
            1,
            "model=gues is not registered; choose one of",
        ),
        (("--protocol", "A", "--first-cutoff", "1992-01-02"), 1, "protocol=A brings its own cutoffs"),
        (("--protocol", "A", "--every", "0"), 2, "--every"),
        (("--protocol", "A", "--horizon", "0"), 2, "--horizon"),
    ],
)
def test_a_mistake_ends_in_one_sentence(tmp_path: Path, args: tuple[str, ...], code: int, says: str) -> None:
    """Before Prefect is started: the option and the remedy, and no traceback."""
    result = oj("backtest", *args, "--lake", str(tmp_path / "lake"))

    assert result.exit_code == code
    assert says in " ".join(result.output.replace("│", " ").split())
    assert "Traceback" not in result.output
    assert "Starting Prefect" not in result.output


def test_a_protocol_does_not_mind_the_lakes_calendar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lake whose weeks open on Monday is not looked at: the benchmark's Thursdays are those of its own data."""
    Lake(tmp_path / "lake").reference.write_panel(replace(ORANGE_JUICE, week_starts_on=0), LAYOUTS)
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr("flows.prefect_tasks.run_flow", lambda flow, options, *_: asked.append(options))
    monkeypatch.setattr("forecasting.presentation.terminal.models.show_backtest", lambda result, protocol: None)

    result = oj("backtest", "--protocol", "A", "--lake", str(tmp_path / "lake"))

    assert result.exit_code == 0, result.output
    assert asked[0]["protocol"] == "A"
