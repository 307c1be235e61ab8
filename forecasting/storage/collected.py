"""What a lake has collected: sales and promotions with all their vintages, what was corrected, and the files."""

import shutil
from collections.abc import Iterable
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.table import Table
from forecasting.core.point_in_time import Snapshot, newest_announced, restated
from forecasting.storage.archive import Archive
from forecasting.storage.files import read_table, write_table
from forecasting.storage.weekly_table import WeeklyTable, dates, later_than


class Collected:
    """The part of a lake that runs collect. Sales are kept by their week, promotions by the week that told them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inbox = root / "inbox"
        self.archive = Archive(root / "archive", self.inbox)
        self._sales = WeeklyTable(schemas.SALES, root / "sales", root / "vintages" / "sales")
        self._promotions = WeeklyTable(schemas.PROMOTIONS, root / "promotions", root / "vintages" / "promotions")

    def sales(self, until: date | None = None, as_of: datetime | None = None) -> pd.DataFrame:
        """Sales of all weeks, or of those up to `until`, as they are known now or were at `as_of`; sorted by cell."""
        return self._sales.rows(until, as_of).sort_values(schemas.CELL, ignore_index=True)

    def promotions(self, announced_until: date | None = None, as_of: datetime | None = None) -> pd.DataFrame:
        """Promotions of all weeks, past and future, as the files of the weeks up to `announced_until` told them.

        Of several files that speak of a cell the newest week's holds. Sorted by cell.
        """
        return newest_announced(self._promotions.rows(announced_until, as_of))

    def snapshot(self, cutoff: date, as_of: datetime) -> Snapshot:
        """What a run of `cutoff` had to forecast from at the moment `as_of`."""
        return Snapshot(self.sales(cutoff, as_of), self.promotions(cutoff, as_of))

    def last_collected(self) -> datetime:
        """The moment up to which everything was collected that the lake holds now."""
        return max(self._sales.newest(), self._promotions.newest())

    def begin_collecting(self, at: datetime) -> datetime:
        """Mend what an interrupted run left, and give the moment of what is collected now: `at`, if it is the latest.

        The caller holds the lock `collect` from here until the last row is added.
        """
        self._sales.settle()
        self._promotions.settle()
        return later_than(self.last_collected(), at)

    def add_sales(self, rows: pd.DataFrame, collected: datetime | None = None) -> None:
        """Add accepted rows to their weeks; a cell that is already there is replaced, and its old vintage kept.

        Args:
            collected: from `begin_collecting`; None fills an empty lake with its history.
        """
        for week, of_week in rows.groupby("week"):
            self._sales.add(week.date(), of_week, collected)

    def add_promotions(self, rows: pd.DataFrame, collected: datetime | None = None) -> None:
        """Add announced promotions; what the same week's files announced for a cell before is replaced."""
        for announced, of_week in rows.groupby("announced"):
            self._promotions.add(announced.date(), of_week[schemas.PROMOTIONS.columns], collected)

    def weeks_of_sales(self) -> list[date]:
        """The weeks that have sales, oldest first."""
        return self._sales.weeks()

    def sales_digest(self, week: date) -> str:
        """A hash of what was sold in a week, as it is known now."""
        return sha256((self.root / "sales" / f"{week}.parquet").read_bytes()).hexdigest()[:16]

    def weekly_files(self, table: Table, until: date | None = None) -> list[Path]:
        """The files of the sales or promotions of all weeks, or of those up to `until`, oldest first."""
        return (self._sales if table is schemas.SALES else self._promotions).files(until)

    def add_corrections(self, cutoff: date, sales: pd.DataFrame, collected: datetime) -> None:
        """Keep what the rows that a run of `cutoff` is about to add will correct (table `corrections`)."""
        weeks = [self._sales.of_week(week.date()) for week in sales["week"].unique()]
        rows = restated(pd.concat(weeks), sales) if weeks else restated(sales, sales)
        if len(rows):
            new = schemas.CORRECTIONS.cast(rows.assign(collected=collected))
            write_table(self._corrections_path(cutoff), pd.concat([self.corrections(cutoff), new]), schemas.CORRECTIONS)

    def corrections(self, cutoff: date) -> pd.DataFrame:
        """What the runs of `cutoff` corrected in sales that were collected before (table `corrections`)."""
        path = self._corrections_path(cutoff)
        rows = read_table(path, schemas.CORRECTIONS) if path.exists() else schemas.CORRECTIONS.empty()
        # What a run wrote that died before it added the sales has not happened.
        times = rows[["week", "collected"]].drop_duplicates().itertuples(index=False)
        done = [(week, moment) for week, moment in times if self._sales.has_vintage(week.date(), moment)]
        return rows[rows.set_index(["week", "collected"]).index.isin(done)].reset_index(drop=True)

    def _corrections_path(self, cutoff: date) -> Path:
        return self.root / "corrections" / f"{cutoff}.parquet"

    def clear_collected(self) -> None:
        """Remove a history of which only a part was written."""
        for name in ("sales", "promotions", "vintages"):
            shutil.rmtree(self.root / name, ignore_errors=True)

    # What was not accepted

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

    def weeks_of_quarantine(self) -> list[date]:
        """The cutoffs whose runs did not accept some row, oldest first."""
        return dates(self.root / "quarantine", "*.parquet")
