"""Lineage: the files that a forecast was made from."""

import hashlib
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from forecasting.contracts.spec import ForecastSpec
from forecasting.storage.lake import Lake
from forecasting.storage.location import Location


@dataclass(frozen=True)
class LineageStep:
    """One step from the inbox to the report.

    name: for people.
    folder: of its files.
    files, rows: their number; no rows are counted in the files of the inbox.
    sha256: of the files' bytes, one file after the other, by name.
    """

    name: str
    folder: Location
    files: int
    rows: int | None
    sha256: str


def trace(lake: Lake, spec: ForecastSpec) -> list[LineageStep]:
    """Return the steps that led to the current forecast and its report, in their order."""
    cutoff = spec.cutoff
    return [
        _origin("files that were sent", lake.archive.folder(cutoff), lake.archive.files(cutoff), rows=False),
        _origin(f"sales up to {cutoff}", lake.root / "sales", lake.sales.files(cutoff)),
        _origin(f"promotions announced up to {cutoff}", lake.root / "promotions", lake.promotions.files(cutoff)),
        _origin("forecast", *_single(lake.forecasts.path(cutoff))),
        _origin("report", *_single(lake.reports.table_path)),
    ]


def _origin(name: str, folder: Location, files: list[Location], *, rows: bool = True) -> LineageStep:
    counted = 0 if rows else None
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(content)
        if counted is not None:
            counted += pq.read_metadata(pa.BufferReader(content)).num_rows
    return LineageStep(name, folder, len(files), counted, digest.hexdigest())


def _single(file: Location) -> tuple[Location, list[Location]]:
    return file.parent, [file]
