"""Workbooks of spreadsheet programs: the cells of a sheet as text."""

from collections.abc import Callable
from io import BytesIO
from zoneinfo import ZoneInfo

import pyarrow as pa
from python_calamine import CalamineSheet, load_workbook

from forecasting.contracts.layout import Layout
from forecasting.storage.formats.columns import TEXT, Fault, FileColumns, UnreadableFileError
from forecasting.storage.formats.typed import text_of


def header(content: bytes, layout: Layout) -> list[str]:
    """Return the names of the columns."""
    rows = _sheet(content, layout)[1]
    return _texts(rows[layout.header_line - 1], layout, ZoneInfo("UTC")) if len(rows) >= layout.header_line else []


def read(
    content: bytes,
    layout: Layout,
    names: list[str],
    time_zone: str,
    most_rows: int | None,
    progress: Callable[[int], None],
) -> FileColumns:
    """Return columns of the sheet as text; every cell of merged cells has their value."""
    zone = ZoneInfo(time_zone)
    sheet, cells = _sheet(content, layout)
    columns = _texts(cells[layout.header_line - 1], layout, zone)
    places = [columns.index(name) for name in names]
    _fill_merged(sheet, cells, [columns.index(name) for name in _keys(layout) if name in columns])
    lines: list[int] = []
    values: list[list[str]] = []
    faults: list[Fault] = []
    for number, row in enumerate(cells[layout.header_line :], start=layout.header_line + 1):
        if len(lines) == most_rows:
            break
        try:
            texts = _texts(row, layout, zone)
        except (ValueError, OverflowError) as error:
            faults.append(Fault(number, "unreadable_row", f"{error}: correct the row"))
            continue
        if any(texts):
            lines.append(number)
            values.append([texts[place] for place in places])
    progress(len(lines))
    arrays = [pa.array([row[place] for row in values], TEXT) for place in range(len(names))]
    return FileColumns(
        {name: pa.chunked_array([array]) for name, array in zip(names, arrays, strict=True)},
        pa.chunked_array([pa.array(lines, pa.int32())]),
        tuple(faults),
    )


def _keys(layout: Layout) -> list[str]:
    return [column for name in ("store", "product", "date") for column in layout.columns.get(name, ())]


def _sheet(content: bytes, layout: Layout) -> tuple[CalamineSheet, list[list[object]]]:
    try:
        workbook = load_workbook(BytesIO(content))
        sheet = workbook.get_sheet_by_name(_sheet_name(workbook.sheet_names, layout))
        # Empty rows at the top count, so that lines are those that the spreadsheet program shows.
        cells: list[list[object]] = [list(row) for row in sheet.to_python(skip_empty_area=False)]
    except (UnreadableFileError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the library is no Exception
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise UnreadableFileError("unreadable_file", f"{said[:200]}: save the workbook again") from error
    return sheet, cells


def _sheet_name(names: list[str], layout: Layout) -> str:
    if layout.sheet and layout.sheet not in names:
        detail = f"it has no sheet {layout.sheet!r}, but {', '.join(map(repr, names))}: correct the layout"
        raise UnreadableFileError("wrong_header", detail)
    return layout.sheet or names[0]


def _fill_merged(sheet: CalamineSheet, cells: list[list[object]], places: list[int]) -> None:
    """Give merged cells of the key columns their value; that of any other column would count several times."""
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        for row in range(top, min(bottom + 1, len(cells))):
            for place in range(left, right + 1):
                if place in places and left in places and place < len(cells[row]):
                    cells[row][place] = cells[top][left]


def _texts(row: list[object], layout: Layout, zone: ZoneInfo) -> list[str]:
    return [text_of(value, layout, zone) for value in row]
