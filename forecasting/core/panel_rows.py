"""The rows of a panel whose columns are known, and what they tell: grain, opening day, gaps, returns, totals."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from forecasting.contracts.calendar import DAYS_IN_WEEK
from forecasting.contracts.errors import DataError
from forecasting.contracts.layout import Grain
from forecasting.core.column_roles import Reading
from forecasting.core.key_columns import FEW_REPEATS, NO_DAY

# A series counts as complete if it has so many of the dates between its first and its last.
COMPLETE = 0.98
_TOTAL = re.compile(
    r"((grand|sub)[ _-]?)?(total|totals|totale|gesamt|gesamtsumme|summe|insgesamt|ensemble|alle)"
    r"([ _-]?(us|usa|uk|eu|all|stores|products|sales|general))?|total[A-Z]\w*|"
    r"all( (stores|products|regions|items|departments))?",
    re.IGNORECASE,
)
_MOST_SUMMED = 2_000_000


@dataclass(frozen=True, eq=False)
class PanelRows:
    """Rows of sales, or plans: a number for the series of each, its day since 1970 and its units.

    keys: -1 where a row has no key. days: NO_DAY where it has none. units: NaN where it has none.
    """

    keys: np.ndarray
    days: np.ndarray
    units: np.ndarray

    @property
    def is_known(self) -> np.ndarray:
        """Whether a row has keys and a day."""
        return (self.keys >= 0) & (self.days != NO_DAY)


def find_grain(rows: PanelRows, repeats: float, *, file: str, is_named_week: bool, has_receipts: bool) -> Grain:
    """Return what a row is.

    Args:
        rows: those of one layout.
        repeats: share of rows whose keys and date another row has.
        file: named by errors.
        is_named_week: whether the dates are weeks by their form or name.
        has_receipts: whether a column of receipts says that rows are their lines.

    Raises:
        DataError: rows are months or longer, of which no weeks can be made.
    """
    days = np.unique(rows.days[rows.is_known])
    steps = np.diff(days)
    if len(steps) >= 2 and np.median(steps) > 26:
        raise DataError(
            f"The dates of {file} lie {int(np.median(steps))} days apart",
            "name a file with weeks, days or transactions",
        )
    if repeats > FEW_REPEATS or has_receipts:
        return "transaction"
    if is_named_week:
        return "week"
    if len(days) < 2 or not _are_weekly(rows, days):
        return "day"
    # A week is named by its first day: weeks that are named by several weekdays are put together by their dates.
    return "week" if _share_of_weekday(rows) >= 1 - FEW_REPEATS else "transaction"


def _are_weekly(rows: PanelRows, days: np.ndarray) -> bool:
    if _share_of_weekday(rows) >= 0.9 and len(days) > 1:
        return True
    frame = pd.DataFrame({"key": rows.keys, "day": rows.days})[rows.is_known].sort_values(["key", "day"])
    steps = frame.groupby("key")["day"].diff().dropna()
    return bool(len(steps)) and float((steps == DAYS_IN_WEEK).mean()) >= 0.95


def _share_of_weekday(rows: PanelRows) -> float:
    """Return the share of rows on the most frequent weekday; day 0 was a Thursday."""
    known = rows.days[rows.is_known]
    return float(np.bincount((known + 3) % DAYS_IN_WEEK).max() / len(known))


def opening_day(rows: PanelRows, grain: Grain) -> tuple[int, str]:
    """Return the weekday that opens a week, Monday = 0, and a doubt where dates disagree, else an empty sentence.

    Of weeks it is the weekday of their dates; of days the one after the last, so that the last day closes a week.
    """
    has_units = rows.is_known & np.isfinite(rows.units)
    known = rows.days[has_units if has_units.any() else rows.is_known]
    weekdays = np.bincount((known + 3) % DAYS_IN_WEEK, minlength=DAYS_IN_WEEK)
    share = weekdays.max() / weekdays.sum()
    if grain == "week" or (share >= 0.9 and len(np.unique(known)) > 1):
        doubt = "" if share == 1 else f"{1 - share:.1%} of the rows are dated on another weekday than the rest"
        return int(weekdays.argmax()), doubt
    return int((known.max() + 3 + 1) % DAYS_IN_WEEK), ""


def find_unsold(rows: PanelRows, grain: Grain) -> tuple[Literal["written", "left_out"], str]:
    """Return whether a product that did not sell is written or left out, and the evidence as a sentence."""
    known = rows.is_known
    if grain == "transaction":
        return "left_out", ""
    zeros = int((rows.units[known] == 0).sum())
    dates, places = np.unique(rows.days[known], return_inverse=True)
    calendar = int(dates[-1] - dates[0]) + 1 if len(dates) else 0
    if grain == "day" and len(dates) < 0.99 * calendar:
        closed = calendar - len(dates)
        return "left_out", (
            f"{closed:,} of {calendar:,} days have no row at all, such as days on which stores are closed: unsold is "
            '"left_out", so a missing row is 0 units'
        )
    frame = pd.DataFrame({"key": rows.keys[known], "place": places}).drop_duplicates()
    spans = frame.groupby("key")["place"].agg(["min", "max", "size"])
    expected = int((spans["max"] - spans["min"] + 1).sum())
    # A row whose date is empty is there, though nobody knows when.
    undated = int(((rows.keys >= 0) & (rows.days == NO_DAY)).sum())
    missing = max(0, expected - int(spans["size"].sum()) - undated)
    if expected - missing >= COMPLETE * expected:
        return "written", "" if not missing else (
            f"{missing:,} of {expected:,} rows between the first and last date of their series are missing: read as "
            'unknown (unsold = "written")'
        )
    if zeros >= missing:
        return "written", (
            f'{zeros:,} rows have 0 units and {missing:,} of {expected:,} rows are missing: unsold is "written", so a '
            "missing row is unknown"
        )
    return "left_out", (
        f"{missing:,} of {expected:,} rows between the first and last date of their series are missing, and {zeros:,} "
        'have 0 units: unsold is "left_out", so a missing row is 0 units'
    )


def empty_in_past(rows: PanelRows) -> int:
    """Return how many rows up to the last date with units have none."""
    sold = rows.is_known & np.isfinite(rows.units)
    if not sold.any():
        return 0
    return int((rows.is_known & ~np.isfinite(rows.units) & (rows.days <= rows.days[sold].max())).sum())


@dataclass(frozen=True)
class Totals:
    """Ids of one column that look like totals of the others: those named so, and what to check."""

    named: tuple[str, ...]
    doubts: tuple[str, ...]


def find_totals(reading: Reading, rows: PanelRows) -> Totals:
    """Return which values of a key column are totals, by their name or because they are the sum of the others."""
    texts = reading.column.texts
    named = [at for at, text in enumerate(texts) if _TOTAL.fullmatch(text)]
    doubts = []
    codes = reading.column.codes
    known = (codes >= 0) & (rows.days != NO_DAY) & np.isfinite(rows.units)
    dates, places = np.unique(rows.days[known], return_inverse=True)
    sums: np.ndarray | None = None
    if len(texts) * len(dates) <= _MOST_SUMMED and len(texts) > 2:
        cells = codes[known].astype(np.int64) * len(dates) + places
        sums = np.bincount(cells, rows.units[known], minlength=len(texts) * len(dates)).reshape(len(texts), len(dates))
    for at in named:
        about = ""
        if sums is not None and sums[at].sum() > 0:
            times = (sums.sum() - sums[at].sum()) / sums[at].sum()
            about = f"; the others together have {times:.2f} times its units" + (
                ", so some of them are totals too: leave out either these or their parts" if times > 1.2 else ""
            )
        doubts.append(f"`{texts[at]}` in `{reading.name}` is a total by its name: left out (leave_out){about}")
    if sums is not None:
        doubts += [
            f"`{texts[at]}` in `{reading.name}` has the sum of all others on nearly every date: leave it out if it is "
            "a total"
            for at in sorted(set(_sums_of_others(sums)) - set(named))
        ]
    return Totals(tuple(texts[at] for at in named), tuple(doubts))


def _sums_of_others(sums: np.ndarray) -> list[int]:
    total = sums.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(total - 2 * sums) / np.abs(sums)
    alike = (off < 0.005) & (np.abs(sums) > 0)
    present = np.abs(sums) > 0
    return [
        int(at) for at in np.flatnonzero((alike.sum(axis=1) >= 0.9 * present.sum(axis=1)) & (present.sum(axis=1) >= 3))
    ]


def words_of(names: Sequence[str]) -> str:
    """Return names in backquotes, the first six."""
    shown = ", ".join(f"`{name}`" for name in names[:6])
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"
