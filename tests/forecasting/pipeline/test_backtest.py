"""The stages of a backtest: its data, its folds, its file."""

from pathlib import Path

import pandas as pd
import pytest

from forecasting.compute import dask_cluster
from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.errors import DataError, ForecastingError
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.spec import BatchSpec, ClusterSpec, ForecastSpec
from forecasting.core.folds import Folds
from forecasting.pipeline import batch as stages
from forecasting.pipeline.backtest import Source, load, of_lake, run_folds, score, write_rows
from forecasting.pipeline.model_selection import ModelChoice
from forecasting.pipeline.simulation import shipped
from forecasting.storage.files import read_table
from forecasting.storage.lake import Lake
from forecasting.storage.location import local_file
from tests.small import InThisProcess, small_lake


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Two folds of the mean over four real stores."""
    lake = small_lake(tmp_path_factory.mktemp("small") / "lake", dominicks_week(110), dominicks_week(130))
    folds = Folds((dominicks_week(125), dominicks_week(128)), 2)
    found, _ = run_folds(
        InThisProcess(),  # type: ignore[arg-type]  # it does what a cluster does
        of_lake(lake),
        folds,
        ["mean"],
        "median",
        BatchSpec(),
        on_progress=lambda *_: None,
    )
    return found


def test_a_fold_is_the_weekly_run_s_forecast(simulated_lake: Lake, tmp_path: Path) -> None:
    """Both from the same lake and on a cluster, at the same cutoff: the weekly run's rows, to the last bit."""
    cutoff = dominicks_week(131)
    spec, batch = ForecastSpec(cutoff, model="price_response", point="mape"), BatchSpec(error_threshold=-1)
    with dask_cluster(ClusterSpec(1, 1), Lake(tmp_path)) as cluster:
        prepared = stages.prepare(simulated_lake, spec, ModelChoice(spec.model, "always"), batch)
        staged = stages.forecast(cluster, simulated_lake, prepared, on_progress=lambda *_: None)
        weekly = pd.concat(staged.frames(), ignore_index=True)
        source = load(simulated_lake, of_benchmark=False)
        progress: list[tuple[int, int]] = []
        found, milliseconds = run_folds(
            cluster,
            source,
            Folds((cutoff,), 2),
            [spec.model],
            "mape",
            batch,
            on_progress=lambda *done: progress.append(done),
        )

    assert source.name == str(simulated_lake.root)
    assert progress == [(0, 1), (1, 1)]
    assert milliseconds["price_response"] > 0
    shared = [name for name in orange_juice.FORECAST.columns if name in found]
    expected = weekly.merge(found[schemas.CELL], on=schemas.CELL)
    pd.testing.assert_frame_equal(found[shared], expected[shared], check_exact=True)


def test_a_protocol_runs_on_the_shipped_data(simulated_lake: Lake) -> None:
    """Whatever is in the lake, the benchmark's scores can be compared; an own backtest takes the lake."""
    assert load(simulated_lake, of_benchmark=True).name == "the shipped data"
    assert len(load(simulated_lake, of_benchmark=True).sales) > len(load(simulated_lake, of_benchmark=False).sales)


def test_a_fold_sees_the_plans_that_were_announced_by_its_cutoff(simulated_lake: Lake) -> None:
    """In the history of a lake those of four weeks ahead; those of the benchmark reach to its end."""
    cutoff = dominicks_week(120)
    of_lake, of_benchmark = (
        load(simulated_lake, of_benchmark=chosen).promotions_at(cutoff) for chosen in (False, True)
    )
    assert of_lake["week"].max().date() == dominicks_week(124)
    assert of_benchmark["week"].max().date() > dominicks_week(160 - 1)


def test_a_cutoff_before_the_first_sale_is_refused(tmp_path: Path) -> None:
    """There is nothing to forecast from, and the error says so."""
    source = Source("some", shipped(orange_juice.SALES), shipped(orange_juice.PROMOTIONS), ORANGE_JUICE)
    folds = Folds((dominicks_week(30),), 2)

    with dask_cluster(ClusterSpec(1, 1), Lake(tmp_path)) as cluster, pytest.raises(DataError, match="1990-04-05"):
        run_folds(cluster, source, folds, ["naive"], "mape", BatchSpec(), on_progress=lambda *_: None)


@pytest.mark.parametrize("out", ["a folder", "a file/rows.parquet"])
def test_an_output_that_cannot_be_written_is_named(out: str, tmp_path: Path, rows: pd.DataFrame) -> None:
    """One sentence, not a traceback at the end of a long backtest."""
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a file").write_text("no folder")

    with pytest.raises(ForecastingError, match=out.split("/")[0]):
        write_rows(rows, tmp_path / out, ORANGE_JUICE)


def test_no_output_is_asked_for_by_default(tmp_path: Path, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --out no file appears."""
    monkeypatch.chdir(tmp_path)

    write_rows(rows, None, ORANGE_JUICE)

    assert list(tmp_path.iterdir()) == []


def test_the_file_has_every_forecast(tmp_path: Path, rows: pd.DataFrame) -> None:
    """As it was made, in a folder that is made for it; its scores are those of the model, with the CPU time."""
    write_rows(rows, tmp_path / "out" / "rows.parquet", ORANGE_JUICE)

    again = read_table(local_file(tmp_path / "out" / "rows.parquet"), orange_juice.BACKTEST)

    pd.testing.assert_frame_equal(again, orange_juice.BACKTEST.cast(rows))
    source = Source("some", shipped(orange_juice.SALES), shipped(orange_juice.PROMOTIONS), ORANGE_JUICE)
    scores = score(source, again, {"mean": 1.5})
    assert scores.index.tolist() == ["mean"]
    assert scores["cpu_ms"].tolist() == [1.5]


def test_a_lake_up_to_a_week_has_nothing_later(simulated_lake: Lake) -> None:
    """As a training that compares models at past weeks reads it."""
    until = dominicks_week(120)
    assert of_lake(simulated_lake, until).sales["week"].max() == pd.Timestamp(until)
