"""What is in the database: the lake's tables as they are declared, what was loaded of them, and two views."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Double,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    inspect,
    text,
)
from sqlalchemy.types import TypeEngine

from forecasting.contracts import schemas
from forecasting.contracts.errors import RunError
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.contracts.table import Table as Declared

_TYPES: dict[pa.DataType, type[TypeEngine[Any]]] = {
    pa.int8(): SmallInteger,
    pa.int16(): SmallInteger,
    pa.int32(): Integer,
    pa.int64(): BigInteger,
    pa.float64(): Double,
    pa.bool_(): Boolean,
    pa.date32(): Date,
    pa.string(): Text,
}


def _table(declared: Declared, metadata: MetaData) -> Table:
    columns = [
        Column(
            field.name,
            _TYPES[field.type],
            primary_key=field.name in declared.key,
            # A week is replaced as a whole; the key of sales and promotions does not begin with it.
            index=field.name == "week" and declared.key[0] != "cutoff",
            autoincrement=False,
            nullable=field.nullable,
            comment=field.metadata[b"unit"].decode(),
        )
        for field in declared.schema
    ]
    return Table(declared.name, metadata, *columns, comment=declared.grain)


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables and views of the panel that a definition describes.

    by_week: tables that are loaded a week at a time, with the column that holds the week.
    whole: tables that are small, and loaded whole.
    views: the statements that create the views `promotions` and `report`.
    """

    by_week: Mapping[str, tuple[Declared, str]]
    whole: tuple[Declared, ...]
    metadata: MetaData
    views: tuple[str, ...]

    def __getitem__(self, name: str) -> Table:
        """Return a table by its name."""
        return self.metadata.tables[name]


@cache
def tables_of(definition: PanelDefinition) -> Tables:
    """Return the tables of a definition."""
    forecast, sales = schemas.forecast(definition), schemas.sales(definition)
    announced = schemas.announced_promotions(definition)
    by_week = {
        forecast.name: (forecast, "cutoff"),
        schemas.SCORES.name: (schemas.SCORES, "cutoff"),
        sales.name: (sales, "week"),
        announced.name: (announced, "announced"),
    }
    whole = (schemas.stores(definition), schemas.products(definition))
    metadata = MetaData()
    for declared in (*(each for each, _ in by_week.values()), *whole):
        _table(declared, metadata)
    _loads(metadata)
    return Tables(by_week, whole, metadata, (_promotions(definition), _report(definition)))


def _loads(metadata: MetaData) -> Table:
    return Table(
        "loads",
        metadata,
        Column("table_name", String(20), primary_key=True, comment="forecast, scores, sales or announced_promotions"),
        Column(
            "cutoff",
            Date,
            primary_key=True,
            comment="cutoff of forecast and scores, week of sales, announcing week of promotions",
        ),
        Column("run_id", Text, comment="the published run; empty for what was collected"),
        Column("rows", Integer, nullable=False, comment="rows of that table and week"),
        Column("sha256", String(64), nullable=False, comment="of the Parquet file in the lake"),
        Column("checksum", BigInteger, nullable=False, comment="of the rows, as the database held them when loaded"),
        Column("loaded_at", DateTime(timezone=True), nullable=False, comment="moment of the load, UTC"),
        comment="One row per (table_name, cutoff): which file of the lake the rows are from.",
    )


def _promotions(definition: PanelDefinition) -> str:
    """Return the view of what was announced up to the newest cutoff; of several announcements the newest counts."""
    columns = ", ".join(["store", "product", "week", *definition.names])
    return f"""
CREATE VIEW promotions AS
SELECT {columns}
FROM (
    SELECT t.*, ROW_NUMBER() OVER (PARTITION BY store, product, week ORDER BY announced DESC) AS newest
    FROM announced_promotions t
    WHERE announced <= (SELECT MAX(cutoff) FROM forecast)
) ranked
WHERE newest = 1
"""  # noqa: S608 - names of columns, which are identifiers


def _report(definition: PanelDefinition) -> str:
    """Return the view of what was sold up to the newest cutoff, and its forecast."""
    offer = "".join(f"p.{name}, " for name in definition.names)
    return f"""
CREATE VIEW report AS
SELECT 'actual' AS kind, s.store, s.product, COALESCE(b.name, CAST(s.product AS TEXT)) AS product_name, s.week,
       CAST(s.units AS DOUBLE PRECISION) AS units,
       CAST(NULL AS DOUBLE PRECISION) AS lo_80, CAST(NULL AS DOUBLE PRECISION) AS hi_80,
       CAST(NULL AS DOUBLE PRECISION) AS lo_95, CAST(NULL AS DOUBLE PRECISION) AS hi_95,
       {offer}NULL AS cutoff, NULL AS model, NULL AS reason
FROM sales s
LEFT JOIN promotions p ON p.store = s.store AND p.product = s.product AND p.week = s.week
LEFT JOIN products b ON b.product = s.product
WHERE s.week <= (SELECT MAX(cutoff) FROM forecast)
UNION ALL
SELECT 'forecast', f.store, f.product, COALESCE(b.name, CAST(f.product AS TEXT)), f.week,
       f.forecast, f.lo_80, f.hi_80, f.lo_95, f.hi_95,
       {offer}f.cutoff, f.model, f.reason
FROM forecast f
LEFT JOIN promotions p ON p.store = f.store AND p.product = f.product AND p.week = f.week
LEFT JOIN products b ON b.product = f.product
WHERE f.cutoff = (SELECT MAX(cutoff) FROM forecast)
"""  # noqa: S608 - names of columns, which are identifiers


def create_tables(connection: Connection, name: str, tables: Tables) -> None:
    """Create the tables where there are none yet.

    Raises:
        RunError: tables of these names are somebody else's, or of another version of this package.
    """
    inspector = inspect(connection)
    present = {*inspector.get_table_names(), *inspector.get_view_names()}
    ours = [*tables.metadata.tables, "promotions", "report"]
    taken = sorted(present & set(ours))
    if not taken:
        tables.metadata.create_all(connection)
        for view in tables.views:
            connection.execute(text(view))
        return
    for table in tables.metadata.sorted_tables:
        columns = [column["name"] for column in inspector.get_columns(table.name)] if table.name in taken else []
        # Order and all: whoever else has tables of these names has others.
        if "loads" not in taken or columns != list(table.columns.keys()):
            raise RunError(
                f"The database {name} has tables {', '.join(taken)} that this version did not make",
                "if another version of it did, drop them and load again (they are copies); else give it a database, "
                "or a schema, of its own (docs/tables.md)",
            )
