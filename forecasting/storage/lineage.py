"""What a forecast was made of, as far as the lake's files tell it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from forecasting.contracts.spec import ForecastSpec
from forecasting.storage.lake import Lake


@dataclass(frozen=True)
class Origin:
    """One step on the way from the inbox to the report.

    name: what it is, in words.
    folder: where its files are.
    files: how many files it has.
    rows: how many rows; None where the files are not ours to count.
    sha256: of the files' bytes, one file after the other, in the order of their names.
    """

    name: str
    folder: Path
    files: int
    rows: int | None
    sha256: str


def trace(lake: Lake, spec: ForecastSpec) -> list[Origin]:
    """The steps that led to the forecast in force and its report, the first one first."""
    cutoff = spec.cutoff
    return [
        _origin("files that the stores sent", lake.archive.folder(cutoff), lake.archive.files(cutoff), rows=False),
        _origin(f"sales up to {cutoff}", lake.root / "sales", lake.sales.files(cutoff)),
        _origin(f"promotions told up to {cutoff}", lake.root / "promotions", lake.promotions.files(cutoff)),
        _origin("forecast", *_single(lake.forecasts.path(cutoff))),
        _origin("report", *_single(lake.reports.table_path)),
    ]


def _origin(name: str, folder: Path, files: list[Path], *, rows: bool = True) -> Origin:
    counted = sum(pq.read_metadata(file).num_rows for file in files) if rows else None
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return Origin(name, folder, len(files), counted, digest.hexdigest())


def _single(file: Path) -> tuple[Path, list[Path]]:
    return file.parent, [file]
