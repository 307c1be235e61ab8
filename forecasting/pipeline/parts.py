"""The parts of a week's forecast: workers read the rows of their partition from the lake, and write what they made."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

import pandas as pd

from forecasting.compute.transfer import RowsUnreadable
from forecasting.contracts import schemas
from forecasting.contracts.errors import SchemaError
from forecasting.contracts.panel_definition import Id
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.completeness import active_series
from forecasting.core.fitted_model import FittedModel
from forecasting.core.forecast_checks import unusable_series
from forecasting.core.panel import build_panel, complete_promotions
from forecasting.core.partition import Partition, PartitionData
from forecasting.core.point_in_time import Snapshot
from forecasting.core.pool import Pool
from forecasting.core.retry_queue import Part
from forecasting.models import get_model
from forecasting.pipeline.forecast import forecast_partition, untrained_series
from forecasting.storage.lake import Lake


@dataclass(frozen=True)
class PartitionReader:
    """Reads the rows of partitions, on a worker or in the driver, as they were known at one moment.

    url: of the lake.
    run_id: names the rows too: equal ids stand for equal input.
    version: of the registered model to predict by; None where each task fits its own.
    by_pool: whether tasks forecast by what the run has learnt from the pooled stores before.
    guesses: what the chain offers (`guess_offers`); None where each partition has all of its stores.
    """

    url: str
    run_id: str
    as_of: datetime
    spec: ForecastSpec
    version: str | None = None
    by_pool: bool = False
    guesses: pd.DataFrame | None = field(default=None, repr=False, compare=False)

    def read(self, partition: Partition) -> PartitionData:
        """Return the rows of a partition: those that a cut of the whole panel would give it, to the bit."""
        data, fitted = self._rows(partition, _stores(self, partition.stores)), self.fitted()
        pool = _pool(self.url, self.run_id) if self.by_pool else None
        return replace(data, fitted=fitted and fitted.only(partition.series), pool=pool)

    def read_pooled(self, partition: Partition, stores: frozenset[Id]) -> PartitionData:
        """Return the rows of a partition of pooled series.

        Args:
            stores: the pooled stores of all products, whose rows are read once for all partitions.
        """
        return self._rows(partition, _stores(self, (min(stores), max(stores)), stores))

    def _rows(self, partition: Partition, stores: tuple[Snapshot, pd.DataFrame]) -> PartitionData:
        snapshot, complete = stores
        panel = build_panel(snapshot.sales, snapshot.promotions, partition.series, self.spec.cutoff)
        here = complete["store"].isin(partition.series["store"].unique())
        return PartitionData(partition.name, panel, complete[here].reset_index(drop=True))

    def fitted(self) -> FittedModel | None:
        """Return the registered model to predict by."""
        return _model(self.url, self.version) if self.version else None


@lru_cache(maxsize=1)
def _stores(
    reader: PartitionReader, stores: tuple[Id, Id], among: frozenset[Id] | None = None
) -> tuple[Snapshot, pd.DataFrame]:
    """Return the rows of some stores, and their completed promotions; partitions of other products need the same."""
    spec = reader.spec
    snapshot = Lake(reader.url).snapshot(spec.cutoff, reader.as_of, stores, among)
    promotions = snapshot.promotions[schemas.promotions(spec.definition).columns]
    active = active_series(snapshot.sales, spec.cutoff, spec.definition.unsold)
    complete = complete_promotions(promotions, active, spec.cutoff, spec.weeks[-1], spec.definition, reader.guesses)
    return Snapshot(snapshot.sales, promotions), complete


@lru_cache(maxsize=1)
def _model(url: str, version: str) -> FittedModel:
    return Lake(url).models.load(version)[1]


@lru_cache(maxsize=1)
def _pool(url: str, run_id: str) -> Pool:
    if found := Lake(url).partials.read_pool(run_id):
        return found
    raise FileNotFoundError(f"{url} has no pool of the run {run_id}")


def forecast_data(data: PartitionData, spec: ForecastSpec) -> Part:
    """On a worker: forecast a partition whose rows were sent, and send its rows back."""
    rows = forecast_partition(data, spec)
    failed = unusable_series(rows, data.series, spec) | untrained_series(data.series, data.fitted)
    return Part(data.name, rows, reasons=failed)


def forecast_part(work: Partition | PartitionData, reader: PartitionReader) -> Part:
    """On a worker: forecast a partition, and write its rows into the lake.

    Args:
        work: the partition; or its rows, where this worker does not reach the lake: then the forecasts come back.

    Raises:
        RowsUnreadable: the lake cannot be read or written here.
    """
    if isinstance(work, PartitionData):
        return forecast_data(work, reader.spec)
    with _reading(reader):
        data = reader.read(work)
    made = forecast_data(data, reader.spec)
    with _reading(reader) as lake:
        lake.partials.write(reader.run_id, made.name, made.rows)
    return replace(made, rows=None)


def learn_part(work: Partition | PartitionData, reader: PartitionReader, stores: frozenset[Id]) -> Part:
    """On a worker: learn from pooled series what all series of their products need.

    Args:
        work: as in `forecast_part`.
        stores: as in `PartitionReader.read_pooled`.

    Raises:
        RowsUnreadable: the lake cannot be read here.
    """
    data = work
    if isinstance(data, Partition):
        with _reading(reader):
            data = reader.read_pooled(data, stores)
    return Part(data.name, pool=get_model(reader.spec.model).learn(data.panel, data.promotions, reader.spec))


@contextmanager
def _reading(reader: PartitionReader) -> Iterator[Lake]:
    """Give the lake of the run.

    Raises:
        RowsUnreadable: it cannot be read or written here, or is another one of the same name.
    """
    lake = Lake(reader.url)
    try:
        if not lake.partials.has_begun(reader.run_id):
            raise RowsUnreadable(f"{reader.url} is not the lake of the run {reader.run_id}")
        yield lake
    except (OSError, SchemaError) as error:
        raise RowsUnreadable(str(error)) from error
