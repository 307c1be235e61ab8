"""Publishing replaces a forecast whole, whatever happens meanwhile; finished partitions come back."""

import os
import random
import signal
import time
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.dataset as ds
import pytest

from forecasting.contracts.errors import RunError
from forecasting.contracts.orange_juice import FORECAST
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.panel import series_of
from forecasting.core.partition import Partition
from forecasting.storage import files
from forecasting.storage.files import read_json, read_metadata
from forecasting.storage.lake import Lake

SPEC = ForecastSpec(date(1992, 4, 16), model="naive")
SERIES = pd.DataFrame({"store": range(1, 301), "product": 1})


def forecast(level: float) -> pd.DataFrame:
    rows = SERIES.merge(pd.DataFrame({"step": [1, 2], "week": pd.to_datetime(SPEC.weeks)}), how="cross")
    return FORECAST.cast(
        rows.assign(
            cutoff=pd.Timestamp(SPEC.cutoff),
            forecast=level,
            lo_80=level - 1,
            hi_80=level + 1,
            lo_95=level - 2,
            hi_95=level + 2,
            model="naive",
            reason=None,
            promotion_known=True,
        )
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_a_published_forecast_carries_its_identity(lake: Lake) -> None:
    """The file has run id and schema version; the manifest beside the run has rows and hash."""
    path = lake.forecasts.publish([forecast(10)], SERIES, SPEC, "run-a")
    assert read_metadata(path)["run_id"] == "run-a"
    assert read_metadata(path)["schema_version"] == "1"
    assert read_metadata(path)["point"] == "median"
    manifest = read_json(lake.forecasts.run_folder(SPEC.cutoff, "run-a") / "manifest.json")
    assert manifest["rows"] == 600
    assert len(manifest["sha256"]) == 64
    assert lake.forecasts.run_id(SPEC.cutoff) == "run-a"
    assert not lake.partials.folder("run-a").exists()


def test_a_newer_run_replaces_the_older_and_back(lake: Lake) -> None:
    """Publishing an earlier run again makes its bytes current again; its folder has two files only."""
    first = lake.forecasts.publish([forecast(10)], SERIES, SPEC, "run-a").read_bytes()
    lake.forecasts.publish([forecast(20)], SERIES, SPEC, "run-b")
    assert lake.forecasts.read(SPEC.cutoff)["forecast"].unique().tolist() == [20.0]
    for _ in range(2):
        assert lake.forecasts.publish([forecast(10)], SERIES, SPEC, "run-a").read_bytes() == first
    names = sorted(path.name for path in Path(lake.forecasts.run_folder(SPEC.cutoff, "run-a")).iterdir())
    assert names == ["forecast.parquet", "manifest.json"]


@pytest.mark.parametrize(
    ("column", "value"), [("forecast", float("nan")), ("hi_80", float("inf")), ("lo_95", -1.0), ("lo_80", 99.0)]
)
def test_unusable_numbers_are_never_published(lake: Lake, column: str, value: float) -> None:
    """NaN, infinite, negative and crossing values are refused; the published forecast stays."""
    lake.forecasts.publish([forecast(10)], SERIES, SPEC, "run-a")
    broken = forecast(20)
    broken.loc[7, column] = value
    with pytest.raises(RunError, match="nothing was published"):
        lake.forecasts.publish([broken], SERIES, SPEC, "run-b")
    assert lake.forecasts.run_id(SPEC.cutoff) == "run-a"


@pytest.mark.parametrize("rows", [slice(1, None), [0, 0, *range(1, 600)]])
def test_missing_and_double_rows_are_never_published(lake: Lake, rows: slice | list[int]) -> None:
    """Every expected series × step must be there exactly once."""
    with pytest.raises(RunError, match="600 are expected"):
        lake.forecasts.publish([forecast(10).iloc[rows]], SERIES, SPEC, "run-a")
    assert lake.forecasts.cutoffs() == []


def test_readers_find_one_file_a_week_and_nothing_else(lake: Lake) -> None:
    """A reader's glob over the published root sees whole forecasts only, with the cutoff as a column."""
    lake.forecasts.publish([forecast(10)], SERIES, SPEC, "run-a")
    lake.forecasts.publish([forecast(20)], SERIES, SPEC, "run-b")
    published = Path(lake.forecasts.path(SPEC.cutoff)).parents[1]
    assert [path.name for path in published.rglob("*") if path.is_file()] == ["forecast.parquet"]
    table = ds.dataset(published).to_table().to_pandas()
    assert len(table) == 600
    assert set(table["cutoff"]) == {SPEC.cutoff}


def test_a_folder_that_is_named_by_no_week_is_passed_over(lake: Lake) -> None:
    """Somebody has put a copy beside the weeks."""
    published = lake.forecasts.publish([forecast(10)], SERIES, SPEC, "run-a")
    (lake.forecasts.folder / "copy" / "forecast.parquet").write_bytes(published.read_bytes())
    assert lake.forecasts.cutoffs() == [SPEC.cutoff]


def test_a_killed_publisher_leaves_the_old_or_the_new(lake: Lake) -> None:
    """Killed at 25 random moments while two forecasts replace each other, every read gives one of them, whole."""
    lake.forecasts.publish([forecast(10)], SERIES, SPEC, "run-a")
    moments = random.Random(1)
    for _ in range(25):
        child = os.fork()
        if child == 0:
            _publish_for_ever(lake)
        time.sleep(moments.uniform(0.0, 0.08))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        table = lake.forecasts.read(SPEC.cutoff)
        assert len(table) == 600
        assert set(table["forecast"]) in ({10.0}, {20.0})
    assert lake.forecasts.publish([forecast(20)], SERIES, SPEC, "run-b").exists()
    assert lake.forecasts.read(SPEC.cutoff)["forecast"].unique().tolist() == [20.0]


def _publish_for_ever(lake: Lake) -> None:
    """Runs in a child that will be killed; new run ids each time, so that every step is taken."""
    try:
        for number in range(10_000):
            lake.forecasts.publish([forecast(10 + number % 2 * 10)], SERIES, SPEC, f"run-{os.getpid()}-{number}")
    finally:
        os._exit(1)


def test_a_damaged_run_is_replaced(lake: Lake) -> None:
    """Where the published file was damaged, the same run, published again, repairs it."""
    path = lake.forecasts.publish([forecast(10)], SERIES, SPEC, "run-a")
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert lake.forecasts.run_id(SPEC.cutoff) is None
    assert lake.forecasts.publish([forecast(10)], SERIES, SPEC, "run-a").read_bytes() == whole


def test_a_damaged_predecessor_is_none(lake: Lake) -> None:
    """The forecast that was replaced is given only where its file is undamaged."""
    lake.forecasts.publish([forecast(10)], SERIES, SPEC, "run-a")
    lake.forecasts.publish([forecast(20)], SERIES, SPEC, "run-b")
    assert lake.forecasts.replaced(SPEC.cutoff)["forecast"].unique().tolist() == [10.0]
    file = lake.forecasts.run_folder(SPEC.cutoff, "run-a") / "forecast.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    assert lake.forecasts.replaced(SPEC.cutoff).empty


def partition(name: str, rows: pd.DataFrame | None = None) -> Partition:
    """A partition of the series of these rows."""
    return Partition(name, series_of(forecast(10) if rows is None else rows))


def test_finished_partitions_are_those_of_the_same_run_only(tmp_path: Path) -> None:
    """The run id stands for input, options and code."""
    lake = Lake(tmp_path)
    lake.partials.write("run-a", "part-0000", forecast(10))
    both = [partition("part-0000"), partition("part-0001")]
    assert lake.partials.finished("run-a", both, SPEC) == {"part-0000"}
    assert lake.partials.finished("run-b", both, SPEC) == set()
    found = lake.partials.read("run-a", "part-0000")
    assert found is not None
    assert len(found) == 600
    assert lake.partials.read("run-b", "part-0000") is None


def test_a_damaged_part_counts_as_none(tmp_path: Path) -> None:
    """Its partition is computed again."""
    lake = Lake(tmp_path)
    lake.partials.write("run-a", "part-0000", forecast(10))
    (file,) = Path(lake.partials.folder("run-a") / "partitions").iterdir()
    file.write_bytes(file.read_bytes()[:100])
    assert lake.partials.read("run-a", "part-0000") is None
    assert lake.partials.finished("run-a", [partition("part-0000")], SPEC) == set()


def test_rows_of_another_cut_are_not_taken(tmp_path: Path) -> None:
    """A run that is resumed with another mini batch size cuts other partitions of the same names."""
    lake = Lake(tmp_path)
    lake.partials.write("run-a", "part-0000", forecast(10))
    smaller = forecast(10).query("store <= 100")
    assert lake.partials.finished("run-a", [partition("part-0000", smaller)], SPEC) == set()


def test_a_part_with_a_bad_series_is_made_again(tmp_path: Path) -> None:
    """What failed by chance may succeed the next time."""
    lake = Lake(tmp_path)
    lake.partials.write("run-a", "part-0000", forecast(10).assign(lo_95=-1.0))
    assert lake.partials.finished("run-a", [partition("part-0000")], SPEC) == set()


@pytest.mark.parametrize("cut", [1, 7, 100, 300])
def test_the_published_bytes_do_not_depend_on_the_frames(
    cut: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many series are written at a time, and whatever a row group holds of them."""
    monkeypatch.setattr(files, "GROUP_ROWS", 50)
    whole = Lake(tmp_path / "whole").forecasts.publish([forecast(10)], SERIES, SPEC, "run-a").read_bytes()
    rows = forecast(10).sort_values(["store", "product", "step"], ignore_index=True)
    frames = (rows.iloc[first : first + cut * SPEC.horizon] for first in range(0, len(rows), cut * SPEC.horizon))
    assert Lake(tmp_path / "cut").forecasts.publish(frames, SERIES, SPEC, "run-a").read_bytes() == whole


def test_frames_that_end_early_are_not_published(tmp_path: Path) -> None:
    """Every frame is whole, but series are missing after the last."""
    rows = forecast(10).sort_values(["store", "product", "step"], ignore_index=True)
    lake = Lake(tmp_path)
    with pytest.raises(RunError, match="missing_row"):
        lake.forecasts.publish([rows.iloc[: 2 * SPEC.horizon]], SERIES, SPEC, "run-a")
    assert not lake.forecasts.path(SPEC.cutoff).exists()
