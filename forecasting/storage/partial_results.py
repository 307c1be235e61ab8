"""Finished partitions of an unfinished run, kept in staging so that a resumed run does not start over."""

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import SchemaError
from forecasting.contracts.table import Table
from forecasting.core.panel import series_of
from forecasting.core.partition import Partition
from forecasting.storage.files import read_table, write_table
from forecasting.storage.lake import Lake

# Rows of a partition are kept as they came from the model, before they are checked.
PARTIAL = Table(
    "partial",
    "Rows of the table forecast, of one partition.",
    schemas.FORECAST.key,
    schemas.FORECAST.nullable,
)


def keep_partial(lake: Lake, run_id: str, partition: Partition, rows: pd.DataFrame) -> None:
    """Keep the rows of a finished partition; the run id stands for input, options and code."""
    write_table(lake.staging(run_id) / "partitions" / f"{partition.name}.parquet", rows, PARTIAL)


def kept_partials(lake: Lake, run_id: str, partitions: list[Partition]) -> dict[str, pd.DataFrame]:
    """The rows that an earlier try of this very run left, by name of partition; a damaged file counts as none."""
    kept = {}
    for partition in partitions:
        path = lake.staging(run_id) / "partitions" / f"{partition.name}.parquet"
        if path.exists():
            try:
                rows = read_table(path, PARTIAL)
            except SchemaError:
                path.unlink()
                continue
            # The name says nothing of the series: that try may have cut the batch into other partitions.
            if series_of(rows).equals(partition.series.astype("int32")):
                kept[partition.name] = rows
    return kept
