"""Rules that look at several rows: of a file, a cell, a week, or the whole inbox."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.calendar import DAYS_IN_WEEK, days_of
from forecasting.contracts.layout import PassedOver
from forecasting.contracts.panel_definition import Id
from forecasting.core.inspection import Rows, counted

# So many weeks show on which days a retailer sells.
WEEKS_TO_LEARN_FROM = 4


def find_file_weeks(rows: Rows, last_collected: pd.Timestamp) -> dict[str, date]:
    """Give each row the week of its file, `file_week`, and the week that announces its covariates, `announced`.

    The week of a file is what its name declares, else the last week of which it has units; for a file of plans, the
    last week of which anything is known: `last_collected`, NaT for none, or later. Covariates of a week that is over
    are announced by that week itself.

    Returns:
        The weeks of files that have units, by file, of those that declare none.
    """
    files, names = pd.factorize(rows.frame["file"])
    is_sold = rows.is_sound & rows.parsed["units"].notna().to_numpy()
    last = rows.parsed["week"].where(is_sold).groupby(files).max().reindex(range(len(names)))
    known = [last.max(), last_collected]
    latest = max((week for week in known if not pd.isna(week)), default=pd.NaT)
    of_file = pd.Series(last.fillna(latest).astype("datetime64[us]").to_numpy()[files], index=rows.frame.index)
    rows.parsed["file_week"] = rows.parsed["declared"].fillna(of_file)
    week = rows.parsed["week"]
    rows.parsed["announced"] = rows.parsed["file_week"].where(rows.parsed["file_week"] <= week, week)
    undeclared = pd.Series(rows.parsed["declared"].isna().to_numpy()).groupby(files).all()
    return {
        str(name): week.date()
        for name, week, is_open in zip(names, last, undeclared.reindex(range(len(names))), strict=True)
        if is_open and not pd.isna(week)
    }


def require_known(rows: Rows, stores: pd.Series, products: pd.Series) -> None:
    """Check that stores and products are among those known."""
    for name, known in (("store", stores), ("product", products)):
        unknown = rows.parsed[name].notna() & ~rows.parsed[name].isin(known)
        remedy = f"correct it, or add the {name} to the lake's table of {name}s"
        rows.flag(unknown.to_numpy(dtype=bool), f"unknown_{name}", name, remedy)


def require_file_week(rows: Rows) -> None:
    """Check that units are of the week that the file's name declares; weeks ahead have a plan and no units."""
    declared = rows.parsed["declared"]
    is_declared = declared.notna().to_numpy()
    week, file_week = rows.parsed["week"], rows.parsed["file_week"]
    is_sold = rows.parsed["units"].notna().to_numpy()
    remedy = "the file's name declares another week: move the row to that week's file"
    rows.flag(is_declared & is_sold & (week != declared).to_numpy(), "wrong_week", "week_or_date", remedy)
    remedy = "a plan lies ahead of the file's week"
    rows.flag(is_declared & ~is_sold & (week < declared).to_numpy(), "wrong_week", "week_or_date", remedy)
    is_past = rows.has_units & ~is_sold & ~(week > file_week).to_numpy()
    match rows.definition.empty_units:
        case "quarantine":
            no_week = is_past & file_week.isna().to_numpy()
            rows.flag(no_week, "missing_value", "units", "no row of the file has units: send what was sold")
            rows.flag(is_past, "missing_value", "units", "report 0 where nothing was sold")
        case "zero":
            rows.parsed["units"] = rows.parsed["units"].where(~(is_past & rows.is_sound), 0.0)
        case "unknown":
            _pass_over_unknown(rows, is_past)
    says_nothing = rows.has_units & rows.parsed["units"].isna().to_numpy()
    for each in rows.definition.names:
        says_nothing &= rows.parsed[each].isna().to_numpy()
    rows.flag(says_nothing, "missing_value", "units", "a row of a week ahead needs a plan: send the whole row")


