"""What a lake has published: runs, the forecasts in force, what those knew, and the receipts of all runs."""

import shutil
from collections.abc import Iterator
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import DataError, SchemaError
from forecasting.contracts.run_record import Outcome, RunRecord, adapter
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.point_in_time import Snapshot
from forecasting.storage.collected import Collected
from forecasting.storage.files import read_json, read_metadata, read_table, read_undamaged, write_text
from forecasting.storage.weekly_table import dates


class Published(Collected):
    """The part of a lake that runs publish; `forecasting.storage.publish` writes the forecasts."""

    def run_folder(self, cutoff: date, run_id: str) -> Path:
        return self.root / "runs" / str(cutoff) / run_id

    def staging(self, run_id: str) -> Path:
        return self.root / "staging" / run_id

    def clear_staging(self, run_id: str) -> None:
        shutil.rmtree(self.staging(run_id), ignore_errors=True)

    @property
    def published_root(self) -> Path:
        return self.root / "published"

    def run_spec(self, cutoff: date, run_id: str) -> ForecastSpec | None:
        """Return the spec of a published run; None where it has no manifest."""
        path = self.run_folder(cutoff, run_id) / "manifest.json"
        return adapter(ForecastSpec).validate_python(read_json(path)["spec"]) if path.exists() else None

    def published_path(self, cutoff: date) -> Path:
        return self.published_root / str(cutoff) / "forecast.parquet"

    def published_cutoffs(self) -> list[date]:
        """Cutoffs with a published forecast, oldest first."""
        return [cutoff for cutoff in dates(self.published_root, "*") if self.published_path(cutoff).exists()]

    def newest_published(self) -> date:
        """The last cutoff of which a forecast is published.

        Raises:
            DataError: there is none.
        """
        if not (known := self.published_cutoffs()):
            raise DataError(f"The lake {self.root} has no published forecast", "make one first: oj run")
        return known[-1]

    def published_run_id(self, cutoff: date) -> str | None:
        """The run whose forecast is in force; None where there is none, or its file is damaged."""
        path = self.published_path(cutoff)
        try:
            return read_metadata(path)["run_id"] if path.exists() else None
        except SchemaError:
            return None  # a damaged file is replaced by the next run

    def published_metadata(self, cutoff: date) -> dict[str, str]:
        """What the published file says of itself: `run_id`, `point`, and `model_version` where one was kept.

        Raises:
            SchemaError: it is damaged.
        """
        return read_metadata(self.published_path(cutoff))

    def as_of(self, cutoff: date) -> datetime | None:
        """Up to which moment the run in force had collected; None where there is none, or it does not say."""
        manifest = self.run_folder(cutoff, self.published_run_id(cutoff) or "none") / "manifest.json"
        as_of = read_json(manifest).get("as_of") if manifest.exists() else None
        return datetime.fromisoformat(as_of) if as_of else None

    def snapshot_of(self, cutoff: date) -> Snapshot:
        """What the run whose forecast of `cutoff` is in force knew, whatever was collected later.

        Raises:
            DataError: there is none, or it does not say what it knew.
        """
        as_of = self.as_of(cutoff)
        if not as_of:
            raise DataError(
                f"The lake {self.root} has no forecast of the week of {cutoff} that says what it knew",
                f"make it with `oj run --cutoff {cutoff}`",
            )
        return self.snapshot(cutoff, as_of)

    def published(self, cutoff: date) -> pd.DataFrame:
        """The forecast in force (table `forecast`)."""
        return read_table(self.published_path(cutoff), schemas.FORECAST)

    def published_digest(self, cutoff: date) -> str:
        """A hash of the file of the forecast in force."""
        return sha256(self.published_path(cutoff).read_bytes()).hexdigest()[:16]

    def published_before(self, cutoff: date, count: int) -> pd.DataFrame:
        """The forecasts in force of the last `count` cutoffs before this one (table `forecast`); no damaged ones."""
        earlier = [each for each in self.published_cutoffs() if each < cutoff][-count:]
        return read_undamaged(map(self.published_path, earlier), schemas.FORECAST)

    def replaced(self, cutoff: date) -> pd.DataFrame:
        """The forecast that the one in force took the place of; empty where none is, or it is damaged."""
        current_forecast = self.published_run_id(cutoff)
        settled = (self.root / "runs" / str(cutoff)).glob("*/forecast.parquet")
        others = [path for path in settled if path.parent.name != current_forecast]
        newest = sorted(others, key=lambda path: path.stat().st_mtime_ns)[-1:]
        return read_undamaged(newest, schemas.FORECAST)

    def run_record_of(self, cutoff: date, run_id: str | None) -> RunRecord | None:
        """Return the record of the run that published this forecast; None where there is none."""
        published = (record for record in self.run_records(cutoff) if record.outcome is Outcome.PUBLISHED)
        return next((record for record in published if _run_id(record) == run_id), None)

    def run_records(self, cutoff: date) -> Iterator[RunRecord]:
        """Yield the records of all runs of a week, newest first."""
        for path in sorted((self.root / "run_records" / str(cutoff)).glob("*.json"), reverse=True):
            yield RunRecord.from_json(path.read_bytes())

    def write_run_record(self, record: RunRecord) -> Path:
        """Write the record of a run; it replaces that of a run of the same start."""
        path = self.root / "run_records" / str(record.week) / f"{record.started:%Y%m%dT%H%M%S.%fZ}.json"
        write_text(path, record.to_json() + "\n")
        return path

    def last_run_record(self) -> RunRecord | None:
        """Return the record of the run that started last, of any week; None where there is none."""
        paths = sorted((self.root / "run_records").glob("*/*.json"), key=lambda path: path.name)
        return RunRecord.from_json(paths[-1].read_bytes()) if paths else None


def _run_id(record: RunRecord) -> str | None:
    return (record.results.get("published_forecast") or {}).get("run_id")
