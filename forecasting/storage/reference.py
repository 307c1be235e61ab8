"""Reference tables and the panel definition.

reference/stores.parquet, products.parquet, panel.json
"""

from pathlib import Path

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import DataError
from forecasting.contracts.panel_definition import ORANGE_JUICE, PanelDefinition
from forecasting.contracts.table import Table
from forecasting.storage.files import read_json, read_table, write_json, write_table


class Reference:
    """Reads and writes the stores, the products, and what their sales are."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / "reference"

    def stores(self) -> pd.DataFrame:
        """Return the table `stores`.

        Raises:
            DataError: the lake has none.
        """
        return self._read(schemas.stores(self.definition))

    def products(self) -> pd.DataFrame:
        """Return the table `products`.

        Raises:
            DataError: the lake has none.
        """
        return self._read(schemas.products(self.definition))

    def write(self, stores: pd.DataFrame, products: pd.DataFrame) -> None:
        """Write both tables."""
        for rows, table in ((stores, schemas.stores(self.definition)), (products, schemas.products(self.definition))):
            write_table(self._path(table), rows, table)

    @property
    def definition(self) -> PanelDefinition:
        """What the sales of the lake are; the orange juice where the lake has no definition.

        Raises:
            DataError: the file is damaged.
        """
        path = self._folder / "panel.json"
        if not path.exists():
            return ORANGE_JUICE
        try:
            content = read_json(path)
        except ValueError as error:
            raise DataError(
                f"The panel definition {path} is not JSON ({error})", "correct it, or restore it from a copy"
            ) from error
        return PanelDefinition.from_dict(content)

    def write_definition(self, definition: PanelDefinition) -> None:
        """Write what the sales of the lake are, before any table is written."""
        write_json(self._folder / "panel.json", definition.as_dict())

    @property
    def week_starts_on(self) -> int:
        """First weekday of a sales week, Monday = 0."""
        return self.definition.week_starts_on

    @property
    def time_zone(self) -> str:
        """IANA name of the time zone in which a week closes."""
        return self.definition.time_zone

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
