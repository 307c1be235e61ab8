"""Weeks without a sale, where products that did not sell are left out of a retailer's files."""

from datetime import date

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.calendar import DAYS_IN_WEEK, WEEK
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.core.completeness import WEEKS_FORECAST_AFTER_LAST_SALE
from forecasting.core.point_in_time import merge_newer


def unsold_of(
    sales: pd.DataFrame, collected: pd.DataFrame, held_back: pd.DataFrame, definition: PanelDefinition
) -> pd.DataFrame:
    """Return the rows of 0 units that come with new sales; none where the definition says that they are written.

    Args:
        sales: the new ones (table `sales`).
        collected: those that the lake has (table `sales`).
        held_back: cells (`store, product, week`) of quarantined rows, whose units nobody knows.
    """
    if definition.unsold == "written" or sales.empty:
        return schemas.sales(definition).empty()
    first = sales["week"].min().date()
    known = merge_newer(collected[collected["week"] >= pd.Timestamp(first_week_needed(first))], sales)
    rows = unsold_rows(known, first)
    return rows[~rows.set_index(schemas.CELL).index.isin(held_back.set_index(schemas.CELL).index)]


def first_week_needed(first: date) -> date:
    """Return the first week whose sales decide what was left out in `first` and later weeks."""
    return first - WEEK * WEEKS_FORECAST_AFTER_LAST_SALE


def unsold_rows(sales: pd.DataFrame, first: date) -> pd.DataFrame:
    """Return a row of 0 units for each cell that a store left out, because the product did not sell.

    A cell is left out where its store reported the week, its series sold in the 13 weeks before, and it has no row.

    Args:
        sales: table `sales`, from the week `first_week_needed` on.
        first: the first week of which rows are wanted.

    Returns:
        Rows of the table `sales` from `first` to the last week of `sales`, sorted by cell.
    """
    if sales.empty:
        return sales
    series = sales.groupby(schemas.SERIES, sort=False).ngroup().to_numpy()
    origin = sales["week"].min()
    number = ((sales["week"] - origin).dt.days // DAYS_IN_WEEK).to_numpy()
    order = np.lexsort((number, series))
    series, number = series[order], number[order]
    sold = pd.Series(number, dtype="float64").where(sales["units"].to_numpy()[order] > 0)
    last_sold = sold.groupby(series).ffill().fillna(-np.inf).to_numpy()
    is_last = np.append(series[1:] != series[:-1], True)
    following = np.where(is_last, number.max() + 1, np.append(number[1:], 0))
    until = np.minimum(following - 1, last_sold + WEEKS_FORECAST_AFTER_LAST_SALE)
    absent = np.maximum(until - number, 0).astype("int64")
    # The weeks after a row, counted from 1 to as many as are absent there.
    steps = np.arange(absent.sum()) - np.repeat(np.cumsum(absent) - absent, absent) + 1
    weeks = origin + pd.to_timedelta((np.repeat(number, absent) + steps) * DAYS_IN_WEEK, unit="D")
    rows = sales.iloc[np.repeat(order, absent)].assign(week=weeks.as_unit("us"), units=0)
    rows = rows[rows["week"] >= pd.Timestamp(first)]
    reported = sales.loc[sales["week"] >= pd.Timestamp(first), ["store", "week"]].drop_duplicates()
    rows = rows.merge(reported, on=["store", "week"]).astype({"units": sales["units"].dtype})
    return rows[sales.columns].sort_values(schemas.CELL, ignore_index=True)
