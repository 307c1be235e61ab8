"""What is in the database: the lake's tables as they are declared, what was loaded of them, and two views."""

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
from forecasting.contracts.table import Table as Declared

# Tables that are loaded a week at a time, with the column that holds the week.
BY_WEEK = {
    schemas.FORECAST.name: (schemas.FORECAST, "cutoff"),
    schemas.SCORES.name: (schemas.SCORES, "cutoff"),
    schemas.SALES.name: (schemas.SALES, "week"),
    schemas.ANNOUNCED_PROMOTIONS.name: (schemas.ANNOUNCED_PROMOTIONS, "announced"),
}
# Tables that are small, and loaded whole.
WHOLE = (schemas.STORES, schemas.PRODUCTS)

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


METADATA = MetaData()
TABLES = {declared.name: _table(declared, METADATA) for declared in (*(each for each, _ in BY_WEEK.values()), *WHOLE)}
LOADS = Table(
    "loads",
    METADATA,
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

# As the lake's tables of these names. The newest of several announcements of a cell counts; weeks after the newest
# cutoff may have announced something already.
_PROMOTIONS = """
CREATE VIEW promotions AS
SELECT store, product, week, price, deal, feat
FROM (
    SELECT t.*, ROW_NUMBER() OVER (PARTITION BY store, product, week ORDER BY announced DESC) AS newest
    FROM announced_promotions t
    WHERE announced <= (SELECT MAX(cutoff) FROM forecast)
) ranked
WHERE newest = 1
"""
# What was sold up to the newest cutoff, and its forecast.
_REPORT = """
CREATE VIEW report AS
SELECT 'actual' AS kind, s.store, s.product, COALESCE(b.name, CAST(s.product AS VARCHAR(20))) AS product_name, s.week,
       CAST(s.units AS DOUBLE PRECISION) AS units,
       CAST(NULL AS DOUBLE PRECISION) AS lo_80, CAST(NULL AS DOUBLE PRECISION) AS hi_80,
       CAST(NULL AS DOUBLE PRECISION) AS lo_95, CAST(NULL AS DOUBLE PRECISION) AS hi_95,
       p.price, p.deal, p.feat, NULL AS cutoff, NULL AS model, NULL AS reason
FROM sales s
LEFT JOIN promotions p ON p.store = s.store AND p.product = s.product AND p.week = s.week
LEFT JOIN products b ON b.product = s.product
WHERE s.week <= (SELECT MAX(cutoff) FROM forecast)
UNION ALL
SELECT 'forecast', f.store, f.product, COALESCE(b.name, CAST(f.product AS VARCHAR(20))), f.week,
       f.forecast, f.lo_80, f.hi_80, f.lo_95, f.hi_95,
       p.price, p.deal, p.feat, f.cutoff, f.model, f.reason
FROM forecast f
LEFT JOIN promotions p ON p.store = f.store AND p.product = f.product AND p.week = f.week
LEFT JOIN products b ON b.product = f.product
WHERE f.cutoff = (SELECT MAX(cutoff) FROM forecast)
"""


def create_tables(connection: Connection, name: str) -> None:
    """Create the tables where there are none yet.

    Raises:
        RunError: tables of these names are somebody else's, or of another version of this package.
    """
    inspector = inspect(connection)
    present = {*inspector.get_table_names(), *inspector.get_view_names()}
    ours = [*METADATA.tables, "promotions", "report"]
    taken = sorted(present & set(ours))
    if not taken:
        METADATA.create_all(connection)
        connection.execute(text(_PROMOTIONS))
        connection.execute(text(_REPORT))
        return
    for table in METADATA.sorted_tables:
        columns = [column["name"] for column in inspector.get_columns(table.name)] if table.name in taken else []
        # Order and all: whoever else has tables of these names has others.
        if "loads" not in taken or columns != list(table.columns.keys()):
            raise RunError(
                f"The database {name} has tables {', '.join(taken)} that this version did not make",
                "if another version of it did, drop them and load again (they are copies); else give it a database, "
                "or a schema, of its own (docs/tables.md)",
            )
