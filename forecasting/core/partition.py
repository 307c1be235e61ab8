"""Cutting a panel into partitions: disjoint sets of whole series that together are the panel again."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Id
from forecasting.core.fitted_model import FittedModel
from forecasting.core.panel import series_of

# Which series a model learns from together; they stay in one partition.
Pooled = Literal["nothing", "product", "everything"]


@dataclass(frozen=True)
class Partition:
    """The series that one task forecasts, with all that their model may use.

    panel: the target series up to the cutoff (see `forecasting.core.panel.build_panel`).
    promotions: covariates of all products of these stores, past and future; complete in the coming weeks, where
        `known` marks what was announced (see `forecasting.core.panel.complete_promotions`).
    fitted: the fitted model to predict by; None where the task fits one.
    """

    name: str
    panel: pd.DataFrame
    promotions: pd.DataFrame
    fitted: FittedModel | None = None

    @property
    def series(self) -> pd.DataFrame:
        """The distinct (`store`, `product`) of the partition, sorted."""
        return series_of(self.panel)

    def only(self, series: pd.DataFrame) -> "Partition":
        """Return the partition with these series only."""
        panel = self.panel.merge(series, on=schemas.SERIES).sort_values(schemas.CELL, ignore_index=True)
        promotions = self.promotions[self.promotions["store"].isin(series["store"])]
        return replace(self, panel=panel, promotions=promotions)


def partition_panel(
    panel: pd.DataFrame, promotions: pd.DataFrame, *, mini_batch_size: int, pooled: Pooled
) -> list[Partition]:
    """Cut `panel` into partitions of whole series.

    Args:
        panel: one row per (`store`, `product`, `week`).
        promotions: table `promotions`, past and future.
        mini_batch_size: most series in one partition; a product that has more stays whole all the same.
        pooled: what the model learns from together stays together, however large.

    Returns:
        Partitions whose panels are disjoint and rejoin to `panel`; which series go together does not
        depend on the order of the rows.
    """
    series = series_of(panel)
    if pooled == "everything":
        label = pd.Series("everything", index=series.index)
    elif pooled == "product":
        label = series["product"].map(_pack(series["product"].value_counts().sort_index(), mini_batch_size))
    else:
        n_partitions = -(-len(series) // mini_batch_size)
        label = pd.Series(np.arange(len(series)) * n_partitions // max(len(series), 1)).map("part-{:04d}".format)
    labelled = panel.merge(series.assign(partition=label), on=schemas.SERIES)
    return [
        Partition(
            name=str(name),
            panel=rows.drop(columns="partition").sort_values(schemas.CELL, ignore_index=True),
            promotions=promotions[promotions["store"].isin(rows["store"].unique())].reset_index(drop=True),
        )
        for name, rows in labelled.groupby("partition", sort=True)
    ]


def _pack(sizes: pd.Series, most: int) -> dict[Id, str]:
    """Return names of partitions by product: as many whole products, in order, as fit into `most` series."""
    names: dict[Id, str] = {}
    number = filled = 0
    for product, size in sizes.items():
        if filled and filled + size > most:
            number, filled = number + 1, 0
        filled += size
        names[product] = f"part-{number:04d}"
    return names
