"""The reference tables and the panel definition of a lake."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.errors import DataError
from forecasting.contracts.layout import store_files
from forecasting.contracts.panel_definition import ORANGE_JUICE, Attribute, Covariate
from forecasting.core.attributes import Attributes
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
    (lake.root / "reference" / "panel.toml").write_text(content)
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


def test_what_files_say_is_written_over_what_is_known(lake: Lake) -> None:
    """Of known and of new ids; what files do not say, and ids that nobody knows, change nothing."""
    lake.reference.add([7, 2], [1])
    said: Attributes = {
        "store": pd.DataFrame({"store": [9, 7, 5], "name": ["Nine", None, "Five"], "income": [1.5, 2.5, 3.5]}),
        "product": pd.DataFrame({"product": [1], "ounces": pd.array([64], dtype="Int64")}),
    }
    lake.reference.add([9], [], said)
    stores = lake.reference.stores()[["store", "name", "income"]]
    assert stores.fillna(0).to_numpy().tolist() == [[2, "2", 0], [7, "7", 2.5], [9, "Nine", 1.5]]
    assert lake.reference.products()[["product", "name", "ounces"]].to_numpy().tolist() == [[1, "1", 64]]
    written = Path(lake.root / "reference" / "stores.parquet").stat().st_mtime_ns
    lake.reference.add([], [], said)
    assert Path(lake.root / "reference" / "stores.parquet").stat().st_mtime_ns == written
    lake.reference.add([], [4], {"product": pd.DataFrame({"product": [4], "name": ["Four"]})})
    assert lake.reference.products()["ounces"].fillna(0).tolist() == [64, 0]


def test_an_attribute_may_be_declared_later(lake: Lake) -> None:
    """It is unknown until a file says it."""
    lake.reference.write_panel(COFFEE, store_files(COFFEE))
    lake.reference.add([7], [1])
    more = replace(COFFEE, product_attributes=(*COFFEE.product_attributes, Attribute("roast", "text", "roast")))
    lake.reference.write_panel(more, store_files(more))
    assert lake.reference.products()["roast"].isna().all()
    lake.reference.add([], [], {"product": pd.DataFrame({"product": [1], "roast": ["dark"]})})
    assert lake.reference.products()["roast"].tolist() == ["dark"]
