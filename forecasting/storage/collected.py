"""What a lake has collected, as the validation asks for it: one week, or some stores, at a time."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import pandas as pd

from forecasting.contracts.panel_definition import Id, in_order
from forecasting.core.collected import prices_by_series, units_by_series, without_cells
from forecasting.core.panel import series_of
from forecasting.storage.history import Stores
from forecasting.storage.lake import Lake

# Stores whose whole history is held at once; of all products, so that a large panel's stores are few.
SERIES_AT_ONCE = 10_000


@dataclass(frozen=True)
class LakeCollected:
    """The sales and promotions of a lake; see `forecasting.core.collected.Collected`."""

    lake: Lake

    def weeks(self) -> Sequence[date]:
        """Return the weeks that have sales."""
        return self.lake.sales.weeks()

    def series(self) -> pd.DataFrame:
        """Return every series, which is gathered week by week."""
        found = series_of(self.lake.sales.table.empty())
        for week in self.weeks():
            found = series_of(pd.concat([found, self.lake.sales.of_week(week)], ignore_index=True))
        return found

    def sales(self, weeks: Collection[date]) -> pd.DataFrame:
        """Return the sales of some weeks."""
        return self.lake.sales.of_weeks(weeks)

    def announced(self, weeks: Collection[date]) -> pd.DataFrame:
        """Return what was announced for some weeks."""
        return self.lake.promotions.for_weeks(weeks)

    def usual_units(self, stores: Collection[Id], without: pd.DataFrame) -> pd.DataFrame:
        """Return what the stores usually sell."""
        sales = self.lake.sales
        found = [
            units_by_series(without_cells(sales.rows(stores=some), without[without["store"].between(*some)]))
            for some in self._blocks(stores)
        ]
        return pd.concat(found) if found else units_by_series(sales.table.empty())

    def usual_prices(self, stores: Collection[Id]) -> pd.DataFrame:
        """Return the usual prices of the stores."""
        promotions, definition = self.lake.promotions, self.lake.reference.definition
        found = [prices_by_series(promotions.read(stores=some), definition) for some in self._blocks(stores)]
        return pd.concat(found) if found else prices_by_series(promotions.table.empty(), definition)

    def _blocks(self, stores: Collection[Id]) -> Iterator[Stores]:
        """Cut the stores into ranges of about `SERIES_AT_ONCE` series."""
        ordered = in_order(stores)
        for first in range(0, len(ordered), self._stores_at_once):
            some = ordered[first : first + self._stores_at_once]
            yield some[0], some[-1]

    @cached_property
    def _stores_at_once(self) -> int:
        newest = self.lake.sales.of_weeks(self.weeks()[-1:])
        series_a_store = max(len(newest) // max(newest["store"].nunique(), 1), 1)
        return max(SERIES_AT_ONCE // series_a_store, 1)
