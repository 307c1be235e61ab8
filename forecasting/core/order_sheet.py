"""The order sheet: one cutoff's forecast as a planner reads it, with names, plans and what was sold last."""

import pandas as pd

from forecasting.contracts import schemas


def order_sheet(
    forecast: pd.DataFrame,
    sales: pd.DataFrame,
    promotions: pd.DataFrame,
    stores: pd.DataFrame,
    products: pd.DataFrame,
) -> pd.DataFrame:
    """Lay out the forecast of one cutoff for people.

    Args:
        forecast: table `forecast` of one cutoff.
        sales: table `sales`; only the cutoff's week is used.
        promotions: table `promotions`, past and future.
        stores: table `stores`.
        products: table `products`; a product that it does not have is named by its number.

    Returns:
        Table `order_sheet`, sorted by store, product and week.
    """
    last = sales[sales["week"] == forecast["cutoff"].iloc[0]]
    sheet = forecast.merge(
        last[[*schemas.SERIES, "units"]].rename(columns={"units": "last_sold"}), on=schemas.SERIES, how="left"
    )
    sheet["last_sold"] = sheet["last_sold"].astype("Int64")
    sheet["change"] = sheet["forecast"] - sheet["last_sold"].astype("float64")
    sheet = sheet.merge(promotions, on=schemas.CELL, how="left")
    sheet["deal"] = sheet["deal"].astype("Int8")
    sheet["store_name"] = sheet["store"].map(stores.set_index("store")["name"])
    sheet["product_name"] = (
        sheet["product"].map(products.set_index("product")["name"]).fillna(sheet["product"].astype(str))
    )
    return schemas.ORDER_SHEET.cast(sheet).sort_values(schemas.CELL, ignore_index=True)
