"""A part of a panel: the files of one form, with their columns by role, their keys and their rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from forecasting.contracts.errors import DataError
from forecasting.contracts.layout import Grain
from forecasting.core import column_names as names
from forecasting.core.column_roles import Reading, Roles, assign_roles
from forecasting.core.key_columns import NO_DAY, KeyColumns, choose_keys, codes_of
from forecasting.core.panel_rows import PanelRows, find_grain, find_totals, words_of
from forecasting.core.sampled_file import SampledFile
from forecasting.core.text_column import TextColumn


@dataclass(frozen=True, eq=False)
class PanelPart:
    """The files of one form: their columns by role, their keys, their rows, and what a row is.

    left_out: names of totals by column; their rows are not among `rows`. doubts: sentences about them.
    """

    roles: Roles
    keys: KeyColumns
    rows: PanelRows
    grain: Grain
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    @property
    def last_sold(self) -> int:
        """The last day with units, as days since 1970; NO_DAY without one."""
        sold = self.rows.is_known & np.isfinite(self.rows.units)
        return int(self.rows.days[sold].max()) if sold.any() else NO_DAY


def roles_of(file: SampledFile, *, is_plan_possible: bool) -> Roles:
    """Return the roles of columns; where a file has no date or no store, its name may declare it."""
    roles = assign_roles(file, is_plan_possible=is_plan_possible)
    if roles.date is None and file.date_parts:
        roles = assign_roles(file.with_joined_date(), is_plan_possible=is_plan_possible)
    has_store = any((word := names.key_word(each.name)) and word.side == "store" for each in roles.others)
    completed = roles.file.with_declared(date=roles.date is None, store=not has_store)
    return roles if completed is roles.file else assign_roles(completed, is_plan_possible=is_plan_possible)


def part_of(roles: Roles, like: KeyColumns | None = None) -> PanelPart:
    """Return the part that the files of these roles are.

    Args:
        roles: what their columns are.
        like: the keys of the part with the sales, if this is another one.

    Raises:
        DataError: the files have no dates, or those of months.
    """
    file = roles.file
    days = _days(roles)
    keys = choose_keys(roles, days, like)
    units = roles.units.values() if roles.units else np.full(file.rows, np.nan)
    rows = PanelRows(codes_of([each.column for each in keys.columns], file.rows), days, units)
    # The only date of a file has no distance to others; its name may say what it is.
    is_only = len(np.unique(days[days != NO_DAY])) == 1
    is_week = roles.date is not None and ((is_only and names.is_week(roles.date.name)) or _is_week_label(roles.date))
    grain = find_grain(rows, keys.repeats, file=file.name, is_named_week=is_week, has_receipts=roles.has_receipts)
    return PanelPart(roles, keys, rows, grain)


def without_totals(part: PanelPart, like: KeyColumns | None = None) -> PanelPart:
    """Return the part that is left where rows of totals, and what they lack, are no evidence; see `part_of`."""
    totals = {each.name: find_totals(each, part.rows) for each in part.keys.columns}
    doubts = tuple(doubt for each in totals.values() for doubt in each.doubts)
    named = {name: each.named for name, each in totals.items() if each.named}
    file = part.roles.file
    kept = np.ones(file.rows, dtype=bool)
    for column in file.columns:
        if column.name in named:
            kept &= ~column.spread(column.texts.isin(named[column.name]).to_numpy(), False)
    if not named or not kept.any():
        return replace(part, doubts=doubts)
    roles = assign_roles(file.only(kept), is_plan_possible=part.roles.units is None)
    return replace(part_of(roles, like), left_out=named, doubts=doubts)


def _days(roles: Roles) -> np.ndarray:
    """Return the day of each row, as days since 1970; NO_DAY where it has none."""
    if roles.date and roles.date.dates:
        days = roles.date.dates.days.to_numpy().astype("datetime64[D]")
        found = roles.date.column.spread(days, np.datetime64("NaT")).astype(np.int64)
        return np.where(found == np.datetime64("NaT").astype(np.int64), NO_DAY, found)
    columns = [each.name for each in roles.file.columns if each.name]
    if weeks := [
        column.name for column in roles.file.columns if names.is_date(column.name) and _are_week_numbers(column)
    ]:
        raise DataError(
            f"{roles.file.name} has no dates: {words_of(weeks)} holds numbers of weeks",
            "write each week as its first day, such as 2024-03-11, or as 2024-W11",
        )
    raise DataError(
        f"{roles.file.name} has no column of dates among {words_of(columns)}",
        "give each row the date of its day or week, such as 2024-03-14",
    )


def _is_week_label(date: Reading) -> bool:
    return date.dates is not None and date.dates.format == "iso_week"


def _are_week_numbers(column: TextColumn) -> bool:
    return len(column.texts) > 0 and bool(column.texts.str.fullmatch(r"\d{1,3}").all())
