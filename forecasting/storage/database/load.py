"""Update the database from the lake: load every week that differs, each in one transaction.

A week differs where its file is not the one that was loaded, or where the number or the checksum of its rows in the
database has changed since. A load that is killed leaves each week as it was, or as it is in the lake. Two loads at the
same time wait for each other.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from functools import cache
from operator import itemgetter
from typing import Any

import pyarrow as pa
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    Double,
    Integer,
    SmallInteger,
    Text,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy import Column as SqlColumn

from forecasting.clock import now
from forecasting.contracts import schemas
from forecasting.contracts.errors import SchemaError
from forecasting.contracts.table import Table
from forecasting.storage.database import DatabaseLoad
from forecasting.storage.database.tables import Tables, create_tables, tables_of
from forecasting.storage.database.target import Database
from forecasting.storage.files import read_hashed, sha256_of
from forecasting.storage.lake import Lake
from forecasting.storage.location import Location

# Keeps sums of products within 64 bits.
PRIME = 1_000_003
ANNOUNCED, LOADS = "announced_promotions", "loads"


@dataclass(frozen=True)
class Piece:
    """The rows of one file of the lake, of one table."""

    table: Table
    week: date
    path: Location
    run_id: str | None = None

    @property
    def key(self) -> tuple[str, date]:
        return self.table.name, self.week


def load(lake: Lake, database: str, anew: tuple[date, date] | None = None) -> DatabaseLoad:
    """Load the weeks that differ.

    Args:
        database: a name in connections.toml, or `sqlite:///path`.
        anew: first and last of the weeks that are loaded whether they differ or not.

    Raises:
        ForecastingError: the database cannot be used or reached, or a file of the lake is damaged.
    """
    with closing(Database(database)) as target:
        return _load(lake, target, anew)


def _load(lake: Lake, target: Database, anew: tuple[date, date] | None) -> DatabaseLoad:
    tables = tables_of(lake.reference.definition)
    pieces = {piece.key: piece for piece in _pieces(lake, tables)}
    rows: dict[str, int] = {}
    with target.transaction() as connection:
        create_tables(connection, target.name, tables)
        for table in tables.whole:
            rows[table.name] = _load_whole(connection, tables, table, lake)
        differing = _differing(connection, tables, pieces)
    if anew:
        differing |= {key for key in pieces if anew[0] <= key[1] <= anew[1]}
    weeks, damaged = sorted({week for _, week in differing}), []
    for week in weeks:
        try:
            with target.transaction() as connection:
                for name, _ in sorted(key for key in differing if key[1] == week):
                    # The file may be newer by now; the one that is read counts, as no other load runs.
                    rows[name] = rows.get(name, 0) + _replace(
                        connection, tables, name, week, pieces.get((name, week)), lake
                    )
        except SchemaError as error:
            damaged.append(error)  # the other weeks are loaded all the same
    if damaged:
        raise damaged[0]
    return DatabaseLoad(target.name, tuple(weeks), {name: count for name, count in rows.items() if count})


def _pieces(lake: Lake, tables: Tables) -> list[Piece]:
    forecast, sales, announced = (tables.by_week[name][0] for name in ("forecast", "sales", ANNOUNCED))
    pieces = []
    for cutoff in lake.forecasts.cutoffs():
        run_id = lake.forecasts.run_id(cutoff)
        pieces.append(Piece(forecast, cutoff, lake.forecasts.path(cutoff), run_id))
        if run_id and (scores := lake.monitoring.scores_path(cutoff, run_id)).exists():
            pieces.append(Piece(schemas.SCORES, cutoff, scores, run_id))
    for table, stored in ((sales, lake.sales), (announced, lake.promotions)):
        pieces += [Piece(table, week, stored.path(week)) for week in stored.weeks()]
    return pieces


def _differing(
    connection: Connection, tables: Tables, pieces: Mapping[tuple[str, date], Piece]
) -> set[tuple[str, date]]:
    """Return the tables and weeks whose rows in the database are not those of the file that exists now."""
    wanted = {key: sha256_of(piece.path) for key, piece in pieces.items()}
    held = {(name, *found) for name in tables.by_week for found in _held(connection, tables, name)}
    of_loads = tables[LOADS].c
    columns = (of_loads.table_name, of_loads.cutoff, of_loads.rows, of_loads.checksum, of_loads.sha256)
    loads = {(load.table_name, load.cutoff): load for load in connection.execute(select(*columns))}
    sound = {key for key, load in loads.items() if tuple(load[:4]) in held or not load.rows}
    known = {*wanted, *loads, *((name, week) for name, week, _, _ in held)}
    return {key for key in known if key not in sound or key not in wanted or loads[key].sha256 != wanted[key]}


def _held(connection: Connection, tables: Tables, name: str, week: date | None = None) -> list[tuple[date, int, int]]:
    """Return week, number of rows and checksum of the weeks of a table in the database."""
    table, of_week = tables[name], tables[name].c[tables.by_week[name][1]]
    query = select(of_week, func.count(), func.sum(_checksum(tables, name))).group_by(of_week)
    if week:
        query = query.where(of_week == week)
    return [(found, rows, int(checksum)) for found, rows, checksum in connection.execute(query.select_from(table))]


@cache
def _checksum(tables: Tables, name: str) -> ColumnElement[int]:
    """Return an integer made from all values of a row; the sum over rows is exact in any order.

    Each column has a weight, and each row one from the integers and ids of its key, so that exchanged values change the
    sum. Other texts count by their length.
    """
    table = tables[name]
    values = sum((3 + number) * _whole_number(column) for number, column in enumerate(table.columns))
    key = [_of_key(column) for column in table.primary_key if _is_integer(column) or column.name in schemas.SERIES]
    weight = sum((101 + 2 * number) * each for number, each in enumerate(key))
    return (cast(values, BigInteger) % PRIME) * ((weight + 1) % PRIME)


def _of_key(column: "SqlColumn[Any]") -> ColumnElement[Any]:
    return cast(column, BigInteger) if _is_integer(column) else func.hashtextextended(column, 0) % PRIME


def _is_integer(column: "SqlColumn[Any]") -> bool:
    return isinstance(column.type, Integer | SmallInteger)


def _whole_number(column: "SqlColumn[Any]") -> ColumnElement[Any]:
    return func.coalesce(_exactly(column), -7)


def _exactly(column: "SqlColumn[Any]") -> ColumnElement[Any]:
    match column.type:
        case Text():
            return cast(func.length(column), BigInteger)
        case Boolean():
            return case((column, literal(1)), else_=literal(0))
        case Date():
            return cast(func.replace(cast(column, Text), "-", ""), BigInteger)
        case Double():
            return cast(column * 1000, BigInteger) % PRIME
        case _:
            return cast(column, BigInteger)


def _replace(connection: Connection, tables: Tables, name: str, week: date, piece: Piece | None, lake: Lake) -> int:
    """Replace a week of a table by what the lake holds; return the number of rows."""
    connection.execute(delete(tables[name]).where(tables[name].c[tables.by_week[name][1]] == week))
    connection.execute(delete(tables[LOADS]).where(tables[LOADS].c.table_name == name, tables[LOADS].c.cutoff == week))
    if piece is None:
        return 0
    found, metadata, sha256 = _read(piece, lake)
    if len(found):
        connection.execute(insert(tables[name]), found.to_pylist())
    checksum = next((checksum for _, _, checksum in _held(connection, tables, name, week)), 0)
    connection.execute(
        insert(tables[LOADS]).values(
            table_name=name,
            cutoff=week,
            run_id=metadata.get("run_id", piece.run_id),
            rows=len(found),
            sha256=sha256,
            checksum=checksum,
            loaded_at=now(),
        )
    )
    return len(found)


def _read(piece: Piece, lake: Lake) -> tuple[pa.Table, dict[str, str], str]:
    """Return the rows of a piece, their metadata, and the SHA-256 of the file."""
    if piece.table.name != ANNOUNCED:
        return read_hashed(piece.path, piece.table)
    rows, metadata, sha256 = read_hashed(piece.path, lake.promotions.table)
    announced = piece.table.schema.field("announced")
    # The file is named by the week that announced its rows.
    return rows.add_column(0, announced, pa.repeat(pa.scalar(piece.week, announced.type), len(rows))), metadata, sha256


def _load_whole(connection: Connection, tables: Tables, declared: Table, lake: Lake) -> int:
    """Replace a small table if its rows are not those of the lake; return the number of rows loaded."""
    table = tables[declared.name]
    wanted = declared.to_arrow(
        {"stores": lake.reference.stores, "products": lake.reference.products}[declared.name]()
    ).to_pylist()
    held = [dict(row) for row in connection.execute(select(table)).mappings()]
    # Databases have orders of their own for texts.
    if sorted(held, key=itemgetter(*declared.key)) == sorted(wanted, key=itemgetter(*declared.key)):
        return 0
    connection.execute(delete(table))
    connection.execute(insert(table), wanted)
    return len(wanted)
