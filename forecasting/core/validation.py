"""Validation of inbox rows: every row is accepted, dropped as a duplicate, or quarantined with a rule.

A row that was collected before may be sent again: unchanged it is a duplicate, with other units a correction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.layout import Layout
from forecasting.contracts.panel_definition import Id, PanelDefinition
from forecasting.core.inspection import Rows
from forecasting.core.point_in_time import restated

# Calibrated on the real data, whose widest honest jump is 38.6 times a series' highest week, shared by the
# product's stores; set against those, no honest row exceeds 11 times.
MIN_WEEKS = 8
TO_OWN_MAXIMUM = 3.0
TO_OTHER_STORES = 20.0
BEYOND_ANY_DOUBT = 60.0


@dataclass(frozen=True)
class Validated:
    """The outcome of a validation: `rows_in` = `accepted` + `dropped` + rows of `quarantined`.

    sales: accepted rows with units, one per cell (table `sales`; daily rows are summed into weeks).
    promotions: covariates that the accepted rows announce (table `announced_promotions`).
    quarantined: the other rows (table `quarantine`).
    missing_days: the days still missing, by (store, week), of stores that report daily.
    corrected_by_week: accepted rows that give a week other units than were collected, by week.
    """

    sales: pd.DataFrame
    promotions: pd.DataFrame
    quarantined: pd.DataFrame
    missing_days: dict[tuple[Id, date], tuple[date, ...]]
    corrected_by_week: dict[date, int]
    rows_in: int
    accepted: int
    dropped: int

    @property
    def quarantined_by_rule(self) -> dict[str, int]:
        counts = self.quarantined["rule"].value_counts().sort_index()
        return {str(rule): int(count) for rule, count in counts.items()}


def validate(
    rows: pd.DataFrame,
    *,
    stores: pd.DataFrame,
    products: pd.DataFrame,
    collected: pd.DataFrame,
    overrides: pd.DataFrame | None = None,
    definition: PanelDefinition,
    layouts: Sequence[Layout],
) -> Validated:
    """Check every inbox row against the contract and against what was collected before.

    Args:
        rows: one row per line, `inspection.raw_columns`, all text.
        stores, products: tables of the known ones.
        collected: sales that are already in the lake (table `sales`).
        overrides: cells (`store, product, week`) whose units somebody has accepted as no outliers.
        definition: what the rows hold.
        layouts: how their files were written.

    Returns:
        Accepted sales and announcements, the quarantined rows, and counts that add up to all rows.
    """
    checked = Rows(rows, definition, layouts)
    checked.parse_keys()
    checked.parse_values()
    checked.require_known(stores["store"], products["product"])
    checked.require_file_week()
    duplicates = checked.drop_duplicates()
    # Before the days are counted: a day that is set aside is a day that is missing.
    _require_proportion(checked, collected, overrides, definition)
    missing_days = checked.require_all_days()
    announced = checked.good.drop(duplicates, errors="ignore")
    sales = _weekly_sales(announced, definition)
    of_these_weeks = collected[collected["week"].isin(sales["week"].unique())]
    corrected = restated(of_these_weeks, sales)
    repeated = sales.merge(of_these_weeks, on=[*schemas.CELL, "units"])
    good = announced[~_has_units_of(announced, repeated)]
    return Validated(
        sales=_weekly_sales(good, definition),
        # A row that only repeats collected sales may still carry a newer plan of prices.
        promotions=_weekly_promotions(announced, definition),
        quarantined=checked.quarantined(),
        missing_days=missing_days,
        corrected_by_week=_rows_by_week(good[_has_units_of(good, corrected)]),
        rows_in=len(rows),
        accepted=len(good),
        dropped=int((checked.frame["rule"] == "").sum()) - len(good),
    )


def _require_proportion(
    checked: Rows, collected: pd.DataFrame, overrides: pd.DataFrame | None, definition: PanelDefinition
) -> None:
    sold = checked.good[checked.good["units"].notna()]
    # What is being corrected is no measure for its own correction.
    corrected = restated(collected[collected["week"].isin(sold["week"].unique())], _weekly_sales(sold, definition))
    if len(corrected):
        collected = collected[~_is_in(collected, corrected)]
    out = out_of_proportion(sold, collected)
    if overrides is not None:
        out &= ~_is_in(sold.loc[out.index], overrides)
    checked.flag(
        out,
        "outlier",
        "units",
        "far beyond this series' highest week and the product's other stores: check for a slipped unit or digit, "
        "or let it in with `oj accept`",
    )


def _is_in(rows: pd.DataFrame, cells: pd.DataFrame) -> pd.Series:
    """Return which of `rows` are of one of the cells."""
    return (
        rows[schemas.CELL]
        .merge(cells[schemas.CELL], how="left", indicator=True)["_merge"]
        .eq("both")
        .set_axis(rows.index)
    )


def _has_units_of(rows: pd.DataFrame, cells: pd.DataFrame) -> pd.Series:
    """Return which of `rows` hold units of one of the cells; others of that week are plans."""
    return rows["units"].notna() & _is_in(rows, cells)


def _rows_by_week(rows: pd.DataFrame) -> dict[date, int]:
    return {week.date(): int(count) for week, count in rows.groupby("week").size().items()}


def _weekly_sales(rows: pd.DataFrame, definition: PanelDefinition) -> pd.DataFrame:
    sold = rows[rows["units"].notna()]
    weekly = sold.drop_duplicates([*schemas.SERIES, "date"]).groupby(schemas.CELL, as_index=False)["units"].sum()
    return schemas.sales(definition).cast(weekly.astype(dict.fromkeys([*schemas.SERIES, "units"], "int64")))


def _weekly_promotions(rows: pd.DataFrame, definition: PanelDefinition) -> pd.DataFrame:
    """Return one row per cell and announcing week.

    Of a week of daily rows: a price is money by units sold, a flag or share the highest, a number the mean of the days.
    """
    table = schemas.announced_promotions(definition)
    rows, key = rows.rename(columns={"file_week": "announced"}), list(table.key)
    weight = rows["units"].fillna(0).clip(lower=0)
    # Where nothing was sold, all days weigh the same.
    sold = weight.groupby([rows[name] for name in key]).transform("sum")
    weight = weight.where(sold > 0, 1.0)
    by_cell = rows.assign(weight=weight).groupby(key)
    columns = {}
    for each in definition.covariates:
        days = by_cell[each.name]
        if each.role == "price":
            money = (rows[each.name] * weight).groupby([rows[name] for name in key]).sum()
            columns[each.name] = days.first().where(days.min() == days.max(), money / by_cell["weight"].sum())
        else:
            columns[each.name] = days.mean() if each.role == "number" else days.max()
    weekly = pd.DataFrame(columns, index=by_cell["weight"].sum().index).reset_index()
    whole = [*schemas.SERIES, *(each.name for each in definition.of_role("flag"))]
    return table.cast(weekly.astype(dict.fromkeys(whole, "int64")))


def out_of_proportion(sold: pd.DataFrame, collected: pd.DataFrame) -> pd.Series:
    """Return which rows lie far beyond their series' highest week, where the product's other stores do not explain it.

    Args:
        sold: `store, product, week, units`, one row per line that has units.
        collected: sales that were collected before (table `sales`), without those that `sold` corrects: a row is no
            evidence for itself.

    Returns:
        True or False for the rows of `sold` that are suspect at all, by its index.
    """
    history = collected.groupby(schemas.SERIES)["units"].agg(["max", "median", "size"])
    sold = sold.join(history, on=schemas.SERIES)
    own = sold["units"] / sold["max"].clip(lower=1)
    suspects = sold[(sold["size"] >= MIN_WEEKS) & (own > TO_OWN_MAXIMUM)]
    # The product's other stores may have reported the week before, in an earlier inbox.
    earlier = collected[collected["week"].isin(suspects["week"])].join(history, on=schemas.SERIES)
    witnesses = pd.concat([sold, earlier])
    witnesses["relative"] = witnesses["units"] / witnesses["median"].clip(lower=1)
    out = own[suspects.index] > BEYOND_ANY_DOUBT
    for row in suspects.itertuples():
        same = (witnesses["product"] == row.product) & (witnesses["week"] == row.week)
        others = witnesses.loc[same & (witnesses["store"] != row.store), "relative"].median()
        shared = 1.0 if pd.isna(others) else max(others, 1.0)
        out[row.Index] |= row.units / max(row.median, 1.0) / shared > TO_OTHER_STORES
    return out
