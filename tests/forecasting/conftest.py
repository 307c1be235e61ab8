"""Fixtures of the core's tests: the real data set, read once."""

from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.storage.files import read_table
from forecasting.storage.location import local_file

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="session")
def real_sales() -> pd.DataFrame:
    """Weeks 40 to 160 of 83 stores and 11 products."""
    return read_table(local_file(DATA / "sales.parquet"), orange_juice.SALES)


@pytest.fixture(scope="session")
def real_promotions() -> pd.DataFrame:
    return read_table(local_file(DATA / "promotions.parquet"), orange_juice.PROMOTIONS)


@pytest.fixture(scope="session")
def real_stores() -> pd.DataFrame:
    return read_table(local_file(DATA / "stores.parquet"), orange_juice.STORES)


@pytest.fixture(scope="session")
def real_products() -> pd.DataFrame:
    return read_table(local_file(DATA / "products.parquet"), orange_juice.PRODUCTS)
