"""The parts of a week's forecast in the lake, from which its one file is made."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import RunError
from forecasting.contracts.panel_definition import Series
from forecasting.core.partition import Partition
from forecasting.pipeline.forecast import fallback, join, reasons_among
from forecasting.pipeline.parts import PartitionReader
from forecasting.storage.lake import Lake


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
            here = reasons_among(series, self.reasons)
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
        for partition in partitions:
            if here := reasons_among(partition.series, reasons):
                failed = partition.only(pd.DataFrame(sorted(here), columns=schemas.SERIES), partition.name)
                yield fallback(replace(self.reader, version=None, by_pool=False).read(failed), self.reader.spec, here)


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
