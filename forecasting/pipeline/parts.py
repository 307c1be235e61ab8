"""The parts of a week's forecast: workers read the rows of their partition from the lake, and write what they made."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

import pandas as pd

from forecasting.compute.transfer import RowsUnreadable
from forecasting.contracts import schemas
from forecasting.contracts.errors import RunError, SchemaError
from forecasting.contracts.panel_definition import Id, Series
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.completeness import active_series
from forecasting.core.fitted_model import FittedModel
from forecasting.core.forecast_checks import keys_of, unusable_series
from forecasting.core.panel import build_panel, complete_promotions
from forecasting.core.partition import Partition, PartitionData
from forecasting.core.point_in_time import Snapshot
from forecasting.core.retry_queue import Part
from forecasting.pipeline.forecast import fallback, forecast_partition, join, untrained_series
from forecasting.storage.lake import Lake


@dataclass(frozen=True)
class PartitionReader:
    """Reads the rows of partitions, on a worker or in the driver, as they were known at one moment.

    url: of the lake.
    run_id: names the rows too: equal ids stand for equal input.
    version: of the registered model to predict by; None where each task fits its own.
    guesses: what the chain offers (`guess_offers`); None where each partition has all of its stores.
    """

    url: str
    run_id: str
    as_of: datetime
    spec: ForecastSpec
    version: str | None = None
    guesses: pd.DataFrame | None = field(default=None, repr=False, compare=False)

    def read(self, partition: Partition) -> PartitionData:
        """Return the rows of a partition: those that a cut of the whole panel would give it, to the bit."""
        snapshot, complete = _stores(self, partition.stores)
        panel = build_panel(snapshot.sales, snapshot.promotions, partition.series, self.spec.cutoff)
        here = complete["store"].isin(partition.series["store"].unique())
        fitted = self.fitted()
        return PartitionData(
            partition.name, panel, complete[here].reset_index(drop=True), fitted and fitted.only(partition.series)
        )

    def fitted(self) -> FittedModel | None:
        """Return the registered model to predict by."""
        return _model(self.url, self.version) if self.version else None


@lru_cache(maxsize=1)
def _stores(reader: PartitionReader, stores: tuple[Id, Id]) -> tuple[Snapshot, pd.DataFrame]:
    """Return the rows of some stores, and their completed promotions; partitions of other products need the same."""
    spec = reader.spec
    snapshot = Lake(reader.url).snapshot(spec.cutoff, reader.as_of, stores=stores)
    promotions = snapshot.promotions[schemas.promotions(spec.definition).columns]
    active = active_series(snapshot.sales, spec.cutoff, spec.definition.unsold)
    complete = complete_promotions(promotions, active, spec.cutoff, spec.weeks[-1], spec.definition, reader.guesses)
    return Snapshot(snapshot.sales, promotions), complete


@lru_cache(maxsize=1)
def _model(url: str, version: str) -> FittedModel:
    return Lake(url).models.load(version)[1]


def forecast_data(data: PartitionData, spec: ForecastSpec) -> Part:
    """On a worker: forecast a partition whose rows were sent, and send its rows back."""
    rows = forecast_partition(data, spec)
    return Part(data.name, rows, _reasons(rows, data.series, data.fitted, spec))


def forecast_part(work: Partition | PartitionData, reader: PartitionReader) -> Part:
    """On a worker: forecast a partition, and write its rows into the lake.

    Args:
        work: the partition; or its rows, where this worker does not reach the lake: then the forecasts come back.

    Raises:
        RowsUnreadable: the lake cannot be read or written here.
    """
    if isinstance(work, PartitionData):
        return forecast_data(work, reader.spec)
    lake = Lake(reader.url)
    try:
        if not lake.partials.has_begun(reader.run_id):
            raise RowsUnreadable(f"{reader.url} is not the lake of the run {reader.run_id}")
        data = reader.read(work)
    except (OSError, SchemaError) as error:
        raise RowsUnreadable(str(error)) from error
    made = forecast_data(data, reader.spec)
    try:
        lake.partials.write(reader.run_id, made.name, made.rows)
    except OSError as error:
        raise RowsUnreadable(str(error)) from error
    return replace(made, rows=None)


def _reasons(
    rows: pd.DataFrame, series: pd.DataFrame, fitted: FittedModel | None, spec: ForecastSpec
) -> dict[Series, str]:
    return unusable_series(rows, series, spec) | untrained_series(series, fitted)


@dataclass(frozen=True)
class StagedForecast:
    """The parts of a forecast in the lake, from which its one file is made.

    parts: names of the files of each partition.
    reasons: why series failed; they get a fallback.
    """

    lake: Lake
    partitions: list[Partition]
    reader: PartitionReader
    parts: Mapping[str, tuple[str, ...]]
    reasons: Mapping[Series, str]

    def frames(self) -> Iterator[pd.DataFrame]:
        """Return the rows in order of their key, as many at a time as have to be sorted together.

        Raises:
            RunError: a series × step is missing, there twice, or has unusable numbers.
        """
        for partitions in _in_order(self.partitions):
            rows = [self._read(name) for each in partitions for name in self.parts[each.name]]
            series = pd.concat([each.series for each in partitions], ignore_index=True)
            here = {key: self.reasons[key] for key in keys_of(series) if key in self.reasons} if self.reasons else {}
            yield join(rows, self._fallbacks(partitions, here), series, here, self.reader.spec)

    def _read(self, name: str) -> pd.DataFrame:
        rows = self.lake.partials.read(self.reader.run_id, name)
        if rows is None:
            raise RunError(
                f"The part {name} of the run {self.reader.run_id} is damaged or has been removed",
                "run again: only this part is computed anew",
            )
        return rows

    def _fallbacks(self, partitions: list[Partition], reasons: Mapping[Series, str]) -> Iterator[pd.DataFrame]:
        for partition in partitions if reasons else ():
            if here := {key: reasons[key] for key in keys_of(partition.series) if key in reasons}:
                failed = partition.only(pd.DataFrame(sorted(here), columns=schemas.SERIES), partition.name)
                yield fallback(replace(self.reader, version=None).read(failed), self.reader.spec, here)


def _in_order(partitions: list[Partition]) -> Iterator[list[Partition]]:
    """Return the partitions by their first series; those of which one begins before the other ends are together."""
    together: list[Partition] = []
    last: Series | None = None
    for partition in sorted(partitions, key=lambda each: tuple(each.series.iloc[0])):
        first = tuple(partition.series.iloc[0])
        if last is not None and first > last:
            yield together
            together, last = [], None
        together.append(partition)
        last = max(last or first, tuple(partition.series.iloc[-1]))
    if together:
        yield together
