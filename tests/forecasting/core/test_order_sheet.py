"""Tests of the order sheet: worked by hand."""

import pandas as pd

from forecasting.contracts import schemas
from forecasting.core.order_sheet import order_sheet
from tests.forecasting.core.test_report import NO_PLAN, PRODUCTS, forecast_of, plan_of, sales_of, week

STORES = schemas.STORES.cast(
    pd.DataFrame(columns=schemas.STORES.columns).assign(store=[2, 5], name=["Main Street", None])
)


def test_a_forecast_stands_beside_what_was_sold_last_and_what_is_planned() -> None:
    """One row a store, product and week; the change is from the cutoff's week to each of them."""
    sales = sales_of((2, 1, 0, 20), (2, 1, -1, 99))
    plan = plan_of((2, 1, 1, 2.5, 1, 0.5))
    sheet = order_sheet(forecast_of((2, 1, 2, 12.5), (2, 1, 1, 15.0)), sales, plan, STORES, PRODUCTS)
    assert list(sheet.columns) == schemas.ORDER_SHEET.columns
    assert sheet["week"].tolist() == [week(1), week(2)]
    assert sheet[["store_name", "product_name"]].to_numpy().tolist() == [["Main Street", "Tropicana"]] * 2
    assert sheet["last_sold"].tolist() == [20, 20]
    assert sheet["change"].tolist() == [-5.0, -7.5]
    assert sheet[["price", "deal", "feat"]].iloc[0].tolist() == [2.5, 1, 0.5]
    assert sheet[["price", "deal", "feat"]].iloc[1].isna().all()


def test_what_is_not_known_stays_empty() -> None:
    """A store without a name, a product that the table does not know, no sales in the cutoff's week."""
    sheet = order_sheet(forecast_of((5, 7, 1, 3.0)), sales_of((5, 7, -1, 4)), NO_PLAN, STORES, PRODUCTS)
    assert sheet["product_name"].tolist() == ["7"]
    assert sheet[["store_name", "last_sold", "change"]].isna().all(axis=None)
