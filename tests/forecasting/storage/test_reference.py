"""The reference tables and the panel definition of a lake."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.errors import DataError
from forecasting.contracts.layout import store_files
from forecasting.contracts.panel_definition import ORANGE_JUICE, Covariate
from forecasting.storage.files import write_text
from forecasting.storage.lake import Lake

COFFEE = replace(
    ORANGE_JUICE,
    name="coffee",
    week_starts_on=0,
    time_zone="Europe/Berlin",
    covariates=(Covariate("display", "flag", "display", "1 where the product stood on a display, else 0"),),
)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_a_missing_reference_table_names_the_remedy(lake: Lake) -> None:
    """A lake without stores says how to get them."""
    with pytest.raises(DataError, match="no table of stores; fill it with `oj simulate`"):
        lake.reference.stores()
    with pytest.raises(DataError, match="no table of products; fill it with `oj simulate`"):
        lake.reference.products()


def test_a_definition_is_read_as_it_was_written(lake: Lake) -> None:
    """Weekday, time zone and covariates among it; without one the lake is the orange juice's."""
    assert lake.reference.definition == ORANGE_JUICE
    lake.reference.write_panel(COFFEE, store_files(COFFEE))
    assert (lake.reference.definition, lake.reference.layouts) == (COFFEE, store_files(COFFEE))
    assert (lake.reference.week_starts_on, lake.reference.time_zone) == (0, "Europe/Berlin")


@pytest.mark.parametrize("content", ["", "{", "name = 1", 'week_starts_on = "Monday"'])
def test_a_damaged_definition_is_named(lake: Lake, content: str) -> None:
    """The lake does not silently become the orange juice's."""
    write_text(lake.root / "reference" / "panel.toml", content)
    with pytest.raises(DataError, match="panel"):
        _ = lake.reference.definition


def test_tables_are_read_as_they_were_written(
    lake: Lake, real_stores: pd.DataFrame, real_products: pd.DataFrame
) -> None:
    """With the columns that the definition declares."""
    lake.reference.write(real_stores, real_products)
    pd.testing.assert_frame_equal(lake.reference.stores(), orange_juice.STORES.cast(real_stores))
    pd.testing.assert_frame_equal(lake.reference.products(), schemas.products(ORANGE_JUICE).cast(real_products))


def test_new_stores_and_products_are_added_once(lake: Lake) -> None:
    """Their id is their name; what is known of the others stays."""
    lake.reference.add([7, 2], [1])
    stores, products = lake.reference.known()
    lake.reference.write(stores.assign(name=["Two", "Seven"]), products)
    lake.reference.add([7, 9], [])
    assert lake.reference.stores()[["store", "name"]].to_numpy().tolist() == [[2, "Two"], [7, "Seven"], [9, "9"]]
    assert lake.reference.products()[["product", "name"]].to_numpy().tolist() == [[1, "1"]]
