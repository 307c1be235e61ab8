"""The history that runs collect: sales, promotion announcements and corrections.

sales/<week>.parquet           sales of a week, as known now
promotions/<week>.parquet      prices and promotions that the files of a week announced, for that and later weeks
vintages/…                     every earlier content of those files; see `forecasting.storage.weekly_table`
corrections/<cutoff>.parquet   units that a run of that cutoff replaced with others
"""

from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.table import Table
from forecasting.core.point_in_time import newest_announced, restated
from forecasting.storage.files import read_table, write_table
from forecasting.storage.reference import Reference
from forecasting.storage.weekly_table import WeeklyTable


class Sales(WeeklyTable):
    """Units sold, one file a sales week."""

    def __init__(self, root: Path) -> None:
        super().__init__(root / "sales", root / "vintages" / "sales")

    @property
    def table(self) -> Table:
        """The table `sales`."""
        return schemas.SALES

    def read(self, until: date | None = None, as_of: datetime | None = None) -> pd.DataFrame:
        """Return the sales of all weeks, or of those up to `until`, as known now or at `as_of`; sorted by cell."""
        return self.rows(until, as_of).sort_values(schemas.CELL, ignore_index=True)

    def add(self, rows: pd.DataFrame, collected: datetime | None = None) -> None:
        """Add accepted rows to their weeks; a row of a cell that exists replaces it, and the old vintage stays.

        Args:
            collected: from `Lake.begin_collecting`; None fills an empty lake with its history.
        """
        for week, of_week in rows.groupby("week"):
            self.add_week(week.date(), of_week, collected)

    def digest(self, week: date) -> str:
        """Return a hash of the sales of a week, as known now."""
        return sha256(self.path(week).read_bytes()).hexdigest()[:16]


class Promotions(WeeklyTable):
    """Covariates of past and coming weeks, one file for each week whose inbox files announced them."""

    def __init__(self, root: Path, reference: Reference) -> None:
        super().__init__(root / "promotions", root / "vintages" / "promotions")
        self._reference = reference

    @property
    def table(self) -> Table:
        """The table `promotions` of the lake's definition."""
        return schemas.promotions(self._reference.definition)

    def read(self, announced_until: date | None = None, as_of: datetime | None = None) -> pd.DataFrame:
        """Return the promotions of all weeks, past and future, that were announced up to a week; sorted by cell.

        Where several files announced a cell, the newest week's file counts.
        """
        return newest_announced(self.rows(announced_until, as_of))

    def add(self, rows: pd.DataFrame, collected: datetime | None = None) -> None:
        """Add announced promotions; they replace what files of the same week announced for the same cells."""
        for announced, of_week in rows.groupby("announced"):
            self.add_week(announced.date(), of_week[self.table.columns], collected)


class Corrections:
    """Changes of sales that had been collected before, one file for each cutoff whose runs made them."""

    def __init__(self, root: Path, sales: Sales) -> None:
        self._folder = root / "corrections"
        self._sales = sales

    def read(self, cutoff: date) -> pd.DataFrame:
        """Return what the runs of `cutoff` corrected (table `corrections`)."""
        rows = self._written(cutoff)
        # A run that stopped before it added the sales has corrected nothing.
        times = rows[["week", "collected"]].drop_duplicates().itertuples(index=False)
        done = [(week, moment) for week, moment in times if self._sales.has_vintage(week.date(), moment)]
        return rows[rows.set_index(["week", "collected"]).index.isin(done)].reset_index(drop=True)

    def add(self, cutoff: date, sales: pd.DataFrame, collected: datetime) -> None:
        """Write which cells the sales that a run of `cutoff` is about to add will correct."""
        weeks = [self._sales.of_week(week.date()) for week in sales["week"].unique()]
        rows = restated(pd.concat(weeks), sales) if weeks else restated(sales, sales)
        if len(rows):
            new = schemas.CORRECTIONS.cast(rows.assign(collected=collected))
            write_table(self._path(cutoff), pd.concat([self.read(cutoff), new]), schemas.CORRECTIONS)

    def _written(self, cutoff: date) -> pd.DataFrame:
        path = self._path(cutoff)
        return read_table(path, schemas.CORRECTIONS) if path.exists() else schemas.CORRECTIONS.empty()

    def _path(self, cutoff: date) -> Path:
        return self._folder / f"{cutoff}.parquet"
