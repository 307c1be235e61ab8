"""Tests of the declared tables."""

import pandas as pd
import pytest

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.table import Table

TABLES = [value for value in (vars(schemas) | vars(orange_juice)).values() if isinstance(value, Table)]


def name_of(table: Table) -> str:
    return table.name


@pytest.mark.parametrize("table", TABLES, ids=name_of)
def test_every_column_states_its_unit_and_the_key_is_declared(table: Table) -> None:
    """A reader finds unit and grain in the declaration itself."""
    assert all(field.metadata[b"unit"] for field in table.schema)
    assert set(table.key) <= set(table.columns)
    # A key that may be empty says what that means.
    may_be_empty = [field for field in map(table.schema.field, table.key) if field.nullable]
    assert all("empty" in field.metadata[b"unit"].decode() for field in may_be_empty)
    assert table.grain.startswith("One row per")


@pytest.mark.parametrize("table", TABLES, ids=name_of)
def test_an_empty_frame_has_the_declared_columns(table: Table) -> None:
    """No rows is a legal table, and casting it again changes nothing."""
    empty = table.empty()

    assert list(empty.columns) == table.columns
    pd.testing.assert_frame_equal(table.cast(empty), empty)
