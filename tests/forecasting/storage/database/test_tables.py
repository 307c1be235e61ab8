"""The database's tables: the declared columns with their types, units and keys, and whose tables they are."""

import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import create_engine, inspect

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.errors import RunError
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.table import Table
from forecasting.core.report import report_table
from forecasting.storage.database.load import load
from forecasting.storage.database.tables import create_tables, tables_of
from forecasting.storage.lake import Lake
from tests.databases import CUTOFFS, Target

KINDS = {
    pa.int8(): "SMALLINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    pa.string(): "TEXT",
}
DECLARED = [
    orange_juice.FORECAST,
    schemas.SCORES,
    orange_juice.SALES,
    orange_juice.ANNOUNCED_PROMOTIONS,
    orange_juice.STORES,
    orange_juice.PRODUCTS,
]


@pytest.mark.parametrize("declared", DECLARED, ids=lambda table: table.name)
def test_every_declared_column_has_its_type_its_key_and_its_unit(declared: Table) -> None:
    """In the declared order, and nothing but these columns."""
    made = tables_of(ORANGE_JUICE)[declared.name]
    assert [(column.name, str(column.type)) for column in made.columns] == [
        (field.name, KINDS[field.type]) for field in declared.schema
    ]
    assert {column.name for column in made.primary_key} == set(declared.key)
    assert [column.comment for column in made.columns] == [
        field.metadata[b"unit"].decode() for field in declared.schema
    ]
    assert made.comment == declared.grain


def test_tables_are_created_once() -> None:
    """A second call finds them as they are: tables, the views `promotions` and `report`, and `loads`."""
    tables = tables_of(ORANGE_JUICE)
    with create_engine("sqlite://").begin() as connection:
        for _ in range(2):
            create_tables(connection, "a database", tables)
        found = inspect(connection)
        assert {*found.get_table_names()} == {*(declared.name for declared in DECLARED), "loads"}
        assert {*found.get_view_names()} == {"promotions", "report"}


def test_types_are_those_a_tool_expects(lake: Lake, postgresql_target: Target) -> None:
    """Dates are dates, floats have double precision, and each column has its unit as a comment."""
    load(lake, postgresql_target.name)
    columns = postgresql_target.ask(
        "SELECT column_name, data_type, col_description('forecast'::regclass, ordinal_position) "
        "FROM information_schema.columns WHERE table_name = 'forecast'"
    )
    types = {name: kind for name, kind, _ in columns}
    assert types["week"] == types["cutoff"] == "date"
    assert types["hi_95"] == "double precision"
    assert types["promotion_known"] == "boolean"
    assert {comment for _, _, comment in columns} >= {
        "weeks after the cutoff",
        "the store's id, as the retailer writes it",
    }


def test_the_view_report_is_the_table_report(lake: Lake, target: Target) -> None:
    """History and the newest forecast side by side, as in the Parquet file."""
    load(lake, target.name)
    wanted = report_table(
        lake.sales.read(),
        lake.promotions.read(CUTOFFS[-1]),
        lake.forecasts.read(CUTOFFS[-1]),
        lake.reference.products(),
        lake.reference.definition,
    )
    pd.testing.assert_frame_equal(target.rows(orange_juice.REPORT), wanted, check_exact=True)


def test_tables_of_somebody_else_are_left_alone(lake: Lake, target: Target) -> None:
    """A database in which one of our names is taken is refused, and nothing of it is touched."""
    target.ask("CREATE TABLE sales (store INTEGER, units INTEGER)")
    target.ask("INSERT INTO sales VALUES (1, 2)")
    with pytest.raises(RunError, match="has tables sales that this version did not make"):
        load(lake, target.name)
    assert target.ask("SELECT * FROM sales") == [(1, 2)]


def test_tables_of_another_version_are_refused(lake: Lake, target: Target) -> None:
    """A column more or less: the remedy is to drop the copies."""
    load(lake, target.name)
    target.ask("ALTER TABLE forecast ADD COLUMN colour TEXT")
    with pytest.raises(RunError, match="drop them and load again"):
        load(lake, target.name)
