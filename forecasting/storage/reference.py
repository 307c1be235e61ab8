"""Reference tables, and the panel file: the panel definition and the layouts of files.

reference/stores.parquet, products.parquet, panel.toml
"""

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import DataError
from forecasting.contracts.layout import Layout
from forecasting.contracts.orange_juice import LAYOUTS
from forecasting.contracts.panel_definition import ORANGE_JUICE, Id, KeyName, PanelDefinition
from forecasting.contracts.table import Table
from forecasting.core.attributes import Attributes
from forecasting.storage.files import read_table, write_table
from forecasting.storage.location import Location
from forecasting.storage.panel_file import parse, render

# Every store of the lake asks for the definition whenever it reads or writes a table.
_parsed = lru_cache(maxsize=8)(parse)


class Reference:
    """Reads and writes the stores, the products, and what their sales are."""

    def __init__(self, root: Location) -> None:
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

    def known(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the tables `stores` and `products`; empty where the lake has none yet."""
        tables = schemas.stores(self.definition), schemas.products(self.definition)
        stores, products = (self._read(each) if self._path(each).exists() else each.empty() for each in tables)
        return stores, products

    def add(self, stores: Collection[Id], products: Collection[Id], attributes: Attributes | None = None) -> None:
        """Add those that are not known, and write what rows say of these and of others.

        Until a file, or somebody, says another name, their id is their name.
        """
        known_stores, known_products = self.known()
        said = attributes or {}
        new_stores = _extended(known_stores, "store", stores, said, schemas.stores(self.definition))
        new_products = _extended(known_products, "product", products, said, schemas.products(self.definition))
        if not (new_stores.equals(known_stores) and new_products.equals(known_products)):
            self.write(new_stores, new_products)

    @property
    def definition(self) -> PanelDefinition:
        """What the sales of the lake are; the orange juice where the lake has no panel file.

        Raises:
            DataError: the file is damaged.
        """
        return self._panel()[0]

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """How files arrive; as those of the orange juice where the lake has no panel file.

        Raises:
            DataError: the file is damaged.
        """
        return self._panel()[1]

    def write_panel(self, definition: PanelDefinition, layouts: Sequence[Layout], doubts: Sequence[str] = ()) -> None:
        """Write what the sales of the lake are and how files arrive, before any table is written."""
        self.panel_path.write_text(render(definition, layouts, doubts))

    @property
    def panel_path(self) -> Location:
        """The panel file."""
        return self._folder / "panel.toml"

    @property
    def week_starts_on(self) -> int:
        """First weekday of a sales week, Monday = 0."""
        return self.definition.week_starts_on

    @property
    def time_zone(self) -> str:
        """IANA name of the time zone in which a week closes."""
        return self.definition.time_zone

    def _panel(self) -> tuple[PanelDefinition, tuple[Layout, ...]]:
        path = self.panel_path
        try:
            return _parsed(path.read_text(), str(path))
        except FileNotFoundError:
            return ORANGE_JUICE, LAYOUTS

    def _read(self, table: Table) -> pd.DataFrame:
        path = self._path(table)
        if not path.exists():
            raise DataError(
                f"The lake {self._root} has no table of {table.name}",
                "fill it with `oj simulate` (the orange juice data), or write that table (docs/data-contract.md)",
            )
        return read_table(path, table)

    def _path(self, table: Table) -> Location:
        return self._folder / f"{table.name}.parquet"


def _extended(
    known: pd.DataFrame, key: KeyName, ids: Iterable[Id], attributes: Attributes, table: Table
) -> pd.DataFrame:
    """Return the table with new ids, and with the values that are said of its ids."""
    new = sorted(set(ids) - set(known[key]))
    added = pd.DataFrame({key: new, "name": [str(each) for each in new]}).reindex(columns=table.columns)
    rows = pd.concat([known, table.cast(added)], ignore_index=True) if new else known
    if key not in attributes:
        return rows
    said = attributes[key].set_index(key).reindex(rows[key])
    values = {name: said[name].set_axis(rows.index) for name in said}
    return table.cast(rows.assign(**{name: each.fillna(rows[name]) for name, each in values.items()}))
