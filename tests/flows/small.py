"""A lake of a few real stores, whose sales are collected already: a run of one of its weeks needs no inbox.

And contests that are decided in the process of the test.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from forecasting import schemas
from forecasting.adapters.cluster import ClusterReceipt
from forecasting.adapters.feed import shipped
from forecasting.adapters.lake import Lake
from forecasting.batch import Batch, Outcome
from forecasting.spec import ForecastSpec
from forecasting.weeks import THURSDAY

STORES = [2, 5, 8, 12]


def small_lake(root: Path, first: date, last: date) -> Lake:
    """The sales of these stores from `first` to `last`, and their plans for four weeks more."""
    lake = Lake(root)
    lake.prepare()
    lake.write_calendar(THURSDAY, "America/Chicago")
    lake.write_reference(shipped(schemas.STORES), shipped(schemas.BRANDS))
    sales, promotions = (
        rows[rows["store"].isin(STORES) & (rows["week"] >= pd.Timestamp(first))]
        for rows in (shipped(schemas.SALES), shipped(schemas.PROMOTIONS))
    )
    lake.add_sales(sales[sales["week"] <= pd.Timestamp(last)])
    plans = promotions[promotions["week"] <= pd.Timestamp(last) + pd.Timedelta(weeks=4)]
    lake.add_promotions(plans.assign(told=pd.Timestamp(first)))
    return lake


class InThisProcess:
    """A cluster without workers: the same forecasts, one after the other."""

    receipt = ClusterReceipt(0)

    def map_partitions(self, function: Any, batch: Batch, spec: ForecastSpec, **_: Any) -> list[Outcome]:
        outcomes = []
        while task := batch.next_task():
            outcomes.append(batch.succeeded(task, function(task.partition, spec)))
        return [outcome for outcome in outcomes if outcome]


def decide_in_this_process(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> None:
    """Let the contests of a module do without Dask, and without a bar that tells Prefect of them."""

    @contextmanager
    def cluster(*_: Any) -> Iterator[InThisProcess]:
        yield InThisProcess()

    @contextmanager
    def no_progress(_: str) -> Iterator[Callable[[int, int], None]]:
        yield lambda done, total: None

    monkeypatch.setattr(module, "dask_cluster", cluster)
    monkeypatch.setattr(module, "show_progress", no_progress)
