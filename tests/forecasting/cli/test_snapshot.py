"""`oj snapshot` gives what a published forecast was made from."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from forecasting.cli import app
from forecasting.contracts import orange_juice, schemas
from forecasting.storage.files import read_table
from forecasting.storage.lake import Lake
from tests.forecasting.storage.test_forecasts import SERIES, SPEC, forecast
from tests.forecasting.storage.test_history import NOON, SECOND, announced, sales

LATER = datetime(1993, 1, 1, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """The forecast of SPEC's cutoff knew five cartons; by now it is six, and another week has come."""
    lake = Lake(tmp_path / "lake")
    lake.sales.add(sales(SPEC.cutoff, {2: 5}), NOON)
    lake.promotions.add(announced(SPEC.cutoff, 1.5, SPEC.cutoff), NOON)
    lake.forecasts.publish(forecast(10), SERIES, SPEC, "run-a", lake.last_collected())
    lake.sales.add(pd.concat([sales(SPEC.cutoff, {2: 6}), sales(SECOND, {2: 7})]), LATER)
    return lake


def known(lake: Lake, cutoff: object, to: Path) -> str:
    said = CliRunner().invoke(app, ["snapshot", "--lake", str(lake.root), "--cutoff", str(cutoff), "--to", str(to)])
    return " ".join(said.output.split())


def test_what_was_known_is_written(lake: Lake, tmp_path: Path) -> None:
    """As it was, whatever has come since; and the moment is told."""
    said = known(lake, SPEC.cutoff, tmp_path / "then")

    assert "collected by 1992-04-24 12:00:00 UTC" in said
    assert read_table(tmp_path / "then" / "sales.parquet", schemas.SALES)["units"].tolist() == [5]
    assert read_table(tmp_path / "then" / "promotions.parquet", orange_juice.PROMOTIONS)["price"].tolist() == [1.5]
    assert lake.sales.read()["units"].tolist() == [6, 7]


def test_a_week_without_a_forecast_is_told(lake: Lake, tmp_path: Path) -> None:
    """With the command that makes one."""
    assert f"make it with `oj run --cutoff {SECOND}`" in known(lake, SECOND, tmp_path)


def test_a_folder_that_cannot_be_written_is_told(lake: Lake, tmp_path: Path) -> None:
    """In a sentence."""
    (tmp_path / "file").touch()

    assert "name a folder of yours" in known(lake, SPEC.cutoff, tmp_path / "file")
