"""Validation of rows: every row is accepted, dropped as a duplicate, passed over, or quarantined with a rule.

A row that was collected before may be sent again: unchanged it is a duplicate, with other units a correction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.layout import Layout, PassedOver
from forecasting.contracts.panel_definition import Id, PanelDefinition
from forecasting.core.attributes import Attributes, find_attributes
from forecasting.core.collected import Collected, is_of_cells, without_cells
from forecasting.core.cross_checks import (
    find_duplicates,
    find_file_weeks,
    hold_back_broken_sums,
    pass_over_never_sold,
    pass_over_partial_weeks,
    require_all_days,
    require_file_week,
    require_known,
)
from forecasting.core.inspection import Rows, counted
from forecasting.core.numbers import LARGEST
from forecasting.core.outliers import out_of_proportion, unusual_prices
from forecasting.core.point_in_time import restated
from forecasting.core.weekly import WeeklySales, weekly_promotions, weekly_sales, with_plain_ids


@dataclass(frozen=True)
class FileRows:
    """What became of the rows of one file: rows_in = accepted + dropped + passed_over + quarantined."""

    name: str
    rows_in: int
    accepted: int
    dropped: int
    passed_over: int
    quarantined: int


@dataclass(frozen=True)
class Validated:
    """The outcome of a validation: `rows_in` = `accepted` + `dropped` + all of `passed_over` + rows of `quarantined`.

    sales: accepted rows with units, one per cell (table `sales`; days and transactions are summed into weeks).
    promotions: covariates that the accepted rows announce (table `announced_promotions`).
    quarantined: the rows that broke a rule (table `quarantine`).
    missing_days: the days still missing, by (store, week), of stores that report daily.
    corrected_by_week: accepted rows that give a week other units than were collected, by week.
    passed_over: rows that are neither accepted nor an error, by reason.
    new_stores, new_products: ids of accepted rows that were not known before, sorted.
    attributes: what rows say of stores and products, beyond what was known.
    held_back: cells (`store, product, week`) of rows that were quarantined or passed over, so far as they have keys.
    unfinished_files: names of files whose last week lacks days, which another file may bring.
    files: the same counts by file. file_weeks: the last week with units of files whose name declares none.
    notes: sentences about what was read otherwise than it is written.
    """

    sales: pd.DataFrame
    promotions: pd.DataFrame
    quarantined: pd.DataFrame
    missing_days: dict[tuple[Id, date], tuple[date, ...]]
    corrected_by_week: dict[date, int]
    rows_in: int
    accepted: int
    dropped: int
    passed_over: Mapping[str, int]
    new_stores: tuple[Id, ...]
    new_products: tuple[Id, ...]
    attributes: Attributes
    held_back: pd.DataFrame
    unfinished_files: tuple[str, ...]
    files: tuple[FileRows, ...]
    file_weeks: Mapping[str, date]
    notes: tuple[str, ...]

    @property
    def quarantined_by_rule(self) -> dict[str, int]:
        counts = self.quarantined["rule"].value_counts().sort_index()
        return {str(rule): int(count) for rule, count in counts.items()}


def validate(
    rows: pd.DataFrame,
    *,
    stores: pd.DataFrame,
    products: pd.DataFrame,
    collected: Collected,
    overrides: pd.DataFrame | None = None,
    definition: PanelDefinition,
    layouts: Sequence[Layout],
    today: date | None = None,
) -> Validated:
    """Check every row against the contract and against what was collected before.

    Args:
        rows: one row per line, `inspection.raw_columns`, all text.
        stores, products: tables of the known ones.
        collected: what was collected before: what is repeated, corrected and usual, and what files leave open.
        overrides: cells (`store, product, week`) whose units and prices somebody has accepted as no outliers.
        definition: what the rows hold; its `new_ids` says whether unknown stores and products are taken in.
        layouts: how their files were written.
        today: units of later days are a slip of the pen; None where no day is too late.

    Returns:
        Accepted sales and announcements, the quarantined rows, and counts that add up to all rows.
    """
    checked = Rows(rows, definition, layouts)
    checked.parse()
    weeks_collected = collected.weeks()
    last_collected = pd.Timestamp(weeks_collected[-1]) if weeks_collected else pd.NaT
    if definition.new_ids == "quarantine":
        require_known(checked, stores["store"], products["product"])
    if today:
        is_ahead = checked.parsed["units"].notna() & (checked.parsed["date"] > pd.Timestamp(today))
        checked.flag(
            is_ahead.to_numpy(), "future_units", "week_or_date", f"units of a day after {today} are not known yet"
        )
    file_weeks = find_file_weeks(checked, last_collected)
    require_file_week(checked)
    is_repeated = find_duplicates(checked)
    # What of the weeks that came was collected before: it is repeated or corrected.
    before = collected.sales(_weeks_sold(checked))
    # Before the days are counted: a day that is set aside is a day that is missing.
    if weeks_collected:
        _require_proportion(checked, is_repeated, collected, before, overrides)
    missing_days = require_all_days(checked)
    pass_over_partial_weeks(checked, weeks_collected)
    hold_back_broken_sums(checked)
    pass_over_never_sold(checked, stores["store"], products["product"])
    is_repeated &= checked.is_sound
    taken = checked.parsed[checked.is_sound & ~is_repeated]
    taken, weekly = _summed(checked, taken)
    if weekly.below_zero:
        checked.notes.append(
            f"{counted(weekly.below_zero, 'week')} of a series with more returns than sales, counted as 0"
        )
    cells = _compared(weekly.sales, before)
    accepted = _without_cells(taken, weekly, cells["is_repeated"])

    def all_series() -> pd.DataFrame:
        return pd.concat([collected.series(), weekly.sales[schemas.SERIES]]).drop_duplicates()

    return Validated(
        sales=weekly.sales[~cells["is_repeated"]].reset_index(drop=True),
        # A row that only repeats collected sales may still carry a newer plan of prices.
        promotions=weekly_promotions(taken, definition, all_series, collected.announced),
        quarantined=checked.quarantined(),
        missing_days=missing_days,
        corrected_by_week=_rows_by_week(taken.loc[_rows_of(weekly, cells["is_corrected"])]),
        rows_in=len(rows),
        accepted=len(accepted),
        dropped=int(checked.is_sound.sum()) - len(accepted),
        passed_over=_counts(checked.passed_over[checked.rules == ""]),
        new_stores=_new_ids(weekly.sales["store"], stores["store"]),
        new_products=_new_ids(weekly.sales["product"], products["product"]),
        attributes=find_attributes(checked, {"store": stores, "product": products}, last_collected),
        held_back=_held_back(checked),
        unfinished_files=_unfinished_files(checked),
        files=_by_file(checked, accepted.index),
        file_weeks=file_weeks,
        notes=tuple(checked.notes),
    )


def _require_proportion(
    checked: Rows,
    is_repeated: np.ndarray,
    collected: Collected,
    before: pd.DataFrame,
    overrides: pd.DataFrame | None,
) -> None:
    definition = checked.definition
    single = checked.is_sound & ~checked.is_transaction
    if definition.of_role("price"):
        rows = with_plain_ids(checked.parsed[single])
        usual = collected.usual_prices(rows["store"].dropna().unique())
        for name, unusual in unusual_prices(rows, usual, definition).items():
            if overrides is not None:
                unusual &= ~is_of_cells(rows, overrides).to_numpy()
            remedy = (
                "far from this series' usual price: check for a slipped decimal point, or let it in with `oj accept`"
            )
            checked.flag(_mask(checked, rows.index[unusual]), "outlier", name, remedy)
    sold = with_plain_ids(checked.good[checked.good["units"].notna()])
    if sold.empty:
        return
    # What is being corrected is no measure for its own correction.
    once = sold[~is_repeated[sold.index]]
    corrected = restated(before, weekly_sales(once, definition).sales)
    usual_units = collected.usual_units(sold["store"].unique(), corrected)
    out = out_of_proportion(sold, usual_units, without_cells(before, corrected))
    if overrides is not None:
        out &= ~is_of_cells(sold.loc[out.index], overrides)
    remedy = (
        "far beyond this series' highest week and the product's other stores: check for a slipped unit or digit, "
        "or let it in with `oj accept`"
    )
    checked.flag(_mask(checked, out.index[out]), "outlier", "units", remedy)


def _weeks_sold(checked: Rows) -> list[date]:
    """Return the weeks of rows with units, of those that are sound so far."""
    weeks = checked.parsed.loc[checked.is_sound & checked.parsed["units"].notna(), "week"]
    return [week.date() for week in weeks.dropna().unique()]


def _summed(checked: Rows, rows: pd.DataFrame) -> tuple[pd.DataFrame, WeeklySales]:
    """Return the rows whose sums are numbers that a computer holds exactly, and these sums."""
    weekly = weekly_sales(rows, checked.definition)
    beyond = _rows_of(weekly, weekly.sales["units"].abs() >= LARGEST)
    if beyond.empty:
        return rows, weekly
    checked.flag(_mask(checked, beyond), "out_of_range", "units", "the sum of its week is beyond 2^53: correct it")
    rows = rows.drop(beyond)
    return rows, weekly_sales(rows, checked.definition)


def _compared(sales: pd.DataFrame, collected: pd.DataFrame) -> pd.DataFrame:
    """Return, cell by cell of `sales`, whether it repeats what was collected, or corrects it."""
    before = sales[schemas.CELL].merge(collected, on=schemas.CELL, how="left")["units"].to_numpy()
    units = sales["units"].to_numpy()
    is_known = ~pd.isna(before)
    return pd.DataFrame({"is_repeated": is_known & (before == units), "is_corrected": is_known & (before != units)})


def _rows_of(weekly: WeeklySales, cells: pd.Series) -> pd.Index:
    """Return the rows with units of some of the cells."""
    return weekly.cell_of_row.index[cells.to_numpy()[weekly.cell_of_row.to_numpy()]]


def _without_cells(rows: pd.DataFrame, weekly: WeeklySales, cells: pd.Series) -> pd.DataFrame:
    return rows.drop(_rows_of(weekly, cells))


def _mask(checked: Rows, index: pd.Index) -> np.ndarray:
    found = np.zeros(len(checked.frame), dtype=bool)
    found[index] = True
    return found


def _rows_by_week(rows: pd.DataFrame) -> dict[date, int]:
    return {week.date(): int(count) for week, count in rows.groupby("week").size().items()}


def _counts(reasons: np.ndarray) -> dict[str, int]:
    counts = pd.Series(reasons[reasons != ""]).value_counts().sort_index()
    return {str(reason): int(count) for reason, count in counts.items()}


def _new_ids(found: pd.Series, known: pd.Series) -> tuple[Id, ...]:
    return tuple(sorted(set(found.unique().tolist()) - set(known.tolist())))


def _held_back(checked: Rows) -> pd.DataFrame:
    rows = checked.parsed.loc[~checked.is_sound, schemas.CELL].dropna()
    return with_plain_ids(rows).drop_duplicates(ignore_index=True)


def _unfinished_files(checked: Rows) -> tuple[str, ...]:
    files, weeks = checked.frame["file"], checked.parsed["week"]
    last = weeks.where(checked.parsed["units"].notna()).groupby(files).transform("max")
    is_partial = (checked.passed_over == PassedOver.PARTIAL_WEEK.value) & (checked.rules == "")
    return tuple(map(str, files[is_partial & (weeks == last).to_numpy()].unique()))


def _by_file(checked: Rows, accepted: pd.Index) -> tuple[FileRows, ...]:
    is_broken = checked.rules != ""
    is_accepted = _mask(checked, accepted)
    counts = pd.DataFrame(
        {
            "rows_in": 1,
            "accepted": is_accepted,
            "dropped": checked.is_sound & ~is_accepted,
            "passed_over": (checked.passed_over != "") & ~is_broken,
            "quarantined": is_broken,
        },
        index=checked.frame.index,
    )
    sums = counts.groupby(checked.frame["file"], sort=False).sum()
    return tuple(FileRows(str(name), *(int(value) for value in row)) for name, *row in sums.itertuples())
