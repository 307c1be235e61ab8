"""Finished partitions of an unfinished run are read again, without damaged ones."""

from pathlib import Path

import pandas as pd

from forecasting.core.partition import Partition
from forecasting.storage.lake import Lake
from tests.forecasting.storage.test_forecasts import forecast


def partition(name: str, rows: pd.DataFrame | None = None) -> Partition:
    """A partition of the series of these rows."""
    series = forecast(10) if rows is None else rows
    return Partition(name, series[["store", "product", "week"]], pd.DataFrame())


def test_rows_come_back_for_the_same_run_only(tmp_path: Path) -> None:
    """The run id stands for input, options and code."""
    lake = Lake(tmp_path)
    lake.partials.write("run-a", partition("part-0000"), forecast(10))
    both = [partition("part-0000"), partition("part-0001")]
    assert list(lake.partials.read("run-a", both)) == ["part-0000"]
    assert len(lake.partials.read("run-a", both)["part-0000"]) == 600
    assert lake.partials.read("run-b", both) == {}


def test_a_damaged_partial_counts_as_none(tmp_path: Path) -> None:
    """It is removed, and its partition is computed again."""
    lake = Lake(tmp_path)
    lake.partials.write("run-a", partition("part-0000"), forecast(10))
    (file,) = (lake.partials.folder("run-a") / "partitions").iterdir()
    file.write_bytes(file.read_bytes()[:100])
    assert lake.partials.read("run-a", [partition("part-0000")]) == {}
    assert not file.exists()


def test_rows_of_another_cut_are_not_taken(tmp_path: Path) -> None:
    """A run that is resumed with another mini batch size cuts other partitions of the same names."""
    lake = Lake(tmp_path)
    lake.partials.write("run-a", partition("part-0000"), forecast(10))
    smaller = forecast(10).query("store <= 100")
    assert lake.partials.read("run-a", [partition("part-0000", smaller)]) == {}
