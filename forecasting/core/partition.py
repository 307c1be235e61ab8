"""Cutting series into partitions: disjoint sets of whole series that together are all of them again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Id
from forecasting.core.fitted_model import FittedModel
from forecasting.core.panel import series_of
from forecasting.core.pool import Pool

# Which series a model learns from together; they stay in one partition.
Pooled = Literal["nothing", "product", "everything"]

LARGEST_BUCKET = 8_000  # series: 120 weeks of them take about half a gigabyte
FEWEST_BUCKETS = 16  # each reads every week of its stores


@dataclass(frozen=True, eq=False)
class Partition:
    """Which series one task forecasts, without their rows.

    series: the distinct (`store`, `product`), sorted.
    """

    name: str
    series: pd.DataFrame

    @property
    def stores(self) -> tuple[Id, Id]:
        """The first and the last store: the rows of the partition lie between them."""
        return self.series["store"].iloc[0], self.series["store"].iloc[-1]

    def only(self, series: pd.DataFrame, name: str) -> "Partition":
        """Return the partition with these series only, under another name."""
        return Partition(name, series.reset_index(drop=True))


@dataclass(frozen=True, eq=False)
class PartitionData:
    """The rows that one task forecasts from: all that the model of its series may use.

    panel: the target series up to the cutoff (see `forecasting.core.panel.build_panel`).
    promotions: covariates of all products of these stores, past and future; complete in the coming weeks, where
        `known` marks what was announced (see `forecasting.core.panel.complete_promotions`).
    fitted: the fitted model to predict by; None where the task fits one.
    pool: what the model has learnt from the pooled stores; None where it learns from the panel.
    """

    name: str
    panel: pd.DataFrame
    promotions: pd.DataFrame
    fitted: FittedModel | None = None
    pool: Pool | None = None

    @property
    def series(self) -> pd.DataFrame:
        """The distinct (`store`, `product`) of the partition, sorted."""
        return series_of(self.panel)

    def only(self, series: pd.DataFrame, name: str | None = None) -> "PartitionData":
        """Return the partition with these series only."""
        panel = self.panel.merge(series, on=schemas.SERIES).sort_values(schemas.CELL, ignore_index=True)
        promotions = self.promotions[self.promotions["store"].isin(series["store"])]
        return replace(self, name=name or self.name, panel=panel, promotions=promotions)


def plan_partitions(
    series: pd.DataFrame, *, mini_batch_size: int, pooled: Pooled, name: str = "part"
) -> list[Partition]:
    """Cut series into partitions.

    Args:
        series: the distinct (`store`, `product`), sorted.
        mini_batch_size: most series in one partition; a product that has more stays whole all the same.
        pooled: what the model learns from together stays together, however large.
        name: that their names begin with.

    Returns:
        Disjoint partitions that together have all series; those of a model that pools nothing are contiguous.
    """
    if series.empty:
        return []
    if pooled == "everything":
        number = np.zeros(len(series), dtype="int64")
    elif pooled == "product":
        sizes = series["product"].value_counts().sort_index()
        number = series["product"].map(_pack(sizes, mini_batch_size)).to_numpy("int64")
    else:
        n_partitions = -(-len(series) // mini_batch_size)
        number = np.arange(len(series)) * n_partitions // len(series)
    return [
        Partition("everything" if pooled == "everything" else f"{name}-{index:04d}", rows.reset_index(drop=True))
        for index, rows in series.groupby(number)
    ]


def stores_of(partitions: Sequence[Partition]) -> frozenset[Id]:
    """Return the stores of some partitions."""
    return frozenset(store for each in partitions for store in each.series["store"].unique().tolist())


def is_pooled_apart(series: pd.DataFrame, most_pooled: int | None) -> bool:
    """Return whether a product has more stores than a model learns from: it then learns first, and forecasts after."""
    return most_pooled is not None and bool((series.groupby("product").size() > most_pooled).any())


def bucket_size(series: pd.DataFrame, mini_batch_size: int) -> int:
    """Return how many series one task forecasts by pools: enough tasks for many workers, and few reads of a week."""
    return max(mini_batch_size, min(LARGEST_BUCKET, len(series) // FEWEST_BUCKETS))


def partition_panel(
    panel: pd.DataFrame, promotions: pd.DataFrame, *, mini_batch_size: int, pooled: Pooled
) -> list[PartitionData]:
    """Cut a panel that is held in memory into partitions with their rows; see `plan_partitions`.

    Args:
        panel: one row per (`store`, `product`, `week`).
        promotions: table `promotions`, past and future.

    Returns:
        Partitions whose panels are disjoint and rejoin to `panel`; which series go together does not
        depend on the order of the rows.
    """
    planned = plan_partitions(series_of(panel), mini_batch_size=mini_batch_size, pooled=pooled)
    if not planned:
        return []
    labels = pd.concat([each.series.assign(partition=number) for number, each in enumerate(planned)])
    return [
        PartitionData(
            name=planned[number].name,
            panel=rows.drop(columns="partition").sort_values(schemas.CELL, ignore_index=True),
            promotions=promotions[promotions["store"].isin(rows["store"].unique())].reset_index(drop=True),
        )
        for number, rows in panel.merge(labels, on=schemas.SERIES).groupby("partition", sort=True)
    ]


def _pack(sizes: pd.Series, most: int) -> dict[Id, int]:
    """Return numbers of partitions by product: as many whole products, in order, as fit into `most` series."""
    numbers: dict[Id, int] = {}
    number = filled = 0
    for product, size in sizes.items():
        if filled and filled + size > most:
            number, filled = number + 1, 0
        filled += size
        numbers[product] = number
    return numbers
