"""The lake: the root folder of everything the system keeps. This file alone knows its paths.

    inbox/                             files that stores drop; see `forecasting.adapters.inbox`
    archive/<cutoff>/                  inbox files that a run has collected
    reference/stores.parquet, brands.parquet, calendar.json
    sales/<week>.parquet               what was sold in a week
    promotions/<week>.parquet          the prices and promotions of a week, as last known
    quarantine/<cutoff>.parquet        inbox rows that a run did not accept
    ledger/<week>.json                 what was expected of a week, and what came
    acceptances/<week>.json            by whom and why a week may go on with its gaps
    staging/<run_id>/                  unfinished work of a run; never read by anyone else
    runs/<cutoff>/<run_id>/            forecast.parquet and manifest.json; never changed
    receipts/<cutoff>/<started>.json   what each run did, published or not
    notices/<cutoff>-<kind>.json       what people have been told of a week, and need not be told again
    published/<cutoff>/forecast.parquet   the forecasts in force
    report/report.parquet              history and forecasts in one table
    models/<version>/                  a fitted model; see `forecasting.adapters.model_store`
    models/champion.json               the version in force, and those before it
    alarms/<week>.json                 by what the forecasts no longer keep their promise
    clusters/<id>.json, <id>.pem       clusters that would outlive their run; owner's eyes only
    locks/, scratch/

No name in a path comes from the content of data: weeks, run ids and the names of inbox files that match
the declared pattern only.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from forecasting import schemas
from forecasting.adapters.files import read_json, read_metadata, read_table, read_tables, write_json, write_table
from forecasting.errors import DataError, OptionError, SchemaError
from forecasting.ledger import Acceptance
from forecasting.table import Table
from forecasting.validate import merge_newer
from forecasting.weeks import THURSDAY


class Lake:
    """Reads and writes the tables of one lake."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inbox = root / "inbox"
        self.acceptances = root / "acceptances"

    def prepare(self) -> None:
        """Create the root and what is watched in it.

        Raises:
            OptionError: the root cannot be written.
        """
        try:
            self.inbox.mkdir(parents=True, exist_ok=True)
            self.acceptances.mkdir(exist_ok=True)
            probe = self.root / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise OptionError(
                f"lake={self.root}",
                f"cannot be written ({error.strerror})",
                "name another folder with --lake or OJ_LAKE, or correct its permissions",
            ) from error

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Fill an empty lake with history. One whose filling was interrupted counts as empty, and begins anew."""
        marker = self.root / ".filling"
        marker.touch()
        for name in (schemas.SALES.name, schemas.PROMOTIONS.name):
            shutil.rmtree(self.root / name, ignore_errors=True)
        yield
        marker.unlink()

    @property
    def is_empty(self) -> bool:
        """Whether there is no history yet, or only a part of one."""
        return (self.root / ".filling").exists() or not self.weeks_of_sales()

    # Reference tables

    def stores(self) -> pd.DataFrame:
        return self._reference(schemas.STORES)

    def brands(self) -> pd.DataFrame:
        return self._reference(schemas.BRANDS)

    def write_reference(self, stores: pd.DataFrame, brands: pd.DataFrame) -> None:
        write_table(self.root / "reference" / "stores.parquet", stores, schemas.STORES)
        write_table(self.root / "reference" / "brands.parquet", brands, schemas.BRANDS)

    def _reference(self, table: Table) -> pd.DataFrame:
        path = self.root / "reference" / f"{table.name}.parquet"
        if not path.exists():
            raise DataError(
                f"The lake {self.root} has no table of {table.name}",
                "fill it with `oj feed` (the orange juice data), or write that table yourself (docs/data-contract.md)",
            )
        return read_table(path, table)

    @property
    def week_starts_on(self) -> int:
        """The weekday that opens a sales week, Monday = 0; Thursday where nothing else was said."""
        return int(self._calendar().get("week_starts_on", THURSDAY))

    @property
    def time_zone(self) -> str:
        """The clocks by which a week closes, an IANA name; UTC where nothing else was said."""
        return str(self._calendar().get("time_zone", "UTC"))

    def write_calendar(self, week_starts_on: int, time_zone: str = "UTC") -> None:
        content = {"week_starts_on": week_starts_on, "time_zone": time_zone}
        write_json(self.root / "reference" / "calendar.json", content)

    def _calendar(self) -> dict[str, Any]:
        path = self.root / "reference" / "calendar.json"
        return read_json(path) if path.exists() else {}

    # Sales and promotions, one file a week

    def sales(self, until: date | None = None) -> pd.DataFrame:
        """Sales of all weeks, or of those up to `until`; sorted by cell."""
        return self._weekly(schemas.SALES, until)

    def promotions(self) -> pd.DataFrame:
        """Promotions of all weeks, past and future; sorted by cell."""
        return self._weekly(schemas.PROMOTIONS, None)

    def add_sales(self, rows: pd.DataFrame) -> None:
        """Add accepted rows to their weeks; a cell that is already there is replaced."""
        self._add(schemas.SALES, rows)

    def add_promotions(self, rows: pd.DataFrame) -> None:
        """Add what is newly known; a cell that is already there is replaced."""
        self._add(schemas.PROMOTIONS, rows)

    def fill_promotions(self, rows: pd.DataFrame) -> None:
        """Add what is known of cells that the lake does not have; those it has stay."""
        known = self.promotions()[schemas.CELL]
        new = rows.merge(known, on=schemas.CELL, how="left", indicator=True)
        self._add(schemas.PROMOTIONS, new.loc[new["_merge"] == "left_only", schemas.PROMOTIONS.columns])

    def weeks_of_sales(self) -> list[date]:
        """The weeks that have sales, oldest first."""
        return _dates(self.root / "sales", "*.parquet")

    def weekly_files(self, table: Table, until: date | None = None) -> list[Path]:
        """The files of the sales or promotions of all weeks, or of those up to `until`, oldest first."""
        folder = self.root / table.name
        return [folder / f"{week}.parquet" for week in _dates(folder, "*.parquet") if until is None or week <= until]

    def _weekly(self, table: Table, until: date | None) -> pd.DataFrame:
        rows = read_tables(self.weekly_files(table, until), table)
        return rows.sort_values(schemas.CELL, ignore_index=True)

    def _add(self, table: Table, rows: pd.DataFrame) -> None:
        for week, of_week in rows.groupby("week"):
            path = self.root / table.name / f"{week.date()}.parquet"
            old = read_table(path, table) if path.exists() else table.empty()
            merged = merge_newer(old, of_week)
            if not merged.equals(old):
                write_table(path, merged, table)

    # What the gate found

    def write_ledger(self, week: date, content: dict[str, Any]) -> None:
        write_json(self.root / "ledger" / f"{week}.json", content)

    def weeks_of_ledger(self) -> list[date]:
        """The weeks that a run has let through its gate, oldest first."""
        return _dates(self.root / "ledger", "*.json")

    def ledger(self, week: date) -> dict[str, Any]:
        return read_json(self.root / "ledger" / f"{week}.json")

    def write_acceptance(self, week: date, accepted: Acceptance) -> None:
        write_json(self._acceptance_path(week), asdict(accepted))

    def acceptance(self, week: date) -> Acceptance | None:
        """Who lets the week go on with its gaps, and why; None where nobody does."""
        path = self._acceptance_path(week)
        return Acceptance(**read_json(path)) if path.exists() else None

    def _acceptance_path(self, week: date) -> Path:
        return self.acceptances / f"{week}.json"

    def add_quarantined(self, week: date, rows: pd.DataFrame, files: Iterable[str]) -> None:
        """Keep the rows of `files` that a run of `week` did not accept, in the place of their old ones."""
        path = self.root / "quarantine" / f"{week}.parquet"
        if path.exists():
            old = read_table(path, schemas.QUARANTINE)
            rows = pd.concat([old[~old["file"].isin(list(files))], rows], ignore_index=True)
        if len(rows) or path.exists():
            write_table(path, rows, schemas.QUARANTINE)

    def quarantined(self, week: date) -> pd.DataFrame:
        path = self.root / "quarantine" / f"{week}.parquet"
        return read_table(path, schemas.QUARANTINE) if path.exists() else schemas.QUARANTINE.empty()

    def archive_folder(self, week: date) -> Path:
        return self.root / "archive" / str(week)

    def archived(self, week: date) -> list[Path]:
        """The inbox files that runs of the week have collected, by name."""
        return sorted(self.archive_folder(week).glob("*"))

    def archive(self, week: date, files: list[Path]) -> None:
        """Move collected inbox files away. A file of a name that is already there gets a number behind it."""
        folder = self.archive_folder(week)
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            target, copy = folder / file.name, 1
            while target.exists():
                copy += 1
                target = folder / f"{file.stem}.{copy}{file.suffix}"
            file.rename(target)

    # Runs and what is published; `forecasting.adapters.publish` writes them

    def run_folder(self, cutoff: date, run_id: str) -> Path:
        return self.root / "runs" / str(cutoff) / run_id

    def staging(self, run_id: str) -> Path:
        return self.root / "staging" / run_id

    def published_path(self, cutoff: date) -> Path:
        return self.root / "published" / str(cutoff) / "forecast.parquet"

    def published_cutoffs(self) -> list[date]:
        """Cutoffs with a published forecast, oldest first."""
        return [cutoff for cutoff in _dates(self.root / "published", "*") if self.published_path(cutoff).exists()]

    def published_run_id(self, cutoff: date) -> str | None:
        """The run whose forecast is in force; None where there is none, or its file is damaged."""
        path = self.published_path(cutoff)
        try:
            return read_metadata(path)["run_id"] if path.exists() else None
        except SchemaError:
            return None  # a damaged file is replaced by the next run

    def published(self, cutoff: date) -> pd.DataFrame:
        """The forecast in force (table `forecast`)."""
        return read_table(self.published_path(cutoff), schemas.FORECAST)

    def write_receipt(self, cutoff: date, started: datetime, content: dict[str, Any]) -> Path:
        path = self.root / "receipts" / str(cutoff) / f"{started:%Y%m%dT%H%M%S.%fZ}.json"
        write_json(path, content)
        return path

    def last_receipt(self) -> dict[str, Any] | None:
        """The receipt of the run that started last, of whatever week."""
        paths = sorted((self.root / "receipts").glob("*/*.json"), key=lambda path: path.name)
        return read_json(paths[-1]) if paths else None

    # What people have been told

    def is_told(self, week: date, kind: str) -> bool:
        return self._notice_path(week, kind).exists()

    def write_notice(self, week: date, kind: str, content: dict[str, Any]) -> None:
        write_json(self._notice_path(week, kind), content)

    def _notice_path(self, week: date, kind: str) -> Path:
        return self.root / "notices" / f"{week}-{kind}.json"

    # The report

    @property
    def report_path(self) -> Path:
        return self.root / "report" / "report.parquet"

    def write_report(self, rows: pd.DataFrame, metadata: dict[str, str]) -> Path:
        write_table(self.report_path, rows, schemas.REPORT, metadata)
        return self.report_path

    # Fitted models; `forecasting.adapters.model_store` writes them

    def model_folder(self, version: str) -> Path:
        return self.root / "models" / version

    def model_versions(self) -> list[str]:
        """The versions that are kept, by name."""
        return sorted(path.parent.name for path in (self.root / "models").glob("*/model.json"))

    @property
    def champion_path(self) -> Path:
        return self.root / "models" / "champion.json"

    def alarms(self, until: date) -> list[dict[str, Any]]:
        """The alarms of all weeks up to `until`, oldest first."""
        folder = self.root / "alarms"
        weeks = [week for week in _dates(folder, "*.json") if week <= until]
        return [alarm for week in weeks for alarm in read_json(folder / f"{week}.json")["alarms"]]

    # Clusters that would outlive their run; `forecasting.adapters.register` writes them

    def cluster_entry(self, cluster_id: str) -> Path:
        return self.root / "clusters" / f"{cluster_id}.json"

    def cluster_entries(self) -> list[Path]:
        return [path for path in sorted((self.root / "clusters").glob("*.json")) if not path.name.startswith(".")]

    # Scratch

    def scratch(self) -> Path:
        """Folder for what Dask workers spill."""
        folder = self.root / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def clear_staging(self, run_id: str) -> None:
        shutil.rmtree(self.staging(run_id), ignore_errors=True)

    def lock_path(self, name: str) -> Path:
        return self.root / "locks" / f"{name}.lock"


def _dates(folder: Path, pattern: str) -> list[date]:
    """The dates that files or folders are named by; other names are none of ours."""
    found = []
    for path in folder.glob(pattern):
        try:
            found.append(date.fromisoformat(path.name.split(".")[0]))
        except ValueError:
            continue
    return sorted(found)
