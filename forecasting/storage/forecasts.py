"""Forecasts: the finished partitions of unfinished runs, and what is published, one file a cutoff.

    staging/<run_id>/run                                     says that this is the lake of that run
    staging/<run_id>/pool.npz                                what it has learnt from the pooled stores
    staging/<run_id>/partitions/<partition>.parquet          finished partitions of a run that has not published yet
    runs/<cutoff>/<run_id>/forecast.parquet, manifest.json   every forecast that was published; never changed
    published/<cutoff>/forecast.parquet                      the current one, a copy of one of them

A forecast is published in this order, under the lock of its week:

1. The rows are checked and written to the run's folder with page checksums, part by part, read back and compared.
2. The manifest is written. A run without one is unfinished and is not read.
3. The file is copied over `published/<cutoff>/forecast.parquet`: **this one step is the commit**.

Where a process is killed at any point, readers find the old forecast or the new one, whole.
"""

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa

from forecasting.contracts import schemas
from forecasting.contracts.errors import DataError, RunError, SchemaError
from forecasting.contracts.spec import ForecastSpec
from forecasting.contracts.table import Table
from forecasting.core.forecast_checks import complete, unusable_series
from forecasting.core.panel import series_of
from forecasting.core.partition import Partition
from forecasting.core.pool import Pool
from forecasting.storage.files import (
    copy_from,
    dates,
    digest_of,
    json_if_any,
    read_columns,
    read_metadata,
    read_table,
    read_undamaged,
    sha256_of,
    write_frames,
    write_json,
    write_table,
)
from forecasting.storage.location import Location
from forecasting.storage.reference import Reference


class PartialResults:
    """Reads and writes finished partitions of unfinished runs, so that a run that is started again goes on from them.

    The run id is made of input, options and code: other runs do not read them.
    """

    def __init__(self, root: Location, reference: Reference) -> None:
        self._folder = root / "staging"
        self._reference = reference

    def folder(self, run_id: str) -> Location:
        return self._folder / run_id

    def begin(self, run_id: str) -> None:
        """Mark the lake as the one that the run reads and writes."""
        (self.folder(run_id) / "run").write_text(run_id)

    def has_begun(self, run_id: str) -> bool:
        """Return whether this is the lake of that run, and not a copy of it or another one of the same name."""
        return (self.folder(run_id) / "run").exists()

    def write_pool(self, run_id: str, pool: Pool) -> None:
        """Write what the run has learnt from the pooled stores."""
        self._pool(run_id).write_bytes(pool.to_bytes())

    def read_pool(self, run_id: str) -> Pool | None:
        """Return what the run has learnt from the pooled stores; None where it has not yet."""
        try:
            return Pool.from_bytes(self._pool(run_id).read_bytes())
        except FileNotFoundError:
            return None

    def _pool(self, run_id: str) -> Location:
        return self.folder(run_id) / "pool.npz"

    def write(self, run_id: str, name: str, rows: pd.DataFrame) -> None:
        """Write the rows of one task, in one step."""
        write_table(self._path(run_id, name), rows, self._table)

    def read(self, run_id: str, name: str) -> pd.DataFrame | None:
        """Return the rows of one task; None where there are none, or their file is damaged."""
        try:
            return read_table(self._path(run_id, name), self._table)
        except SchemaError:
            return None

    def finished(self, run_id: str, partitions: list[Partition], spec: ForecastSpec) -> set[str]:
        """Return the names of the partitions that an earlier try of this run has finished, without a bad series."""
        there = {file.stem for file in self._partitions(run_id).files(".parquet")}
        found = set()
        for partition in partitions:
            if partition.name in there and (rows := self.read(run_id, partition.name)) is not None:
                # With another mini batch size, a partition of the same name has other series.
                is_same = series_of(rows).equals(partition.series)
                if is_same and not unusable_series(rows, partition.series, spec):
                    found.add(partition.name)
        return found

    def clear(self, run_id: str) -> None:
        """Remove the partitions of a run that has published."""
        with suppress(OSError):  # what is left costs room only
            self.folder(run_id).delete()

    @property
    def _table(self) -> Table:
        """Rows as the model returned them, before they are checked."""
        forecast = schemas.forecast(self._reference.definition)
        return Table("partial", "Rows of the table forecast, of one partition.", forecast.key, forecast.nullable)

    def _path(self, run_id: str, name: str) -> Location:
        return self._partitions(run_id) / f"{name}.parquet"

    def _partitions(self, run_id: str) -> Location:
        return self.folder(run_id) / "partitions"


SCHEMA_VERSION = "1"


