"""The history that runs collect: sales, promotion announcements and corrections. Nothing is ever overwritten.

sales/<week>.parquet           sales of a week, as known now
promotions/<week>.parquet      prices and promotions that the files of a week announced, for that and later weeks
vintages/<table>/<week>/<collected>.parquet   every content that such a file has had, by the moment (UTC) of collection
corrections/<cutoff>.parquet   units that a run of that cutoff replaced with others

The file of a week is a copy of its newest vintage. The history that a lake was filled with before its first run has no
vintages until it is corrected, and counts as known from the beginning.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Id
from forecasting.contracts.table import Table
from forecasting.core.point_in_time import merge_newer, newest_announced, restated
from forecasting.storage.files import dates, put, read_table, read_tables, sha256_of, write_table
from forecasting.storage.reference import Reference

# The moment at which the history of a new lake counts as collected.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_STAMP = "%Y%m%dT%H%M%S.%fZ"


class WeeklyTable(ABC):
    """Reads and writes a table of cells, one file a week."""

    def __init__(self, folder: Path, vintages: Path) -> None:
        self._folder = folder
        self._vintages = vintages

    @property
    @abstractmethod
    def table(self) -> Table:
        """The declaration of the table."""

    def weeks(self) -> list[date]:
        """Return the weeks that have a file, oldest first."""
        return dates(self._folder, "*.parquet")

    def files(self, until: date | None = None, as_of: datetime | None = None) -> list[Path]:
        """Return the files of all weeks, or of those up to `until`, as of now or of `as_of`; oldest week first."""
        weeks = self.weeks() if as_of is None else sorted({*self.weeks(), *dates(self._vintages, "*")})
        of_weeks = [self._file(week, as_of) for week in weeks if until is None or week <= until]
        return [file for file in of_weeks if file]

    def rows(
        self, until: date | None = None, as_of: datetime | None = None, stores: tuple[Id, Id] | None = None
    ) -> pd.DataFrame:
        """Return the rows of those files, oldest week first; of all stores, or of those from the first to the last."""
        files = self.files(until, as_of)
        rows = read_tables(files, self.table, stores)
        if as_of and files != self.files(until, as_of):
            # While the files were read, history was corrected for the first time and became a vintage.
            return self.rows(until, as_of, stores)
        return rows

    def by_week(self, since: date, until: date, as_of: datetime) -> Iterator[pd.DataFrame]:
        """Return the rows of one week after the other, from the first to the last, as known at `as_of`."""
        for week in sorted({*self.weeks(), *dates(self._vintages, "*")}):
            if since <= week <= until and (file := self._file(week, as_of)):
                yield read_table(file, self.table)

    def digests(self, until: date, as_of: datetime) -> list[str]:
        """Return a hash of each week's content up to `until`, as known at `as_of`, oldest week first."""
        return [sha256_of(file) for file in self.files(until, as_of)]

    def of_week(self, week: date) -> pd.DataFrame:
        """Return the rows of one week, as known now."""
        path = self.path(week)
        return read_table(path, self.table) if path.exists() else self.table.empty()

    def add_week(self, week: date, rows: pd.DataFrame, collected: datetime | None) -> None:
        """Add rows to a week as a new vintage; a row of a cell that exists replaces it.

        Args:
            collected: later than every vintage; None for history, which has no vintages.
        """
        path, old = self.path(week), self.of_week(week)
        merged = merge_newer(old, rows)
        if merged.equals(old):
            return
        if collected is None:
            write_table(path, merged, self.table)
            return
        if path.exists() and not self._vintages_of(week):
            put(self._vintage(week, BEGINNING), path.read_bytes())
        vintage = self._vintage(week, collected)
        if vintage.exists():
            raise FileExistsError(f"{vintage} would be overwritten: add all rows of one moment and week in one call")
        # Vintage first: where the process dies before the file is replaced, `settle` does it.
        write_table(vintage, merged, self.table)
        put(path, vintage.read_bytes())

    def has_vintage(self, week: date, collected: datetime) -> bool:
        """Return whether anything of that week was collected at that moment."""
        return self._vintage(week, collected).exists()

    def newest(self) -> datetime:
        """Return the moment of the newest vintage of any week."""
        stamps = [vintages[-1].stem for week in dates(self._vintages, "*") if (vintages := self._vintages_of(week))]
        return datetime.strptime(max(stamps), _STAMP).replace(tzinfo=UTC) if stamps else BEGINNING

    def settle(self) -> None:
        """Copy the newest vintage of every week over its file, where a process died between the two."""
        for week in dates(self._vintages, "*"):
            path = self.path(week)
            if vintages := self._vintages_of(week):
                newest = vintages[-1].read_bytes()
                if not path.exists() or path.read_bytes() != newest:
                    put(path, newest)

    def _file(self, week: date, as_of: datetime | None) -> Path | None:
        path = self.path(week)
        if as_of is None:
            return path
        if vintages := self._vintages_of(week):
            held = [vintage for vintage in vintages if vintage.stem <= f"{as_of.astimezone(UTC):{_STAMP}}"]
            return held[-1] if held else None
        return path if path.exists() else None

    def _vintages_of(self, week: date) -> list[Path]:
        return sorted((self._vintages / str(week)).glob("[!.]*.parquet"))

    def path(self, week: date) -> Path:
        return self._folder / f"{week}.parquet"

    def _vintage(self, week: date, collected: datetime) -> Path:
        return self._vintages / str(week) / f"{collected.astimezone(UTC):{_STAMP}}.parquet"


