"""The history that runs collect: sales, promotion announcements and corrections. Nothing is ever overwritten.

sales/<week>.parquet           sales of a week, as known now
promotions/<week>.parquet      prices and promotions that the files of a week announced, for that and later weeks
vintages/<table>/<week>/<collected>.parquet   every content that such a file has had, by the moment (UTC) of collection
vintages/<table>/changing.json   the weeks that are being changed just now, or were when a process died
corrections/<cutoff>.parquet   units that a run of that cutoff replaced with others

The file of a week is a copy of its newest vintage. The history that a lake was filled with before its first run has no
vintages until it is corrected, and counts as known from the beginning.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.table import Table
from forecasting.core.point_in_time import merge_newer, newest_announced, restated
from forecasting.storage.files import (
    dates,
    json_if_any,
    read_table,
    read_tables,
    sha256_of,
    table_content,
    write_json,
    write_table,
)
from forecasting.storage.location import Location
from forecasting.storage.reference import Reference

# The moment at which the history of a new lake counts as collected.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_STAMP = "%Y%m%dT%H%M%S.%fZ"

Stores = tuple[Any, Any]  # the first and the last of a range of stores


class WeeklyTable(ABC):
    """Reads and writes a table of cells, one file a week."""

    def __init__(self, folder: Location, vintages: Location) -> None:
        self._folder = folder
        self._vintages = vintages
        self._changing = vintages / "changing.json"

    @property
    @abstractmethod
    def table(self) -> Table:
        """The declaration of the table."""

    def weeks(self) -> list[date]:
        """Return the weeks that have a file, oldest first."""
        return dates(self._folder.names(), ".parquet")

    def files(self, until: date | None = None, as_of: datetime | None = None, since: date = date.min) -> list[Location]:
        """Return the files of all weeks, or of those between two, as of now or of `as_of`; oldest week first."""
        vintages = {} if as_of is None else self._all_vintages()
        written = set(self.weeks())
        found = []
        for week in sorted(written | vintages.keys()):
            if week < since or (until is not None and week > until):
                continue
            if as_of is not None and week in vintages:
                held = [vintage for vintage in vintages[week] if vintage.stem <= _stamp(as_of)]
                found += held[-1:]
            elif week in written:
                found.append(self.path(week))
        return found

    @abstractmethod
    def _arranged(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of files, oldest week first, as one table: each cell once, sorted."""

    def read(
        self,
        until: date | None = None,
        as_of: datetime | None = None,
        stores: Stores | None = None,
        among: Collection[Any] | None = None,
    ) -> pd.DataFrame:
        """Return the table of all weeks, or of the files up to `until`, as known now or at `as_of`; sorted by cell.

        Args:
            stores: the first and the last store that are wanted; all where it is None.
            among: the stores of that range that are wanted; all of it where it is None.
        """
        return self._arranged(self.rows(until, as_of, stores, among))

    def rows(
        self,
        until: date | None = None,
        as_of: datetime | None = None,
        stores: Stores | None = None,
        among: Collection[Any] | None = None,
    ) -> pd.DataFrame:
        """Return the rows of those files, oldest week first; of a range of stores or some of it, or of all."""
        files = self.files(until, as_of)
        rows = read_tables(files, self.table, stores, among)
        if as_of and files != self.files(until, as_of):
            # While the files were read, history was corrected for the first time and became a vintage.
            return self.rows(until, as_of, stores, among)
        return rows

    def by_week(self, since: date, until: date, as_of: datetime) -> Iterator[pd.DataFrame]:
        """Return the rows of one week after the other, from the first to the last, as known at `as_of`."""
        for file in self.files(until, as_of, since):
            yield read_table(file, self.table)

    def digests(self, until: date, as_of: datetime) -> list[str]:
        """Return a hash of each week's content up to `until`, as known at `as_of`, oldest week first."""
        return [sha256_of(file) for file in self.files(until, as_of)]

    def of_week(self, week: date) -> pd.DataFrame:
        """Return the rows of one week, as known now."""
        path = self.path(week)
        return read_table(path, self.table) if path.exists() else self.table.empty()

    def of_weeks(self, weeks: Iterable[date]) -> pd.DataFrame:
        """Return the rows of some weeks, as known now; a week that has no file has none."""
        wanted = set(weeks)
        return read_tables([self.path(week) for week in self.weeks() if week in wanted], self.table)

    def add_weeks(self, rows_of: dict[date, pd.DataFrame], collected: datetime | None) -> None:
        """Add rows to weeks, each as a new vintage; a row of a cell that exists replaces it.

        Args:
            collected: later than every vintage; None for history, which has no vintages.
        """
        if not rows_of:
            return
        if collected is not None:
            # Where the process dies below, `settle` finds the weeks that it has to look at.
            write_json(self._changing, {"weeks": sorted(map(str, rows_of))})
        for week, rows in rows_of.items():
            self._add_week(week, rows, collected)
        if collected is not None:
            self._changing.delete()

    def has_vintage(self, week: date, collected: datetime) -> bool:
        """Return whether anything of that week was collected at that moment."""
        return self._vintage(week, collected).exists()

    def newest(self) -> datetime:
        """Return the moment of the newest vintage of any week."""
        stamps = [vintages[-1].stem for vintages in self._all_vintages().values()]
        return datetime.strptime(max(stamps), _STAMP).replace(tzinfo=UTC) if stamps else BEGINNING

    def settle(self) -> None:
        """Copy the newest vintage of a week over its file, where a process died between the two."""
        if (changing := json_if_any(self._changing)) is None:
            return
        for week in map(date.fromisoformat, changing["weeks"]):
            if vintages := self._vintages_of(week):
                self.path(week).write_bytes(vintages[-1].read_bytes())
        self._changing.delete()

    def _add_week(self, week: date, rows: pd.DataFrame, collected: datetime | None) -> None:
        path, old = self.path(week), self.of_week(week)
        merged = merge_newer(old, rows)
        if merged.equals(old):
            return
        if collected is None:
            write_table(path, merged, self.table)
            return
        if len(old) and not self._vintages_of(week):
            self._vintage(week, BEGINNING).write_bytes(path.read_bytes())
        vintage, content = self._vintage(week, collected), table_content(merged, self.table)
        if vintage.exists():
            raise FileExistsError(f"{vintage} would be overwritten: add all rows of one moment and week in one call")
        # Vintage first: where the process dies before the file is replaced, `settle` does it.
        vintage.write_bytes(content)
        path.write_bytes(content)

    def _all_vintages(self) -> dict[date, list[Location]]:
        """Return the vintages of every week that has some, oldest first; by one listing."""
        found: dict[date, list[Location]] = {}
        for place in map(self._vintages.at, self._vintages.walk()):
            for week in dates([place.parent.name]) if place.suffix == ".parquet" else ():
                found.setdefault(week, []).append(place)
        return found

    def _vintages_of(self, week: date) -> list[Location]:
        return (self._vintages / str(week)).files(".parquet")

    def path(self, week: date) -> Location:
        return self._folder / f"{week}.parquet"

    def _vintage(self, week: date, collected: datetime) -> Location:
        return self._vintages / str(week) / f"{_stamp(collected)}.parquet"


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):{_STAMP}}"


