"""What was collected before, as the validation asks for it: some weeks and one row a series, never the whole."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Id, PanelDefinition
from forecasting.core.panel import series_of


class Collected(Protocol):
    """The sales and promotions that were collected before."""

    def weeks(self) -> Sequence[date]:
        """Return the weeks that have sales, oldest first."""
        ...

    def series(self) -> pd.DataFrame:
        """Return every series that has sales, `store, product`, sorted."""
        ...

    def sales(self, weeks: Collection[date]) -> pd.DataFrame:
        """Return the sales of some weeks (table `sales`)."""
        ...

    def announced(self, weeks: Collection[date]) -> pd.DataFrame:
        """Return what was announced for some weeks, the newest of each cell (table `promotions`)."""
        ...

    def usual_units(self, stores: Collection[Id], without: pd.DataFrame) -> pd.DataFrame:
        """Return `units_by_series` of these stores, and maybe of others.

        Args:
            without: cells (`store, product, week`) that do not count.
        """
        ...

    def usual_prices(self, stores: Collection[Id]) -> pd.DataFrame:
        """Return `prices_by_series` of these stores, and maybe of others."""
        ...


def units_by_series(sales: pd.DataFrame) -> pd.DataFrame:
    """Return what each series sells, indexed by series: `max`, `median` and number (`size`) of its weeks."""
    return sales.groupby(schemas.SERIES)["units"].agg(["max", "median", "size"])


def prices_by_series(promotions: pd.DataFrame, definition: PanelDefinition) -> pd.DataFrame:
    """Return the usual prices of each series, indexed by series: by price covariate its median and number of weeks."""
    names = [each.name for each in definition.of_role("price")]
    return promotions.groupby(schemas.SERIES)[names].agg(["median", "count"])


def is_of_cells(rows: pd.DataFrame, cells: pd.DataFrame) -> pd.Series:
    """Return which of the rows are of one of the cells, by their index."""
    found = rows[schemas.CELL].merge(cells[schemas.CELL].drop_duplicates(), how="left", indicator=True)["_merge"]
    return found.eq("both").set_axis(rows.index)


def without_cells(rows: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are of none of the cells."""
    return rows if cells.empty else rows[~is_of_cells(rows, cells)]


@dataclass(frozen=True)
class CollectedFrames:
    """Tables that are held in memory.

    sales: table `sales`. promotions: table `promotions`; None where nothing was announced.
    """

    held: pd.DataFrame
    definition: PanelDefinition
    promotions: pd.DataFrame | None = None

    def weeks(self) -> list[date]:
        """Return the weeks that have sales."""
        return sorted(week.date() for week in self.held["week"].unique())

    def series(self) -> pd.DataFrame:
        """Return every series."""
        return series_of(self.held)

    def sales(self, weeks: Collection[date]) -> pd.DataFrame:
        """Return the sales of some weeks."""
        return self.held[self.held["week"].isin(pd.to_datetime(list(weeks)))]

    def announced(self, weeks: Collection[date]) -> pd.DataFrame:
        """Return what was announced for some weeks."""
        promotions = self._promotions
        return promotions[promotions["week"].isin(pd.to_datetime(list(weeks)))]

    def usual_units(self, stores: Collection[Id], without: pd.DataFrame) -> pd.DataFrame:
        """Return what these stores usually sell."""
        return units_by_series(without_cells(self.held[self.held["store"].isin(stores)], without))

    def usual_prices(self, stores: Collection[Id]) -> pd.DataFrame:
        """Return the usual prices of these stores."""
        promotions = self._promotions
        return prices_by_series(promotions[promotions["store"].isin(stores)], self.definition)

    @property
    def _promotions(self) -> pd.DataFrame:
        return schemas.promotions(self.definition).empty() if self.promotions is None else self.promotions
