"""A lake of a few real stores, whose sales are collected already: a run of one of its weeks needs no inbox.

And what a cluster would compute, computed in the process of the test: a worker's start is most of a small run.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from forecasting.compute import ClusterUsage
from forecasting.contracts import orange_juice
from forecasting.contracts.orange_juice import LAYOUTS
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.retry_queue import PartitionOutcome, RetryQueue
from forecasting.pipeline.simulation import shipped
from forecasting.storage.lake import Lake

STORES = [2, 5, 8, 12]


def small_lake(root: Path | str, first: date, last: date) -> Lake:
    """The sales of these stores from `first` to `last`, and their plans for four weeks more."""
    lake = Lake(root)
    lake.prepare()
    lake.reference.write_panel(ORANGE_JUICE, LAYOUTS)
    lake.reference.write(shipped(orange_juice.STORES), shipped(orange_juice.PRODUCTS))
    sales, promotions = (
        rows[rows["store"].isin(STORES) & (rows["week"] >= pd.Timestamp(first))]
        for rows in (shipped(orange_juice.SALES), shipped(orange_juice.PROMOTIONS))
    )
    lake.sales.add(sales[sales["week"] <= pd.Timestamp(last)])
    plans = promotions[promotions["week"] <= pd.Timestamp(last) + pd.Timedelta(weeks=4)]
    lake.promotions.add(plans.assign(announced=pd.Timestamp(first)))
    return lake


def half_announced_lake(root: Path, first: date, last: date) -> Lake:
    """The same; of the coming weeks half of the plans are not announced."""
    lake = small_lake(root, first, last)
    rows = lake.promotions.read()
    is_unannounced = (rows["week"] > pd.Timestamp(last)) & (rows["store"].isin([2, 5]) | (rows["product"] == 4))
    lake.promotions.path(first).delete()
    lake.promotions.add(rows[~is_unannounced].assign(announced=pd.Timestamp(first)))
    return lake


class InThisProcess:
    """A cluster without workers: the same forecasts, one after the other."""

    def __init__(self) -> None:
        self._tasks = 0

    @property
    def usage(self) -> ClusterUsage:
        return ClusterUsage(tasks=self._tasks)

    def map_partitions(
        self,
        function: Any,
        batch: RetryQueue,
        *args: Any,
        timeout: float,
        on_outcome: Callable[[PartitionOutcome], None] | None = None,
        rows: Any = None,
    ) -> list[PartitionOutcome]:
        outcomes = []
        while task := batch.next_task():
            self._tasks += 1
            outcome = batch.succeeded(task, function(task.partition, *args))
            if outcome is None:
                continue
            outcomes.append(outcome)
            if on_outcome:
                on_outcome(outcome)
        return outcomes


def compute_in_this_process(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str = "dask_cluster") -> None:
    """Let the runs of a module do without Dask.

    Args:
        name: what the module calls the function that starts a cluster.
    """

    @contextmanager
    def cluster(*_: Any) -> Iterator[InThisProcess]:
        yield InThisProcess()

    monkeypatch.setattr(module, name, cluster)
