"""The shipped data are what their README says."""

import pandas as pd
import pytest

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.pipeline.simulation import SHIPPED
from forecasting.storage.files import read_table
from forecasting.storage.location import local_file


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    return read_table(local_file(SHIPPED / "sales.parquet"), orange_juice.SALES)


@pytest.fixture(scope="module")
def promotions() -> pd.DataFrame:
    return read_table(local_file(SHIPPED / "promotions.parquet"), orange_juice.PROMOTIONS)


def test_sales_have_the_documented_extent(sales: pd.DataFrame) -> None:
    """106,139 cells of 83 stores and 11 products in weeks 40 to 160; the 4,334 missing cells stay missing."""
    assert len(sales) == 106_139
    assert (sales["store"].nunique(), sales["product"].nunique(), sales["week"].nunique()) == (83, 11, 121)
    assert 83 * 11 * 121 - len(sales) == 4_334
    assert sales["week"].min().date() == dominicks_week(40)
    assert sales["week"].max().date() == dominicks_week(160)


def test_gaps_are_whole_stores(sales: pd.DataFrame) -> None:
    """A store that reports a week has all 11 products; 67 to 83 stores report in a week."""
    assert set(sales.groupby(["store", "week"]).size()) == {11}
    reporting = sales.groupby("week")["store"].nunique()
    assert (reporting.min(), reporting.max()) == (67, 83)


def test_promotions_are_known_for_every_cell(sales: pd.DataFrame, promotions: pd.DataFrame) -> None:
    """Every cell with sales has its price, in dollars a carton."""
    assert len(sales.merge(promotions, on=schemas.CELL)) == len(sales)
    assert promotions["price"].between(0.5, 6).all()


def test_first_cell_by_hand(sales: pd.DataFrame, promotions: pd.DataFrame) -> None:
    """Store 2, product 1, week 40: logmove 9.018695 is 8,256 oz or 129 cartons of 64 oz; 0.060469 $/oz is $3.87."""
    first = sales.merge(promotions, on=schemas.CELL).iloc[0]
    assert (first["store"], first["product"], str(first["week"].date())) == (2, 1, "1990-06-14")
    assert first["units"] == 129
    assert first["price"] == pytest.approx(3.87)
    assert first["deal"] == 1


def test_the_files_are_small() -> None:
    """A clone stays light."""
    assert sum(path.stat().st_size for path in SHIPPED.glob("*.parquet")) < 500_000
