"""Sums of rows by week: what was sold, and what was announced.

Rows of weeks, days and transactions come together here. Returns are netted in the sum of their week.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.core.numbers import LARGEST


@dataclass(frozen=True)
class WeeklySales:
    """Sums by week.

    sales: one row per cell, sorted (table `sales`).
    cell_of_row: for each row that was summed, the place of its cell in `sales`, by the row's index.
    below_zero: cells whose returns exceed what was sold, and which therefore count as 0.
    """

    sales: pd.DataFrame
    cell_of_row: pd.Series
    below_zero: int


def weekly_sales(rows: pd.DataFrame, definition: PanelDefinition) -> WeeklySales:
    """Return the units of each week.

    Args:
        rows: `store, product, week, units`, one row per week, day or transaction; those without units are left out.
        definition: says whether a week may be below 0.
    """
    sold = rows[rows["units"].notna()]
    grouped = sold.groupby(schemas.CELL, observed=True)["units"]
    sums = grouped.sum().reset_index()
    below = sums["units"] < 0
    if not definition.negative_units:
        sums["units"] = sums["units"].where(~below, 0.0)
    if definition.whole_units:
        sums["units"] = sums["units"].clip(-LARGEST, LARGEST).astype("int64")
    sales = schemas.sales(definition).cast(with_plain_ids(sums))
    return WeeklySales(sales, grouped.ngroup(), 0 if definition.negative_units else int(below.sum()))


def weekly_promotions(
    rows: pd.DataFrame,
    definition: PanelDefinition,
    series: Callable[[], pd.DataFrame],
    announced: Callable[[Collection[date]], pd.DataFrame],
) -> pd.DataFrame:
    """Return one row per cell and announcing week (table `announced_promotions`).

    Of several rows: a price is money by units sold, a flag or share the highest, a number the mean. What no row says of
    a covariate is what was announced before, else its neutral value; a cell whose price nobody knows has no row.

    Args:
        rows: `store, product, week, announced, units` and the covariates; a row without product, or store, is of all.
        definition: the covariates.
        series: returns `store, product`, all that are known; asked only for rows of all stores or products.
        announced: returns what was announced before for some weeks, the newest of each cell (table `promotions`); asked
            only where rows leave something open.
    """
    table = schemas.announced_promotions(definition)
    key = list(table.key)
    parts = []
    for absent in ((), ("store",), ("product",), ("store", "product")):
        has_these = np.logical_and.reduce([rows[name].isna() == (name in absent) for name in schemas.SERIES])
        if has_these.any():
            sums = with_plain_ids(_aggregate(rows[has_these], [name for name in key if name not in absent], definition))
            on = [name for name in schemas.SERIES if name not in absent]
            parts.append((series().merge(sums, on=on) if on else series().merge(sums, how="cross")) if absent else sums)
    if not parts:
        return table.empty()
    weekly = parts[0]
    if len(parts) > 1:
        # What one file says of a cell and another does not say.
        weekly = pd.concat(parts, ignore_index=True).groupby(key, as_index=False)[definition.names].first()
    weekly = weekly.sort_values(key, ignore_index=True)
    return table.cast(_completed(weekly, definition, announced))


def with_plain_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with ids as they are, where they were categories."""
    kinds = {name: frame[name].cat.categories.dtype for name in schemas.SERIES if _is_category(frame, name)}
    return frame.astype(kinds)


def _is_category(frame: pd.DataFrame, name: str) -> bool:
    return name in frame and isinstance(frame[name].dtype, pd.CategoricalDtype)


def _aggregate(rows: pd.DataFrame, key: list[str], definition: PanelDefinition) -> pd.DataFrame:
    by_cell = rows.groupby(key, observed=True)
    columns = {}
    for each in definition.covariates:
        values = by_cell[each.name]
        match each.role:
            case "price":
                columns[each.name] = _mean_price(rows, each.name, key)
            case "number":
                columns[each.name] = values.mean()
            case _:
                columns[each.name] = values.max()
    index = by_cell.size().index
    return pd.DataFrame(columns, index=index).reset_index()


def _mean_price(rows: pd.DataFrame, name: str, key: list[str]) -> pd.Series:
    """Return money by units, of rows that have a price; where nothing was sold all of them weigh the same."""
    price = rows[name]
    units = rows["units"].fillna(0).clip(lower=0).where(price.notna(), 0.0)
    keys = [rows[each] for each in key]
    cell = rows.groupby(key, observed=True).ngroup()
    is_sold = units.groupby(cell).transform("sum") > 0
    weight = units.where(is_sold, price.notna().astype("float64"))
    prices = price.groupby(keys, observed=True)
    # A price of a row without units says nothing beside those at which something was sold.
    money = (price * weight).groupby(keys, observed=True).sum()
    total = weight.groupby(keys, observed=True).sum()
    return prices.first().where(prices.min() == prices.max(), money / total.where(total > 0, np.nan))


def _completed(
    weekly: pd.DataFrame, definition: PanelDefinition, announced: Callable[[Collection[date]], pd.DataFrame]
) -> pd.DataFrame:
    if weekly[definition.names].isna().any(axis=None):
        known = announced([week.date() for week in weekly["week"].unique()])
        before = weekly[schemas.CELL].merge(known, on=schemas.CELL, how="left").set_axis(weekly.index)
        for name in definition.names:
            weekly[name] = weekly[name].fillna(before[name])
    for each in definition.covariates:
        if each.neutral is not None and each.empty != "unknown":
            weekly[each.name] = weekly[each.name].fillna(each.neutral)
        elif each.empty != "unknown":
            weekly = weekly[weekly[each.name].notna()]
    flags = [each.name for each in definition.of_role("flag")]
    whole = [name for name in flags if weekly[name].notna().all()]
    return weekly.astype(dict.fromkeys(whole, "int64"))
