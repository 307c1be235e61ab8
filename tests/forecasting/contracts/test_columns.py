"""The columns that several tables have follow the panel definition."""

from dataclasses import replace

import pyarrow as pa
import pytest

from forecasting.contracts import columns
from forecasting.contracts.panel_definition import ORANGE_JUICE, Attribute, Key


@pytest.mark.parametrize(("kind", "expected"), [("number", pa.int64()), ("text", pa.string())])
def test_an_id_has_the_type_of_its_key(kind: str, expected: pa.DataType) -> None:
    """Each key its own, and none may be empty."""
    definition = replace(ORANGE_JUICE, product=Key("SKU", "SKUs", kind))  # type: ignore[arg-type]
    store, product, week = columns.cell(definition)
    assert (store.type, product.type, week.type) == (pa.int64(), expected, pa.date32())
    assert not any(each.nullable for each in (store, product, week))


@pytest.mark.parametrize(("whole", "expected"), [(True, pa.int64()), (False, pa.float64())])
def test_units_are_whole_where_the_definition_says_so(whole: bool, expected: pa.DataType) -> None:
    """With the meaning that the table gives them."""
    found = columns.units(replace(ORANGE_JUICE, whole_units=whole), "units", "units sold")
    assert (found.name, found.type, found.metadata) == ("units", expected, {b"unit": b"units sold"})


def test_an_attribute_may_be_empty() -> None:
    """Whatever its kind."""
    kinds = {"whole": pa.int32(), "decimal": pa.float64(), "text": pa.string()}
    for kind, expected in kinds.items():
        found = columns.attribute(Attribute("city", kind, "where it is"))  # type: ignore[arg-type]
        assert (found.type, found.nullable) == (expected, True)
