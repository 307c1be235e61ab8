"""Import of a panel with other column names: the history of any retailer.

Stores and products that are named by text get numbers in the order of their names; the reference tables keep the
names.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from forecasting.contracts import schemas
from forecasting.contracts.calendar import DAY_NAMES
from forecasting.contracts.errors import DataError, OptionError
from forecasting.storage.lake import Lake

UNKNOWN_PRICE = 1.0  # of every week of a panel without prices


@dataclass(frozen=True)
class ColumnMapping:
    """The names of the columns of a panel; None for a covariate that the panel does not have.

    A row without units is the plan of a week ahead.
    """

    store: str
    product: str
    week: str
    units: str
    price: str | None = None
    deal: str | None = None
    feat: str | None = None


@dataclass(frozen=True)
class ImportResult:
    """What was imported: rows with units, rows with a plan only, series, and the weekday on which a week starts."""

    sales: int
    plans: int
    series: int
    first: str
    last: str
    week_starts_on: int


def import_panel(lake: Lake, files: list[Path], layout: ColumnMapping) -> ImportResult:
    """Fill an empty lake with the history of a panel.

    Args:
        lake: has no sales yet.
        files: CSV (UTF-8, commas, ISO dates) or Parquet, all of one layout.
        layout: the names of the columns.

    Raises:
        OptionError: the lake is not empty, or a file lacks a column of the layout.
        DataError: a value is not of its column's kind, a cell is there twice, or weeks start on several weekdays.
    """
    if not lake.is_empty:
        raise OptionError(f"lake={lake.root}", "has sales already", "name a new folder with --lake")
    lake.prepare()
    raw = pd.concat([_read(file, layout) for file in files], ignore_index=True)
    panel = _typed(raw)
    starts_on = _weekday(panel)
    stores, store_names = _numbered(panel["store"])
    products, product_names = _numbered(panel["product"])
    panel = panel.assign(store=stores, product=products)
    twice = panel[panel.duplicated(schemas.CELL, keep="first")]
    if len(twice):
        raise DataError(
            f"{_where(raw, twice.index[0])} gives a store, product and week a second time", "keep one of them"
        )
    sold = panel[panel["units"].notna()]
    with lake.filling():
        lake.reference.write_calendar(starts_on)
        lake.reference.write(
            schemas.STORES.cast(store_names.reindex(columns=schemas.STORES.columns)),
            schemas.PRODUCTS.cast(product_names.reindex(columns=schemas.PRODUCTS.columns)),
        )
        # A history does not say when its prices were announced: they count as announced at its beginning.
        lake.promotions.add(schemas.ANNOUNCED_PROMOTIONS.cast(panel.assign(announced=sold["week"].min())))
        lake.sales.add(schemas.SALES.cast(sold.astype({"units": "int64"})))
    return ImportResult(
        sales=len(sold),
        plans=len(panel) - len(sold),
        series=len(sold[schemas.SERIES].drop_duplicates()),
        first=str(sold["week"].min().date()),
        last=str(sold["week"].max().date()),
        week_starts_on=starts_on,
    )


def _read(file: Path, layout: ColumnMapping) -> pd.DataFrame:
    """Return the columns of the layout under our names, as text, with file and line."""
    named = {name: column for name, column in vars(layout).items() if column is not None}
    try:
        if file.suffix == ".parquet":
            frame = pq.ParquetFile(file).read().to_pandas()
        else:
            frame = pd.read_csv(file, dtype="str", keep_default_na=False, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file} cannot be read ({str(error).splitlines()[0]})", "name a CSV or Parquet file"
        ) from error
    missing = [column for column in named.values() if column not in frame.columns]
    if missing:
        raise OptionError(
            f"The layout's {', '.join(missing)}",
            f"is not a column of {file.name}, which has {', '.join(map(str, frame.columns))}",
            "name the columns as they are there",
        )
    renamed = frame[list(named.values())].set_axis(list(named), axis=1)
    return renamed.assign(file=file.name, line=range(2, len(frame) + 2))


def _typed(raw: pd.DataFrame) -> pd.DataFrame:
    """Return numbers and dates; refuse a value that is neither, with its file and line."""
    panel = pd.DataFrame({"store": raw["store"], "product": raw["product"]})
    panel["week"] = pd.to_datetime(raw["week"], format="ISO8601", errors="coerce").dt.normalize()
    _require(raw, panel["week"].notna(), "week", "a date written as YYYY-MM-DD")
    units = _number(raw, "units", optional=True)
    _require(raw, units.isna() | ((units >= 0) & (units % 1 == 0)), "units", "a whole number, 0 or more")
    panel["units"] = units
    price = _number(raw, "price") if "price" in raw else pd.Series(UNKNOWN_PRICE, index=raw.index)
    _require(raw, price > 0, "price", "more than 0")
    panel["price"] = price
    for name in ("deal", "feat"):
        panel[name] = _number(raw, name) if name in raw else 0.0
        _require(raw, panel[name].between(0, 1), name, "from 0 to 1")
    _require(raw, panel["deal"].isin([0, 1]), "deal", "0 or 1")
    return panel.astype({"week": "datetime64[us]"})


def _number(raw: pd.DataFrame, name: str, *, optional: bool = False) -> pd.Series:
    text = raw[name]
    empty = text.isna() | (text.astype("str") == "")
    number = pd.to_numeric(text.where(~empty), errors="coerce").astype("float64")
    _require(raw, number.notna() | (empty & optional), name, "a number with a decimal point")
    return number


def _require(raw: pd.DataFrame, holds: pd.Series, name: str, form: str) -> None:
    if not holds.all():
        row = holds.index[~holds.astype(bool)][0]
        raise DataError(
            f"{_where(raw, row)} has {raw.loc[row, name]!r} for {name}, which must be {form}", "correct the file"
        )


def _where(raw: pd.DataFrame, row: int) -> str:
    return f"Line {raw.loc[row, 'line']} of {raw.loc[row, 'file']}"


def _weekday(panel: pd.DataFrame) -> int:
    days = panel["week"].dt.day_of_week.value_counts()
    if len(days) > 1:
        found = ", ".join(f"{DAY_NAMES[int(day)]} ({count} rows)" for day, count in days.items())
        raise DataError(f"The weeks open on several weekdays: {found}", "name each week by its first day")
    return int(days.index[0])


def _numbered(keys: pd.Series) -> tuple[pd.Series, pd.DataFrame]:
    """Return numbers for the keys, and the table of numbers and names. Keys that are whole numbers keep theirs."""
    text = keys.astype("str")
    if text.str.fullmatch(r"[1-9][0-9]{0,8}").all():
        number = text.astype("int64")
    else:
        number = pd.Series(text.map({name: place for place, name in enumerate(sorted(text.unique()), start=1)}))
    names = pd.DataFrame({keys.name: number, "name": text}).drop_duplicates().sort_values(str(keys.name))
    return number, names.reset_index(drop=True)
