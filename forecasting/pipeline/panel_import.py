"""Import of a panel: any retailer's history, read by the names that its columns have there.

Stores and products that are named by text get numbers in the order of their names; the reference tables keep the names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from forecasting.contracts import schemas
from forecasting.contracts.calendar import DAY_NAMES
from forecasting.contracts.errors import DataError, OptionError
from forecasting.contracts.layout import store_files
from forecasting.contracts.panel_definition import ORANGE_JUICE, Covariate, Key, PanelDefinition
from forecasting.storage.lake import Lake

NO_PRICE = 1.0  # the price of all weeks where a panel has no prices
IMPORTED = replace(
    ORANGE_JUICE,
    name="imported panel",
    unit="unit",
    units="units",
    product=Key("product", "products", "number"),
    time_zone="UTC",
)


@dataclass(frozen=True)
class ColumnMapping:
    """What the columns of a panel are called.

    covariates: column by covariate; those that the panel does not have are left out.
    A row without units is the plan of a week ahead.
    """

    store: str
    product: str
    week: str
    units: str
    covariates: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, str]:
        """The panel's columns by our names."""
        keys = {"store": self.store, "product": self.product, "week": self.week, "units": self.units}
        return {**keys, **self.covariates}


@dataclass(frozen=True)
class ImportResult:
    """What was imported: rows with units, rows with a plan only, series, and the weekday on which a week starts."""

    sales: int
    plans: int
    series: int
    first: date
    last: date
    week_starts_on: int


def import_panel(
    lake: Lake, files: list[Path], mapping: ColumnMapping, definition: PanelDefinition = IMPORTED
) -> ImportResult:
    """Fill an empty lake with the history of a panel.

    Args:
        lake: has no sales yet.
        files: CSV (UTF-8, commas, ISO dates) or Parquet, all with the same columns.
        mapping: the names of the columns.
        definition: what the sales are; the weekday that opens a week is read from the panel.

    Raises:
        OptionError: the lake is not empty, a file lacks a column, or the definition a covariate.
        DataError: a value cannot be what its column says, a cell is there twice, or weeks open on several weekdays.
    """
    if not lake.is_empty:
        raise OptionError(f"lake={lake.root}", "has sales already", "name a new folder with --lake")
    if unknown := [name for name in mapping.covariates if name not in definition.names]:
        raise OptionError(
            f"covariate={unknown[0]}", "is not part of the panel", f"name one of {', '.join(definition.names)}"
        )
    lake.prepare()
    raw = pd.concat([_read(file, mapping) for file in files], ignore_index=True)
    panel = _typed(raw, definition)
    definition = replace(definition, week_starts_on=_weekday(panel))
    store_numbers, store_names = _numbered(panel["store"])
    product_numbers, product_names = _numbered(panel["product"])
    panel = panel.assign(store=store_numbers, product=product_numbers)
    twice = panel[panel.duplicated(schemas.CELL, keep="first")]
    if len(twice):
        raise DataError(
            f"{_where(raw, twice.index[0])} gives a store, product and week a second time", "keep one of them"
        )
    sold = panel[panel["units"].notna()]
    stores, products = schemas.stores(definition), schemas.products(definition)
    announced = schemas.announced_promotions(definition)
    with lake.filling():
        lake.reference.write_panel(definition, store_files(definition))
        lake.reference.write(
            stores.cast(store_names.reindex(columns=stores.columns)),
            products.cast(product_names.reindex(columns=products.columns)),
        )
        # A history does not say when its prices became known: it counts as announced from the beginning.
        lake.promotions.add(announced.cast(panel.assign(announced=sold["week"].min())))
        lake.sales.add(schemas.SALES.cast(sold.astype({"units": "int64"})))
    return ImportResult(
        sales=len(sold),
        plans=len(panel) - len(sold),
        series=len(sold[schemas.SERIES].drop_duplicates()),
        first=sold["week"].min().date(),
        last=sold["week"].max().date(),
        week_starts_on=definition.week_starts_on,
    )


def _read(file: Path, mapping: ColumnMapping) -> pd.DataFrame:
    """Return the mapped columns under our names, as text, with file and line."""
    named = mapping.columns
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
            f"The column {', '.join(missing)}",
            f"is not a column of {file.name}, which has {', '.join(map(str, frame.columns))}",
            "name the columns as they are there",
        )
    renamed = frame[list(named.values())].set_axis(list(named), axis=1)
    return renamed.assign(file=file.name, line=range(2, len(frame) + 2))


def _typed(raw: pd.DataFrame, definition: PanelDefinition) -> pd.DataFrame:
    """Return numbers and dates.

    Raises:
        DataError: a value cannot be one; the error names its place.
    """
    panel = pd.DataFrame({"store": raw["store"], "product": raw["product"]})
    panel["week"] = pd.to_datetime(raw["week"], format="ISO8601", errors="coerce").dt.normalize()
    _require(raw, panel["week"].notna(), "week", "a date written as YYYY-MM-DD")
    units = _number(raw, "units", optional=True)
    _require(raw, units.isna() | ((units >= 0) & (units % 1 == 0)), "units", "a whole number, 0 or more")
    panel["units"] = units
    for covariate in definition.covariates:
        panel[covariate.name] = _values(raw, covariate)
    return panel.astype({"week": "datetime64[us]"})


def _values(raw: pd.DataFrame, covariate: Covariate) -> pd.Series:
    if covariate.name not in raw:
        return pd.Series(NO_PRICE if covariate.neutral is None else covariate.neutral, index=raw.index)
    values = _number(raw, covariate.name)
    _require(raw, covariate.is_possible(values), covariate.name, covariate.range)
    return values


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
    """Return numbers for keys, and the table of numbers and names. Keys that are whole numbers keep theirs."""
    text = keys.astype("str")
    if text.str.fullmatch(r"[1-9][0-9]{0,8}").all():
        number = text.astype("int64")
    else:
        number = pd.Series(text.map({name: place for place, name in enumerate(sorted(text.unique()), start=1)}))
    names = pd.DataFrame({keys.name: number, "name": text}).drop_duplicates().sort_values(str(keys.name))
    return number, names.reset_index(drop=True)