def later_than(newest: datetime, at: datetime) -> datetime:
    """Return `at`, or the moment after `newest` where the clock has gone back, so that vintages keep their order."""
    return max(at, newest + timedelta(microseconds=1))


class Sales(WeeklyTable):
    """Units sold, one file a sales week."""

    def __init__(self, root: Path, reference: Reference) -> None:
        super().__init__(root / "sales", root / "vintages" / "sales")
        self._reference = reference

    @property
    def table(self) -> Table:
        """The table `sales` of the lake's definition."""
        return schemas.sales(self._reference.definition)

    def read(
        self, until: date | None = None, as_of: datetime | None = None, stores: tuple[Id, Id] | None = None
    ) -> pd.DataFrame:
        """Return the sales of all weeks, or of those up to `until`, as known now or at `as_of`; sorted by cell."""
        return self.rows(until, as_of, stores).sort_values(schemas.CELL, ignore_index=True)

    def add(self, rows: pd.DataFrame, collected: datetime | None = None) -> None:
        """Add accepted rows to their weeks; a row of a cell that exists replaces it, and the old vintage stays.

        Args:
            collected: from `Lake.begin_collecting`; None fills an empty lake with its history.
        """
        for week, of_week in rows.groupby("week"):
            self.add_week(week.date(), of_week, collected)

    def digest(self, week: date) -> str:
        """Return a hash of the sales of a week, as known now."""
        return sha256_of(self.path(week))[:16]


class Promotions(WeeklyTable):
    """Covariates of past and coming weeks, one file for each week whose inbox files announced them."""

    def __init__(self, root: Path, reference: Reference) -> None:
        super().__init__(root / "promotions", root / "vintages" / "promotions")
        self._reference = reference

    @property
    def table(self) -> Table:
        """The table `promotions` of the lake's definition."""
        return schemas.promotions(self._reference.definition)

    def read(
        self, announced_until: date | None = None, as_of: datetime | None = None, stores: tuple[Id, Id] | None = None
    ) -> pd.DataFrame:
        """Return the promotions of all weeks, past and future, that were announced up to a week; sorted by cell.

        Where several files announced a cell, the newest week's file counts.
        """
        return newest_announced(self.rows(announced_until, as_of, stores))

    def add(self, rows: pd.DataFrame, collected: datetime | None = None) -> None:
        """Add announced promotions; they replace what files of the same week announced for the same cells."""
        for announced, of_week in rows.groupby("announced"):
            self.add_week(announced.date(), of_week[self.table.columns], collected)


class Corrections:
    """Changes of sales that had been collected before, one file for each cutoff whose runs made them."""

    def __init__(self, root: Path, sales: Sales, reference: Reference) -> None:
        self._folder = root / "corrections"
        self._sales = sales
        self._reference = reference

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
            new = self._table.cast(rows.assign(collected=collected))
            write_table(self._path(cutoff), pd.concat([self.read(cutoff), new]), self._table)

    def _written(self, cutoff: date) -> pd.DataFrame:
        path = self._path(cutoff)
        return read_table(path, self._table) if path.exists() else self._table.empty()

    @property
    def _table(self) -> Table:
        return schemas.corrections(self._reference.definition)

    def _path(self, cutoff: date) -> Path:
        return self._folder / f"{cutoff}.parquet"
