"""A lake with a few replayed weeks."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.pipeline.monitoring import MonitoringResult
from forecasting.pipeline.simulation import shipped
from forecasting.storage.files import write_table
from forecasting.storage.lake import Lake
from forecasting.storage.location import local_file
from tests.forecasting.pipeline.batches import CUTOFF
from tests.forecasting.pipeline.replayed import FEW, WEEKS, let_a_week_go_by
from tests.small import half_announced_lake


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake whose stores have announced half of their plans; not to be changed."""
    return half_announced_lake(tmp_path_factory.mktemp("history") / "lake", dominicks_week(110), CUTOFF)


@pytest.fixture(scope="session")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, list[MonitoringResult]]:
    """Five weeks of four stores, each published; not to be changed."""
    source, lake = tmp_path_factory.mktemp("few"), Lake(tmp_path_factory.mktemp("replayed") / "lake")
    for table in (orange_juice.STORES, orange_juice.PRODUCTS, orange_juice.SALES, orange_juice.PROMOTIONS):
        rows = shipped(table)
        if "week" in rows:
            rows = rows[rows["store"].isin(FEW) & (rows["week"] >= pd.Timestamp(dominicks_week(58)))]
        write_table(local_file(source / f"{table.name}.parquet"), rows, table)
    return lake, [let_a_week_go_by(lake, source) for _ in WEEKS]


@pytest.fixture
def replayed_lake(replayed: tuple[Lake, list[MonitoringResult]], tmp_path: Path) -> Lake:
    """A copy of that lake of one's own."""
    shutil.copytree(replayed[0].root, tmp_path / "lake")
    return Lake(tmp_path / "lake")