class Forecasts:
    """Publishes forecasts and reads published ones."""

    def __init__(self, root: Location, partials: PartialResults, reference: Reference) -> None:
        self._root = root
        self.folder = root / "published"
        self._runs = root / "runs"
        self._partials = partials
        self._reference = reference

    def publish(
        self,
        frames: Iterable[pd.DataFrame],
        series: pd.DataFrame,
        spec: ForecastSpec,
        run_id: str,
        as_of: datetime | None = None,
        model_version: str | None = None,
    ) -> Location:
        """Make a forecast the current one of its cutoff.

        Args:
            frames: table `forecast` of one cutoff, cut into frames of whole series, in order of the key.
            series: the series that were to be forecast, sorted; each must be there at every step.
            run_id: identity of the run, from its input, options and code.
            as_of: the moment up to which everything that the forecast was made from had been collected.
            model_version: version of the registered model that made it, if it was one.

        Returns:
            The path of the published file.

        Raises:
            RunError: the forecast is incomplete, or what was read back is not what was written.
        """
        run, published = self.run_folder(spec.cutoff, run_id), self.path(spec.cutoff)
        made_by = {"model_version": model_version} if model_version else {}
        identity = {"run_id": run_id, "schema_version": SCHEMA_VERSION} | made_by
        metadata = identity | {"cutoff": str(spec.cutoff), "point": spec.point}
        asked = {"spec": spec.as_dict(), "as_of": as_of and as_of.isoformat()}
        with tempfile.TemporaryFile() as content:
            checked = complete(frames, series, spec)
            rows = write_frames(content, checked, schemas.forecast(spec.definition), metadata)
            content.seek(0)
            digest = digest_of(content)
            if not _is_stored(run, digest):
                _store(run, content, identity | asked | {"rows": rows, "sha256": digest})
            copy_from(content, published)
        self._partials.clear(run_id)
        return published

    def read(self, cutoff: date) -> pd.DataFrame:
        """Return the current forecast (table `forecast`)."""
        return read_table(self.path(cutoff), self._table)

    def columns(self, cutoff: date, names: list[str]) -> pa.Table:
        """Return some columns of the current forecast, in order of its key.

        Raises:
            SchemaError: the file is damaged.
        """
        return read_columns(self.path(cutoff), self._table, names)

    @property
    def _table(self) -> Table:
        return schemas.forecast(self._reference.definition)

    def path(self, cutoff: date) -> Location:
        return self.folder / str(cutoff) / "forecast.parquet"

    def run_folder(self, cutoff: date, run_id: str) -> Location:
        return self._runs / str(cutoff) / run_id

    def cutoffs(self) -> list[date]:
        """Return the cutoffs with a published forecast, oldest first."""
        places = map(self.folder.at, self.folder.walk())
        return dates(place.parent.name for place in places if place.name == "forecast.parquet")

    def newest(self) -> date:
        """Return the last cutoff with a published forecast.

        Raises:
            DataError: there is none.
        """
        if not (found := self.cutoffs()):
            raise DataError(f"The lake {self._root} has no published forecast", "make one first: oj run")
        return found[-1]

    def run_id(self, cutoff: date) -> str | None:
        """Return the run that made the current forecast; None where there is none, or its file is damaged."""
        path = self.path(cutoff)
        try:
            return read_metadata(path)["run_id"] if path.exists() else None
        except SchemaError:
            return None  # the next run replaces a damaged file

    def metadata(self, cutoff: date) -> dict[str, str]:
        """Return the metadata of the published file: `run_id`, `point`, and `model_version` of a registered model.

        Raises:
            SchemaError: the file is damaged.
        """
        return read_metadata(self.path(cutoff))

    def is_whole(self, cutoff: date) -> bool:
        """Return whether the current forecast is, byte for byte, the one that its run has made."""
        manifest = self._manifest(cutoff, self.run_id(cutoff) or "none")
        return bool(manifest) and manifest["sha256"] == sha256_of(self.path(cutoff))

    def digest(self, cutoff: date) -> str:
        """Return a hash of the published file."""
        return sha256_of(self.path(cutoff))[:16]

    def before(self, cutoff: date, count: int) -> pd.DataFrame:
        """Return the current forecasts of the last `count` cutoffs before this one, without damaged files."""
        earlier = [each for each in self.cutoffs() if each < cutoff][-count:]
        return read_undamaged(map(self.path, earlier), self._table)

    def replaced(self, cutoff: date) -> pd.DataFrame:
        """Return the forecast that the current one replaced; empty where there was none, or its file is damaged."""
        current = self.run_id(cutoff)
        found = {self._runs.at(entry): entry.changed for entry in (self._runs / str(cutoff)).walk()}
        finished = [place.parent for place in found if place.name == "manifest.json"]
        others = [run / "forecast.parquet" for run in finished if run.name != current]
        newest = sorted((each for each in others if each in found), key=lambda each: found[each])[-1:]
        return read_undamaged(newest, self._table)

    def spec_of(self, cutoff: date, run_id: str) -> ForecastSpec | None:
        """Return what a published run was asked for; None where its manifest is missing."""
        manifest = self._manifest(cutoff, run_id)
        return ForecastSpec.from_dict(manifest["spec"]) if manifest else None

    def as_of(self, cutoff: date) -> datetime | None:
        """Return up to which moment the current run had collected; None where there is none, or it does not say."""
        as_of = self._manifest(cutoff, self.run_id(cutoff) or "none").get("as_of")
        return datetime.fromisoformat(as_of) if as_of else None

    def _manifest(self, cutoff: date, run_id: str) -> Mapping[str, Any]:
        return json_if_any(self.run_folder(cutoff, run_id) / "manifest.json") or {}


def _is_stored(run: Location, digest: str) -> bool:
    """Return whether an earlier run stored this very forecast, and it is undamaged."""
    file = run / "forecast.parquet"
    return (run / "manifest.json").exists() and file.exists() and sha256_of(file) == digest


def _store(run: Location, content: BinaryIO, manifest: Mapping[str, Any]) -> None:
    """Write a run's forecast, verify it, and write its manifest last; replaces an unfinished or damaged run."""
    file = run / "forecast.parquet"
    (run / "manifest.json").delete()
    copy_from(content, file)
    if sha256_of(file) != manifest["sha256"]:
        raise RunError(
            f"The forecast read back from {file} differs from what was written",
            "check the disk, then run again; nothing was published",
        )
    write_json(run / "manifest.json", manifest)
