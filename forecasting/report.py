"""The report table, in which history and forecast stand side by side, and its summary for people."""

import pandas as pd

from forecasting import schemas


def report_table(
    sales: pd.DataFrame, promotions: pd.DataFrame, forecast: pd.DataFrame, brands: pd.DataFrame
) -> pd.DataFrame:
    """One table of what was sold up to the cutoff and what is forecast after it.

    Args:
        sales: table `sales`; rows after the forecast's cutoff are left out.
        promotions: table `promotions`, past and future.
        forecast: table `forecast` of one cutoff.
        brands: table `brands`.

    Returns:
        Table `report`, sorted by cell; `units` holds sales where `kind` is actual, else the point forecast.
    """
    cutoff = forecast["cutoff"].iloc[0]
    actual = sales[sales["week"] <= cutoff].assign(kind="actual")
    expected = forecast.rename(columns={"forecast": "units"}).assign(kind="forecast")
    table = pd.concat([actual.astype({"units": "float64"}), expected], ignore_index=True)
    table = table.merge(promotions, on=schemas.CELL, how="left")
    table["deal"] = table["deal"].astype("Int8")
    names = brands.set_index("brand")["name"]
    table["brand_name"] = table["brand"].map(names).fillna(table["brand"].astype(str))
    return schemas.REPORT.cast(table).sort_values(schemas.CELL, ignore_index=True)


def biggest_movers(report: pd.DataFrame, count: int, recent_weeks: int = 4) -> pd.DataFrame:
    """Series whose first forecast week differs most from their mean of the last weeks: rises, then drops.

    Args:
        report: table `report`.
        count: how many rises, and how many drops.
        recent_weeks: weeks up to the cutoff that make the mean.

    Returns:
        One row per series, biggest rise first, biggest drop last: `store, brand, brand_name, week, recent`
        (mean units of the last weeks), `units`, `lo_80`, `hi_80`, `change` (cartons), `price`, `deal`, `feat`.
    """
    forecast = report[report["kind"] == "forecast"]
    first = forecast[forecast["week"] == forecast["week"].min()]
    since = forecast["cutoff"].iloc[0] - pd.Timedelta(weeks=recent_weeks)
    past = report[(report["kind"] == "actual") & (report["week"] > since)]
    recent = past.groupby(schemas.SERIES)["units"].mean().rename("recent").reset_index()
    movers = first.merge(recent, on=schemas.SERIES)
    movers["change"] = movers["units"] - movers["recent"]
    movers = movers.sort_values("change", ascending=False, kind="stable", ignore_index=True)
    rises = movers[movers["change"] > 0].head(count)
    drops = movers[movers["change"] < 0].tail(count)
    columns = ["store", "brand", "brand_name", "week", "recent", "units", "lo_80", "hi_80", "change"]
    return pd.concat([rises, drops])[[*columns, "price", "deal", "feat"]].reset_index(drop=True)