def _pass_over_unknown(rows: Rows, is_unknown: np.ndarray) -> None:
    """Pass over rows whose units nobody knows, and the other days of their cells: their sum is unknown too."""
    cells = _cell_numbers(rows)
    unknown = np.unique(cells[is_unknown & rows.is_sound & (cells >= 0)])
    is_sold = rows.parsed["units"].notna().to_numpy()
    rows.pass_over(is_unknown | (is_sold & (cells >= 0) & np.isin(cells, unknown)), PassedOver.UNKNOWN_UNITS)


def _cell_numbers(rows: Rows) -> np.ndarray:
    """Return a number for the cell of each row, -1 where a key is empty."""
    return rows.parsed.groupby(schemas.CELL, observed=True, sort=False).ngroup().to_numpy()


def find_duplicates(rows: Rows) -> np.ndarray:
    """Return which rows repeat another row; flag rows that contradict each other.

    Transactions repeat, and are none. Of units of a cell in files of several weeks, those of the newest file count.
    """
    is_single = rows.is_sound & ~rows.is_transaction
    is_repeated = np.zeros(len(rows.frame), dtype=bool)
    good = rows.parsed[is_single]
    key = ["store", "product", "date"]
    sold = good[good["units"].notna()]
    newest = sold.groupby(key, observed=True, dropna=False, sort=False)["file_week"].transform("max")
    older = sold.index[(sold["file_week"] < newest).to_numpy()]
    is_repeated[older] = True
    good = good.drop(older)
    # A plan for a week ahead may differ from the plan in a later file: the newest file's holds.
    key, values = [*key, "file_week"], ["units", *rows.definition.names]
    # What a layout of plans says of a cell is no contradiction of what its sales, or another plan, say.
    good = good.assign(source=np.where(rows.has_units, -1, rows.layout)[good.index])
    key.append("source")
    repeated = good[good.duplicated(key, keep=False)]
    if len(repeated):
        distinct = repeated.drop_duplicates([*key, *values])
        is_conflicting = pd.Series(
            distinct.groupby(key, observed=True, dropna=False, sort=False)["date"].transform("size") > 1,
            index=distinct.index,
        )
        conflicting = distinct.loc[is_conflicting, key].drop_duplicates()
        hit = repeated[key].merge(conflicting, how="left", indicator=True)["_merge"].eq("both").to_numpy()
        broken = np.zeros(len(rows.frame), dtype=bool)
        broken[repeated.index[hit]] = True
        remedy = "several rows of this cell have different values: send it once"
        rows.flag(broken, "conflicting_duplicate", None, remedy)
    again = good[rows.is_sound[good.index]]
    is_repeated[again.index[again.duplicated([*key, *values]).to_numpy()]] = True
    return is_repeated


def require_all_days(rows: Rows) -> dict[tuple[Id, date], tuple[date, ...]]:
    """Check that a week of days has all of them, where unsold days are written.

    Days of files that are named by their date are flagged where one is missing; those of other files are passed over.

    Returns:
        The missing days of stores whose files are named by the date, by store and week.
    """
    missing: dict[tuple[Id, date], set[date]] = {}
    if rows.definition.unsold == "left_out":
        return {}
    is_sold = rows.is_sound & rows.is_day & rows.parsed["units"].notna().to_numpy()
    sold = rows.parsed[is_sold]
    days = sold.drop_duplicates([*schemas.SERIES, "date"]).groupby(schemas.CELL, observed=True)["date"].size()
    short = days[days < DAYS_IN_WEEK]
    if short.empty:
        return {}
    lacking = sold[pd.MultiIndex.from_frame(sold[schemas.CELL]).isin(short.index)]
    for (store, _, week), of_cell in lacking[lacking["declared"].notna()].groupby(schemas.CELL, observed=True):
        absent = sorted(set(days_of(week.date())) - set(of_cell["date"].dt.date))
        missing.setdefault((store, week.date()), set()).update(absent)
        broken = np.zeros(len(rows.frame), dtype=bool)
        broken[of_cell.index] = True
        remedy = f"the week lacks {', '.join(map(str, absent))}: send the sales of those days too"
        rows.flag(broken, "day_missing", None, remedy)
    partial = np.zeros(len(rows.frame), dtype=bool)
    partial[lacking.index] = True
    if count := rows.pass_over(partial, PassedOver.PARTIAL_WEEK):
        rows.notes.append(
            f"{counted(count, 'row')} passed over, of weeks that lack a day: nobody knows what that day sold"
        )
    return {key: tuple(sorted(days)) for key, days in missing.items()}


