"""Reference tables and the calendar.

reference/stores.parquet, products.parquet, calendar.json
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.calendar import THURSDAY
from forecasting.contracts.errors import DataError
from forecasting.contracts.table import Table
from forecasting.storage.files import read_json, read_table, write_json, write_table


class Reference:
    """Reads and writes the stores, the products, and when their weeks begin and close."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / "reference"

    def stores(self) -> pd.DataFrame:
        """Return the table `stores`.

        Raises:
            DataError: the lake has none.
        """
        return self._read(schemas.STORES)

    def products(self) -> pd.DataFrame:
        """Return the table `products`.

        Raises:
            DataError: the lake has none.
        """
        return self._read(schemas.PRODUCTS)

    def write(self, stores: pd.DataFrame, products: pd.DataFrame) -> None:
        """Write both tables."""
        write_table(self._path(schemas.STORES), stores, schemas.STORES)
        write_table(self._path(schemas.PRODUCTS), products, schemas.PRODUCTS)

    @property
    def week_starts_on(self) -> int:
        """First weekday of a sales week, Monday = 0; Thursday where the lake has no calendar."""
        return int(self._calendar().get("week_starts_on", THURSDAY))

    @property
    def time_zone(self) -> str:
        """IANA name of the time zone in which a week closes; UTC where the lake has no calendar."""
        return str(self._calendar().get("time_zone", "UTC"))

    def write_calendar(self, week_starts_on: int, time_zone: str = "UTC") -> None:
        """Write when the lake's weeks begin and close."""
        content = {"week_starts_on": week_starts_on, "time_zone": time_zone}
        write_json(self._folder / "calendar.json", content)

    def _calendar(self) -> Mapping[str, Any]:
        path = self._folder / "calendar.json"
        return read_json(path) if path.exists() else {}

    def _read(self, table: Table) -> pd.DataFrame:
        path = self._path(table)
        if not path.exists():
            raise DataError(
                f"The lake {self._root} has no table of {table.name}",
                "fill it with `oj simulate` (the orange juice data), or write that table (docs/data-contract.md)",
            )
        return read_table(path, table)

    def _path(self, table: Table) -> Path:
        return self._folder / f"{table.name}.parquet"
