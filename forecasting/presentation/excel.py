"""Files for people: the order sheet of one cutoff as an Excel workbook or as CSV.

Names of stores and products come from outside, and spreadsheet programs calculate what begins like a formula. In a
workbook every name is stored as text, which is never calculated. CSV has no types: a text that begins like a formula
gets an apostrophe before it, as OWASP recommends. Numbers are numbers in both, a negative one too.
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa

from forecasting.contracts import schemas
from forecasting.contracts.errors import OptionError
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.core.report import order_sheet
from forecasting.presentation import words
from forecasting.storage.lake import Lake
from forecasting.storage.location import local_file

# The last four are their full-width twins, which some spreadsheets take for them.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")
LARGEST_NUMBER = 10**15  # Excel keeps 15 digits: a longer id is written as text
LONGEST_CELL = 32_767  # of Excel; XlsxWriter leaves a cell with a longer text empty

_WIDTHS = {"store_name": 18, "product_name": 24, "week": 12, "model": 16, "reason": 14}
_USUAL_WIDTH = 11


@dataclass(frozen=True)
class Exported:
    """What was exported: the rows of one cutoff's forecast."""

    cutoff: date
    rows: int


def export_forecast(lake: Lake, cutoff: date | None, to: Path) -> Exported:
    """Write the order sheet of a published forecast; of the newest one where no cutoff is given.

    Raises:
        ForecastingError: nothing of that cutoff is published, or the file cannot be written.
    """
    newest, published = lake.forecasts.newest(), lake.forecasts.cutoffs()
    cutoff = cutoff or newest
    if cutoff not in published:
        raise OptionError(
            f"--cutoff {cutoff}",
            "has no published forecast",
            f"name one from {published[0]} to {newest}; oj status shows how many there are",
        )
    forecast, metadata = lake.forecasts.read(cutoff), lake.forecasts.metadata(cutoff)
    definition = lake.reference.definition
    sheet = order_sheet(
        forecast,
        lake.sales.read(cutoff),
        lake.promotions.read(cutoff),
        lake.reference.stores(),
        lake.reference.products(),
        definition,
    )
    about = {
        "cutoff": str(cutoff),
        "units": definition.units,
        "point": metadata.get("point", ""),
        "run_id": metadata.get("run_id", ""),
    }
    export(sheet, to, about, definition)
    return Exported(cutoff, len(sheet))


def export(sheet: pd.DataFrame, path: Path, about: Mapping[str, str], definition: PanelDefinition) -> None:
    """Write the order sheet to `path` in the format of its ending. A file that is there is replaced.

    Args:
        sheet: table `order_sheet`.
        definition: what the sheet holds.
        about: facts about it by name, for the workbook's second sheet; `cutoff` is one of them.

    Raises:
        OptionError: another ending than .xlsx or .csv, or the path cannot be written.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise OptionError(f"--to {path}", "ends neither in .xlsx nor in .csv", "choose one of these endings")
    rows = schemas.order_sheet(definition).to_arrow(sheet)
    try:
        with local_file(path).writer() as file:
            write(file, rows, about, definition)
    except OSError as error:
        raise OptionError(f"--to {path}", f"cannot be written ({error.strerror})", "name another file") from error


def harmless(text: str) -> str:
    """Return a text that no spreadsheet program takes for a formula when it reads CSV."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def _write_csv(file: BinaryIO, rows: pa.Table, _about: Mapping[str, str], _panel: PanelDefinition) -> None:
    # With a byte order mark, as Excel reads names with accents wrongly without it.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", errors="replace")
    writer = csv.writer(text)
    writer.writerow(rows.column_names)
    for row in rows.to_pylist():
        writer.writerow([harmless(value) if isinstance(value, str) else value for value in row.values()])
    text.detach()  # writes what is left, and does not close the file


def _write_xlsx(file: BinaryIO, rows: pa.Table, about: Mapping[str, str], panel: PanelDefinition) -> None:
    import xlsxwriter

    safe = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, {**safe, "default_date_format": "yyyy-mm-dd"}) as book:
        # The same rows give the same bytes.
        made = datetime.combine(date.fromisoformat(about["cutoff"]), time())
        book.set_properties({"title": "Orders", "created": made})
        _write_orders(book, rows, panel)
        _write_about(book, rows.schema, about, panel)


def _write_orders(book: Any, rows: pa.Table, panel: PanelDefinition) -> None:
    titles, formats = _titles(panel), _formats(panel)
    sheet, head = book.add_worksheet("Orders"), book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
    for number, name in enumerate(rows.column_names):
        sheet.write_string(0, number, _title(titles, name), head)
        shape = book.add_format({"num_format": formats[name]}) if name in formats else None
        sheet.set_column(number, number, _WIDTHS.get(name, _USUAL_WIDTH), shape)
        for line, value in enumerate(rows.column(name).to_pylist(), start=1):
            _write_cell(sheet, line, number, value)
    sheet.freeze_panes(1, rows.column_names.index("week"))
    sheet.autofilter(0, 0, rows.num_rows, rows.num_columns - 1)
    sheet.set_landscape()
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)


def _write_cell(sheet: Any, line: int, column: int, value: object) -> None:
    if isinstance(value, str):
        sheet.write_string(line, column, value[:LONGEST_CELL])
    elif isinstance(value, date):
        sheet.write_datetime(line, column, value)
    elif isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        sheet.write_string(line, column, str(value))
    elif value is not None:
        sheet.write_number(line, column, value)


def _write_about(book: Any, schema: pa.Schema, about: Mapping[str, str], panel: PanelDefinition) -> None:
    sheet, bold = book.add_worksheet("About"), book.add_format({"bold": True})
    meanings = ((_title(_titles(panel), each.name), each.metadata[b"unit"].decode()) for each in schema)
    lines = [*about.items(), ("", ""), *meanings]
    for line, (name, meaning) in enumerate(lines):
        sheet.write_string(line, 0, name, bold)
        sheet.write_string(line, 1, meaning)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 80)


def _titles(panel: PanelDefinition) -> dict[str, str]:
    ends = {"lo": "from", "hi": "to"}
    intervals = {f"{side}_{level}": f"{level} % {end}" for level in schemas.LEVELS for side, end in ends.items()}
    keys: dict[str, str] = {}
    for name, key in (("store", panel.store), ("product", panel.product)):
        keys |= {name: words.capital(key.word), f"{name}_name": f"{words.capital(key.word)} name"}
    return keys | {each.name: words.capital(each.label) for each in panel.covariates} | intervals


def _formats(panel: PanelDefinition) -> dict[str, str]:
    units = ["forecast", "last_sold", *(f"{side}_{level}" for side in ("lo", "hi") for level in schemas.LEVELS)]
    by_role = {"price": "0.00", "share": "0%"}
    covariates = {each.name: by_role[each.role] for each in panel.covariates if each.role in by_role}
    amount = "#,##0" if panel.whole_units else "#,##0.00"
    ids = dict.fromkeys(schemas.SERIES, "0")  # a long number would be shown as 5.9E+12
    return {**ids, **dict.fromkeys(units, amount), "change": f"+{amount};-{amount};0", **covariates}


def _title(titles: Mapping[str, str], name: str) -> str:
    return titles.get(name, name.replace("_", " ").capitalize())


Writer = Callable[[BinaryIO, pa.Table, Mapping[str, str], PanelDefinition], None]
_WRITERS: Mapping[str, Writer] = {".csv": _write_csv, ".xlsx": _write_xlsx}