def hold_back_broken_sums(rows: Rows) -> None:
    """Pass over days and transactions of cells of which another row is quarantined: their sum is not the week's.

    Where unsold days are written, a quarantined day is a day that is missing.
    """
    is_summed = rows.is_transaction | (rows.is_day & (rows.definition.unsold == "left_out"))
    is_broken = is_summed & (rows.rules != "")
    if not is_broken.any():
        return
    cells = _cell_numbers(rows)
    is_sold = is_summed & (cells >= 0) & rows.parsed["units"].notna().to_numpy()
    broken = np.unique(cells[is_broken & (cells >= 0)])
    if count := rows.pass_over(is_sold & np.isin(cells, broken), PassedOver.UNKNOWN_UNITS):
        rows.notes.append(
            f"{counted(count, 'row')} passed over, as another row of the same week and series is quarantined"
        )


def pass_over_partial_weeks(rows: Rows, collected: Sequence[date]) -> None:
    """Pass over the first and the last week of days and transactions where the files do not hold all of it.

    Where unsold days are left out, nothing but the first and the last day of all rows tells how far the files reach. On
    which days the retailer sells is learned from the weeks between. A file that is named by its week has all of it.
    """
    is_summed = rows.is_transaction | (rows.is_day & (rows.definition.unsold == "left_out"))
    is_sold = ~rows.names_week & rows.is_sound & is_summed & rows.parsed["units"].notna().to_numpy()
    if not is_sold.any():
        return
    sold = rows.parsed.loc[is_sold, ["week", "date"]].drop_duplicates()
    days = (sold["date"] - sold["week"]).dt.days.groupby(sold["week"]).agg(["min", "max"])
    between = days.iloc[1:-1]
    opens, closes = 0, DAYS_IN_WEEK - 1
    if len(between) >= WEEKS_TO_LEARN_FROM:
        opens, closes = int(between["min"].min()), int(between["max"].max())
    elif collected:
        closes -= 1  # a week sent by itself may end with a day on which the retailer is closed
    partial = []
    first, last = days.index[0], days.index[-1]
    is_known = not collected or first.date() in collected
    if is_known and days.loc[first, "min"] > opens:
        partial.append(first)
    if days.loc[last, "max"] < closes and last not in partial:
        partial.append(last)
    for week in partial:
        count = rows.pass_over(is_sold & (rows.parsed["week"] == week).to_numpy(), PassedOver.PARTIAL_WEEK)
        found = sold.loc[sold["week"] == week, "date"]
        rows.notes.append(
            f"{counted(count, 'row')} of the week of {week.date()} passed over, as the files have only its days from "
            f"{found.min().date()} to {found.max().date()}"
        )


def pass_over_never_sold(rows: Rows, stores: pd.Series, products: pd.Series) -> None:
    """Pass over plans of stores and products that neither the lake nor a row with units knows."""
    is_sold = rows.is_sound & rows.parsed["units"].notna().to_numpy()
    for name, known in (("store", stores), ("product", products)):
        ids = rows.parsed[name]
        is_known = ids.isna() | ids.isin(known) | ids.isin(ids[is_sold].unique())
        if count := rows.pass_over(~is_known.to_numpy(dtype=bool), PassedOver.NEVER_SOLD):
            key = getattr(rows.definition, name)
            rows.notes.append(
                f"{counted(count, 'row')} of plans passed over: their {key.words} have never sold anything"
            )
