"""The lake: the root folder of everything the system keeps. This is the one list of its paths. Where a file is,
`Lake` and its bases (in `collected`, `published` and `watched`) alone know; others name a folder at most.

    inbox/                             files that stores drop; see `forecasting.storage.inbox`
    archive/                           inbox files that a run has collected; see `forecasting.storage.archive`
    reference/stores.parquet, products.parquet, calendar.json
    sales/<week>.parquet               what was sold in a week, as it is known now
    promotions/<told>.parquet          what the files of a week told of prices and promotions, its own and those ahead
    vintages/sales|promotions/<week>/<collected>.parquet   every content that such a file has had; never changed
    corrections/<cutoff>.parquet       units that were sent again with others, and a run of that cutoff took in
    quarantine/<cutoff>.parquet        inbox rows that a run did not accept
    completeness/<week>.json                 what was expected of a week, and what came
    acceptances/<week>.json            by whom and why a week may go on with its gaps
    acceptances/<week>/<store>-<product>.json   by whom and why units out of proportion are right
    staging/<run_id>/                  unfinished work of a run; never read by anyone else
    runs/<cutoff>/<run_id>/            forecast.parquet and manifest.json; never changed
    run_records/<cutoff>/<started>.json   what each run did, published or not
    notifications/<cutoff>-<kind>.json       what people have been told of a week, and need not be told again
    published/<cutoff>/forecast.parquet   the forecasts in force
    scores/<cutoff>/<run_id>.parquet   how a published forecast came out, as its weeks are collected
    report/report.parquet              history and forecasts in one table
    report/scores.parquet, views.sql   the scores of the forecasts in force; DuckDB's views of these tables
    report/<cutoff>.html, <cutoff>/    the page that people read, and the parts of one too big for a single file
    baselines/<key>.parquet             what a backtest promises of a model
    models/<version>/                  a fitted model; see `forecasting.storage.model_registry`
    models/champion.json               the version in force, and those before it
    alarms/<week>.json                 what told in a week that forecasts are no longer what was promised
    clusters/<id>.json, <id>.pem       clusters that would outlive their run; owner's eyes only
    locks/, scratch/

No name in a path comes from the content of data: weeks, run ids and the names of inbox files that match
the declared pattern only.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.calendar import THURSDAY
from forecasting.contracts.errors import DataError, OptionError
from forecasting.contracts.run_record import adapter
from forecasting.contracts.table import Table
from forecasting.core.completeness import Acceptance, CompletenessReport
from forecasting.presentation.html import Page
from forecasting.storage.files import read_json, read_table, write_json, write_table, write_text
from forecasting.storage.watched import Watched
from forecasting.storage.weekly_table import dates

_ACCEPTED_CELL = re.compile(r"(\d{1,18})-(\d{1,18})\.json", re.ASCII)


class Lake(Watched):
    """Reads and writes the tables of one lake."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
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
        self.clear_collected()
        yield
        marker.unlink()

    @property
    def is_empty(self) -> bool:
        """Whether there is no history yet, or only a part of one."""
        return (self.root / ".filling").exists() or not self.weeks_of_sales()

    # Reference tables

    def stores(self) -> pd.DataFrame:
        return self._reference(schemas.STORES)

    def products(self) -> pd.DataFrame:
        return self._reference(schemas.PRODUCTS)

    def write_reference(self, stores: pd.DataFrame, products: pd.DataFrame) -> None:
        write_table(self.root / "reference" / "stores.parquet", stores, schemas.STORES)
        write_table(self.root / "reference" / "products.parquet", products, schemas.PRODUCTS)

    def _reference(self, table: Table) -> pd.DataFrame:
        path = self.root / "reference" / f"{table.name}.parquet"
        if not path.exists():
            raise DataError(
                f"The lake {self.root} has no table of {table.name}",
                "fill it with `oj simulate` (the orange juice data), or write that table (docs/data-contract.md)",
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

    # What the gate found

    def write_completeness(self, week: date, report: CompletenessReport) -> None:
        content = adapter(CompletenessReport).dump_python(report, mode="json")
        write_json(self.root / "completeness" / f"{week}.json", content)

    def admitted_weeks(self) -> list[date]:
        """The weeks that a run has let through its gate, oldest first."""
        return dates(self.root / "completeness", "*.json")

    def completeness(self, week: date) -> CompletenessReport:
        return adapter(CompletenessReport).validate_python(read_json(self.root / "completeness" / f"{week}.json"))

    def write_acceptance(self, week: date, accepted: Acceptance) -> None:
        write_json(self._acceptance_path(week), adapter(Acceptance).dump_python(accepted, mode="json"))

    def acceptance(self, week: date) -> Acceptance | None:
        """Who lets the week go on with its gaps, and why; None where nobody does."""
        path = self._acceptance_path(week)
        return adapter(Acceptance).validate_python(read_json(path)) if path.exists() else None

    def write_override(self, week: date, store: int, product: int, accepted: Acceptance) -> None:
        """Somebody's word that the units of this cell are right, however far out of proportion."""
        plain = adapter(Acceptance).dump_python(accepted, mode="json")
        write_json(self.acceptances / str(week) / f"{store}-{product}.json", plain)

    def overrides(self) -> pd.DataFrame:
        """The cells whose units somebody has accepted however far out of proportion: `store, product, week`."""
        cells = []
        for week in sorted({*dates(self.acceptances, "*")}):
            names = sorted(path.name for path in (self.acceptances / str(week)).glob("*-*.json"))
            cells += [(int(cell[1]), int(cell[2]), week) for name in names if (cell := _ACCEPTED_CELL.fullmatch(name))]
        frame = pd.DataFrame(cells, columns=schemas.CELL)
        return frame.astype({"store": "int64", "product": "int64", "week": "datetime64[us]"})

    def _acceptance_path(self, week: date) -> Path:
        return self.acceptances / f"{week}.json"

    # What people have been told

    def is_notified(self, week: date, kind: str) -> bool:
        return self._notification_path(week, kind).exists()

    def write_notification(self, week: date, kind: str, content: dict[str, Any]) -> None:
        write_json(self._notification_path(week, kind), content)

    def _notification_path(self, week: date, kind: str) -> Path:
        return self.root / "notifications" / f"{week}-{kind}.json"

    # The report

    @property
    def report_path(self) -> Path:
        return self.root / "report" / "report.parquet"

    def write_report(self, rows: pd.DataFrame, metadata: dict[str, str]) -> Path:
        write_table(self.report_path, rows, schemas.REPORT, metadata)
        return self.report_path

    @property
    def scores_table_path(self) -> Path:
        return self.root / "report" / "scores.parquet"

    def write_scores_table(self, rows: pd.DataFrame) -> None:
        write_table(self.scores_table_path, rows, schemas.SCORES)

    def write_views(self, statements: str) -> None:
        """Write the SQL that opens the tables in DuckDB."""
        write_text(self.root / "report" / "views.sql", statements)

    def page_path(self, cutoff: date) -> Path:
        return self.root / "report" / f"{cutoff}.html"

    def write_page(self, cutoff: date, page: Page) -> Path:
        """Put a page in the place of the one before. Its parts come first, and those of the old one go last."""
        path = self.page_path(cutoff)
        parts = path.with_suffix("")
        for name, text in page.beside.items():
            if not (parts / name).exists():  # named by its content
                write_text(parts / name, text)
        write_text(path, page.html)
        for old in parts.glob("*"):
            if old.name not in page.beside:
                old.unlink()
        return path

    # Fitted models; `forecasting.storage.model_registry` writes them

    def model_folder(self, version: str) -> Path:
        return self.root / "models" / version

    def model_versions(self) -> list[str]:
        """The versions that are kept, by name."""
        return sorted(path.parent.name for path in (self.root / "models").glob("*/model.json"))

    @property
    def champion_path(self) -> Path:
        return self.root / "models" / "champion.json"

    # Clusters that would outlive their run; `forecasting.compute.register` writes them

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

    def lock_path(self, name: str) -> Path:
        return self.root / "locks" / f"{name}.lock"
