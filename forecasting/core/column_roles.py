"""What each column of a file is: date, quantity, price, revenue, keys, covariates, or nothing a forecast needs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecasting.contracts.errors import DataError
from forecasting.core import column_names as names
from forecasting.core.date_format import DateReading, read_dates
from forecasting.core.flags import FALSE, TRUE
from forecasting.core.number_format import NumberFormat, detect_number_format, numbers
from forecasting.core.sampled_file import SampledFile
from forecasting.core.text_column import NO_VALUE, TextColumn

_MOST_FLAG_TEXTS = 10
# So many rows must be counted one by one before a column is their number.
_FEWEST_COUNTED = 5


@dataclass(frozen=True, eq=False)
class Reading:
    """A column and what its values can be read as: a number or a day a text, or None; flags are 0 and 1."""

    column: TextColumn
    numbers: np.ndarray | None
    dates: DateReading | None
    is_flag: bool

    @property
    def name(self) -> str:
        """The name in the file."""
        return self.column.name

    @property
    def is_pure(self) -> bool:
        """Whether each of its values is a number, or a text that means none."""
        if self.numbers is None:
            return False
        return bool((np.isfinite(self.numbers) | self.column.texts.isin(NO_VALUE).to_numpy(dtype=bool)).all())

    @property
    def is_whole(self) -> bool:
        """Whether all its numbers are whole."""
        return self.numbers is not None and bool(np.all(self.numbers[np.isfinite(self.numbers)] % 1 == 0))

    @property
    def lacking(self) -> int:
        """How many rows have no value, or a text that means none."""
        means_none = self.column.texts.isin(NO_VALUE).to_numpy(dtype=bool)
        return self.column.empty + int(self.column.rows[means_none].sum())

    def values(self) -> np.ndarray:
        """Return a number a row; NaN where there is none."""
        if self.numbers is None:
            return np.full(len(self.column.codes), np.nan)
        return self.column.spread(self.numbers, np.nan)


@dataclass(frozen=True, eq=False)
class Roles:
    """The columns of a file by role; what is None or empty the file does not have.

    others: columns left over, in their order. doubts: sentences about choices that somebody should check.
    fill_down: whether keys were filled from the row above. has_receipts: whether rows are lines of receipts.
    """

    file: SampledFile
    form: NumberFormat
    date: Reading | None
    units: Reading | None
    price: Reading | None
    revenue: Reading | None
    others: tuple[Reading, ...]
    doubts: tuple[str, ...] = ()
    fill_down: bool = False
    has_receipts: bool = False


def assign_roles(file: SampledFile, *, is_plan_possible: bool) -> Roles:
    """Return which column is what, as far as names and values of single columns say.

    Args:
        file: all of its columns.
        is_plan_possible: whether a file without a quantity may hold plans, as other files have one.

    Raises:
        DataError: the file has no rows.
    """
    if not file.rows:
        raise DataError(f"{file.name} has a header and no rows", "name a file with sales")
    form = detect_number_format(each for each in file.columns if not each.is_typed)
    readings = [_reading(column, form) for column in file.columns]
    doubts = [form.doubt] if form.doubt else []
    left = [each for each in readings if each.name and len(each.column.texts)]
    date = _take_date(left, doubts)
    row_numbers = [each for each in left if each is not date and _is_row_number(each)]
    left = [each for each in left if each not in row_numbers and each is not date and not _is_part_of_date(each, date)]
    units = _take_units(left, doubts, by_content=not is_plan_possible)
    left = [each for each in left if each is not units]
    _say_no_numbers(left, doubts)
    revenue = next((each for each in left if each.numbers is not None and _is_revenue(each, units)), None)
    price = _take_price([each for each in left if each is not revenue], doubts)
    left = [each for each in left if each is not price and each is not revenue]
    left, fill_down = _filled_down(left, doubts)
    has_receipts = any(names.is_receipt(each.name) for each in readings)
    return Roles(file, form, date, units, price, revenue, tuple(left), tuple(doubts), fill_down, has_receipts)


def _reading(column: TextColumn, form: NumberFormat) -> Reading:
    lower = column.texts.str.lower()
    texts = set(lower[~column.texts.isin(NO_VALUE)]) if len(lower) <= _MOST_FLAG_TEXTS else set()
    is_flag = bool(texts) and texts <= {*TRUE, *FALSE} and bool(texts & set(FALSE))
    dates = None if is_flag else read_dates(column, named_as_date=names.is_date(column.name))
    found = None if dates else numbers(column, NumberFormat() if column.is_typed else form)
    if is_flag and found is None:
        found = lower.isin(TRUE).to_numpy(dtype=bool).astype("float64")
        found[~lower.isin([*TRUE, *FALSE]).to_numpy(dtype=bool)] = np.nan
    return Reading(column, found, dates, is_flag)


def _take_date(readings: Sequence[Reading], doubts: list[str]) -> Reading | None:
    dated = [each for each in readings if each.dates]
    if not dated:
        return None
    best = max(
        dated,
        key=lambda each: (
            names.is_date(each.name),
            names.is_start(each.name),
            each.dates.share if each.dates else 0,
        ),
    )
    others = [each.name for each in dated if each is not best]
    if others:
        doubts.append(f"The date is taken from `{best.name}`; other dates are in {_named(others)}")
    if best.dates and best.dates.doubt:
        doubts.append(best.dates.doubt)
    return best


def _take_units(readings: Sequence[Reading], doubts: list[str], *, by_content: bool) -> Reading | None:
    scored = [
        (names.quantity_score(each.name), each) for each in readings if each.numbers is not None and not each.is_flag
    ]
    best = max((score for score, _ in scored), default=0)
    if best:
        first, *others = [each for score, each in scored if score == best]
        if others:
            doubts.append(
                f"The quantity is taken from `{first.name}`; {_named([each.name for each in others])} may be it too"
            )
        if names.may_be_money(first.name) and best <= 50:
            doubts.append(f"`{first.name}` may be money: then name the currency's word as `unit` and `units`")
        return first
    free = [each for _, each in scored if not names.key_word(each.name) and not names.is_price(each.name)]
    free = [each for each in free if not (names.is_known_number(each.name) or names.is_never_key(each.name))]
    if not by_content or not free:
        return None
    # Prices have decimals, and ids few different values.
    chosen = max(
        free, key=lambda each: (each.is_whole and len(each.column.texts) > _MOST_FLAG_TEXTS, len(each.column.texts))
    )
    doubts.append(f"No column is named as a quantity: `{chosen.name}` is taken for its values; check it")
    return chosen


def _take_price(readings: Sequence[Reading], doubts: list[str]) -> Reading | None:
    priced = [each for each in readings if each.numbers is not None and names.is_price(each.name)]
    if not priced:
        return None
    best = min(priced, key=lambda each: names.price_rank(each.name))
    if others := [each.name for each in priced if each is not best]:
        doubts.append(f"The price is taken from `{best.name}`; other prices are in {_named(others)}")
    return best


def _is_revenue(reading: Reading, units: Reading | None) -> bool:
    name = reading.name
    if units is None:
        return names.is_revenue(name)
    if not names.is_revenue(name):
        return names.quantity_score(units.name) > 50 and names.tokens(name)[-1:] == ("sales",)
    return not names.is_price(name) or _moves_with(reading.values(), units.values())


def _moves_with(money: np.ndarray, units: np.ndarray) -> bool:
    """Return whether values by units differ less than the values: they are revenue, and no price."""
    known = (money > 0) & (units > 0)
    if known.sum() < 2:
        return False
    return bool(np.std(np.log(money[known] / units[known])) < np.std(np.log(money[known])))


def _say_no_numbers(readings: Sequence[Reading], doubts: list[str]) -> None:
    """Say which columns are named as a price or quantity, and are none for what stands in their values."""
    for each in readings:
        is_named = names.is_price(each.name) or names.quantity_score(each.name) > 50 or names.is_revenue(each.name)
        if is_named and each.numbers is None and each.column.texts.str.contains(r"\d").mean() > 0.5:
            doubts.append(
                f"`{each.name}` is not used: its values, such as `{each.column.texts[0]}`, are no plain numbers; write "
                "them without signs"
            )


def _is_row_number(reading: Reading) -> bool:
    """Return whether a column counts rows: whole numbers that are all different, and rise."""
    rows = len(reading.column.codes)
    if not reading.is_whole or reading.is_flag or rows < _FEWEST_COUNTED or len(reading.column.texts) < 0.99 * rows:
        return False
    if names.quantity_score(reading.name) >= 50:
        return False
    values = reading.values()
    steps = np.diff(values[np.isfinite(values)])
    return bool(len(steps)) and float((steps > 0).mean()) > 0.99 and float((steps == 1).mean()) > 0.5


def _is_part_of_date(reading: Reading, date: Reading | None) -> bool:
    """Return whether a column repeats a part of the date, such as its year or its weekday."""
    return date is not None and (names.is_part_of_date(reading.name) or reading.dates is not None)


def _filled_down(readings: Sequence[Reading], doubts: list[str]) -> tuple[list[Reading], bool]:
    """Return the readings with merged cells filled, and whether there were any."""
    merged = [each for each in readings if _is_merged(each)]
    if not merged:
        return list(readings), False
    doubts += [
        f"`{each.name}` is empty in {each.column.empty:,} of {len(each.column.codes):,} rows, as merged cells are: "
        "an empty one is that of the row above (fill_down)"
        for each in merged
    ]
    return [replace(each, column=each.column.filled_down()) if each in merged else each for each in readings], True


def _is_merged(reading: Reading) -> bool:
    column = reading.column
    word = names.key_word(reading.name)
    if word is None or names.is_never_key(reading.name) or not column.filled[0] or column.empty * 2 < len(column.codes):
        return False
    filled = column.codes[column.filled]
    return bool((np.diff(filled) != 0).all()) or len(filled) == len(column.texts)


def _named(columns: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in columns[:6])
    return shown if len(columns) <= 6 else f"{shown} and {len(columns) - 6} more"