def later_than(newest: datetime, at: datetime) -> datetime:
    """Return `at`, or the moment after `newest` where the clock has gone back, so that vintages keep their order."""
    return max(at, newest + timedelta(microseconds=1))


class Sales(WeeklyTable):
    """Units sold, one file a sales week."""

    def __init__(self, root: Location, reference: Reference) -> None:
        super().__init__(root / "sales", root / "vintages" / "sales")
        self._reference = reference

    @property
    def table(self) -> Table:
        """The table `sales` of the lake's definition."""
        return schemas.sales(self._reference.definition)

    def _arranged(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows.sort_values(schemas.CELL, ignore_index=True)

    def add(self, rows: pd.DataFrame, collected: datetime | None = None) -> None:
        """Add accepted rows to their weeks; a row of a cell that exists replaces it, and the old vintage stays.

        Args:
            collected: from `Lake.begin_collecting`; None fills an empty lake with its history.
        """
        self.add_weeks({week.date(): of_week for week, of_week in rows.groupby("week")}, collected)

    def digest(self, week: date) -> str:
        """Return a hash of the sales of a week, as known now."""
        return sha256_of(self.path(week))[:16]


class Promotions(WeeklyTable):
    """Covariates of past and coming weeks, one file for each week whose inbox files announced them."""

    def __init__(self, root: Location, reference: Reference) -> None:
        super().__init__(root / "promotions", root / "vintages" / "promotions")
        self._reference = reference

    @property
    def table(self) -> Table:
        """The table `promotions` of the lake's definition."""
        return schemas.promotions(self._reference.definition)

    def _arranged(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Where several files announced a cell, the newest week's file counts."""
        return newest_announced(rows)

    def for_weeks(self, weeks: Collection[date]) -> pd.DataFrame:
        """Return what was announced for some weeks, past or coming, by the files of any week; sorted by cell."""
        wanted = pd.to_datetime(list(weeks))
        found = []
        for week in self.weeks():  # one at a time: most announce none of these weeks
            rows = self.of_week(week)
            found.append(rows[rows["week"].isin(wanted)])
        return newest_announced(pd.concat(found, ignore_index=True)) if found else self.table.empty()

    def add(self, rows: pd.DataFrame, collected: datetime | None = None) -> None:
        """Add announced promotions; they replace what files of the same week announced for the same cells."""
        by_week = {week.date(): of_week[self.table.columns] for week, of_week in rows.groupby("announced")}
        self.add_weeks(by_week, collected)


class Corrections:
    """Changes of sales that had been collected before, one file for each cutoff whose runs made them."""

    def __init__(self, root: Location, sales: Sales, reference: Reference) -> None:
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
        weeks = [week.date() for week in sales["week"].unique()]
        rows = restated(self._sales.of_weeks(weeks), sales)
        if len(rows):
            new = self._table.cast(rows.assign(collected=collected))
            write_table(self._path(cutoff), pd.concat([self.read(cutoff), new]), self._table)

    def _written(self, cutoff: date) -> pd.DataFrame:
        path = self._path(cutoff)
        return read_table(path, self._table) if path.exists() else self._table.empty()

    @property
    def _table(self) -> Table:
        return schemas.corrections(self._reference.definition)

    def _path(self, cutoff: date) -> Location:
        return self._folder / f"{cutoff}.parquet"
