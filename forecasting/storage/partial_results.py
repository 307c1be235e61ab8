"""Finished partitions of a run that has not published yet, so that a run that is started again goes on from them.

    staging/<run_id>/partitions/<partition>.parquet

The run id is made of input, options and code: other runs do not read them.
"""

import shutil
from pathlib import Path

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import SchemaError
from forecasting.contracts.table import Table
from forecasting.core.panel import series_of
from forecasting.core.partition import Partition
from forecasting.storage.files import read_table, write_table

# Rows as the model returned them, before they are checked.
PARTIAL = Table(
    "partial",
    "Rows of the table forecast, of one partition.",
    schemas.FORECAST.key,
    schemas.FORECAST.nullable,
)


class PartialResults:
    """Reads and writes finished partitions of unfinished runs."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "staging"

    def folder(self, run_id: str) -> Path:
        return self._folder / run_id

    def write(self, run_id: str, partition: Partition, rows: pd.DataFrame) -> None:
        """Write the forecasts of a finished partition."""
        write_table(self._path(run_id, partition), rows, PARTIAL)

    def read(self, run_id: str, partitions: list[Partition]) -> dict[str, pd.DataFrame]:
        """Return the forecasts that an earlier try of this run left, by partition name, without damaged files."""
        found = {}
        for partition in partitions:
            path = self._path(run_id, partition)
            if path.exists():
                try:
                    rows = read_table(path, PARTIAL)
                except SchemaError:
                    path.unlink()
                    continue
                # With another mini batch size, a partition of the same name has other series.
                if series_of(rows).equals(partition.series.astype("int32")):
                    found[partition.name] = rows
        return found

    def clear(self, run_id: str) -> None:
        """Remove the partitions of a run that has published."""
        shutil.rmtree(self.folder(run_id), ignore_errors=True)

    def _path(self, run_id: str, partition: Partition) -> Path:
        return self.folder(run_id) / "partitions" / f"{partition.name}.parquet"
