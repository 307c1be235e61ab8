"""The report, in which history and forecast stand side by side, its summary, and the order sheet."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import PanelDefinition

RECENT_WEEKS = 4


def report_table(
    sales: pd.DataFrame,
    promotions: pd.DataFrame,
    forecast: pd.DataFrame,
    products: pd.DataFrame,
    definition: PanelDefinition,
) -> pd.DataFrame:
    """Return one table of what was sold up to the cutoff and what is forecast after it.

    Args:
        sales: table `sales`; rows after the forecast's cutoff are left out.
        promotions: table `promotions`, past and future.
        forecast: table `forecast` of one cutoff.
        products: table `products`.

    Returns:
        Table `report`, sorted by cell; `units` holds sales where `kind` is actual, else the point forecast.
    """
    cutoff = forecast["cutoff"].iloc[0]
    actual = sales[sales["week"] <= cutoff].assign(kind="actual")
    expected = forecast.rename(columns={"forecast": "units"}).assign(kind="forecast")
    table = pd.concat([actual.astype({"units": "float64"}), expected], ignore_index=True)
    table = _with_covariates(table, promotions, definition)
    names = products.set_index("product")["name"]
    table["product_name"] = table["product"].map(names).fillna(table["product"].astype(str))
    return schemas.report(definition).cast(table).sort_values(schemas.CELL, ignore_index=True)


def order_sheet(
    forecast: pd.DataFrame,
    sales: pd.DataFrame,
    promotions: pd.DataFrame,
    stores: pd.DataFrame,
    products: pd.DataFrame,
    definition: PanelDefinition,
) -> pd.DataFrame:
    """Return the forecast of one cutoff as planners read it, with names, plans and what was sold last.

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
    sheet["change"] = sheet["forecast"] - sheet["last_sold"].astype("float64")
    sheet = _with_covariates(sheet, promotions, definition)
    sheet["store_name"] = sheet["store"].map(stores.set_index("store")["name"])
    sheet["product_name"] = (
        sheet["product"].map(products.set_index("product")["name"]).fillna(sheet["product"].astype(str))
    )
    if definition.category:
        sheet[definition.category] = sheet["product"].map(products.set_index("product")[definition.category])
    return schemas.order_sheet(definition).cast(sheet).sort_values(schemas.CELL, ignore_index=True)


def _with_covariates(rows: pd.DataFrame, promotions: pd.DataFrame, definition: PanelDefinition) -> pd.DataFrame:
    """Return the rows with the covariates of their cells, empty where unknown."""
    found = rows.merge(promotions, on=schemas.CELL, how="left")
    # Whole numbers with gaps.
    return found.astype({each.name: "Int8" for each in definition.of_role("flag")})


def biggest_movers(report: pd.DataFrame, count: int, recent_weeks: int = RECENT_WEEKS) -> pd.DataFrame:
    """Return the series whose first forecast week differs most from their mean of the last weeks: rises, then drops.

    Args:
        report: table `report`.
        count: how many rises, and how many drops.
        recent_weeks: weeks up to the cutoff that make the mean.

    Returns:
        One row per series, biggest rise first, biggest drop last: the columns of `report`, `recent` (mean units of
        the last weeks) and `change` (units).
    """
    movers = first_forecasts(report, recent_weeks).dropna(subset="recent")
    movers["change"] = movers["units"] - movers["recent"]
    movers = movers.sort_values("change", ascending=False, kind="stable", ignore_index=True)
    rises = movers[movers["change"] > 0].head(count)
    drops = movers[movers["change"] < 0].tail(count)
    return pd.concat([rises, drops]).reset_index(drop=True)


def weekly_totals(report: pd.DataFrame) -> pd.DataFrame:
    """Return the units of all series together, one row per (`kind`, `week`), actuals first: `kind, week, units`.

    Where stores are missing the sum is lower: nothing is filled in.
    """
    return report.groupby(["kind", "week"], as_index=False)["units"].sum()


@dataclass(frozen=True)
class Expectation:
    """The first forecast week of all series together.

    units: expected, the sum of the series' points.
    recent: the same series' mean units of the last `recent_weeks`, each over the weeks that it reported.
    """

    week: date
    units: float
    recent: float
    recent_weeks: int


def expectation(report: pd.DataFrame, recent_weeks: int = RECENT_WEEKS) -> Expectation:
    """Return what is expected of the first forecast week, beside what the same series sold in the last weeks.

    Args:
        report: table `report`.
        recent_weeks: weeks up to the cutoff that make the mean.
    """
    first = first_forecasts(report, recent_weeks)
    recent = first["recent"].sum()
    return Expectation(first["week"].iloc[0].date(), float(first["units"].sum()), float(recent), recent_weeks)


def first_forecasts(report: pd.DataFrame, recent_weeks: int = RECENT_WEEKS) -> pd.DataFrame:
    """Return the rows of the first forecast week with `recent`, the series' mean of the last weeks."""
    forecast = report[report["kind"] == "forecast"]
    first = forecast[forecast["week"] == forecast["week"].min()]
    since = forecast["cutoff"].iloc[0] - pd.Timedelta(weeks=recent_weeks)
    past = report[(report["kind"] == "actual") & (report["week"] > since)]
    recent = past.groupby(schemas.SERIES)["units"].mean().rename("recent").reset_index()
    return first.merge(recent, on=schemas.SERIES, how="left")
