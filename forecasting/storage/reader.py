"""The reader of files: every row of a file in any layout, as text, one form for all of them (`raw_columns`).

What a value means is for the inspection to judge. Here a file finds its layout, and its columns their names.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forecasting.contracts.layout import PARTS, Layout, PassedOver
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.core.inspection import IDS, attribute_columns, raw_columns
from forecasting.storage.file_layout import (
    MOST_CHARACTERS,
    Match,
    choose_layout,
    clean_name,
    match_layouts,
    used_columns,
)
from forecasting.storage.formats import Fault, FileColumns, UnreadableFileError, format_of
from forecasting.storage.formats.columns import TEXT

_Read = TypeVar("_Read")


@dataclass(frozen=True)
class RowsRead:
    """The rows of files: `frame` has `raw_columns`, one row a line; `notes` are sentences about the files."""

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()


def read_rows(
    files: Iterable[tuple[str, bytes]],
    definition: PanelDefinition,
    layouts: Sequence[Layout],
    *,
    most_rows: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> RowsRead:
    """Read the rows of files as text.

    Args:
        files: name and content of each; one at a time is held.
        definition: what the rows hold.
        layouts: how files arrive; a file has the first whose pattern its name fits and whose columns it has.
        most_rows: rows of a file after which the rest of it is left.
        progress: called with the number of rows read since its last call.

    Returns:
        All rows. A line, or a file, that cannot be read is a row with a rule and a detail.
    """
    tables, notes = [], []
    names: dict[bytes, str] = {}
    for name, content in files:
        first = names.setdefault(hashlib.sha256(content).digest(), name)
        if first != name and _repeats(name, layouts):
            fault = Fault(1, "repeated_file", f"it is {first} once more, and its rows would count twice: remove one")
            tables.append(fault_rows(name, [fault], definition))
            continue
        table, of_file = _read_file(name, content, definition, layouts, most_rows, progress)
        tables.append(table)
        notes += of_file
    schema = _schema(definition)
    # Files of several layouts may read different attributes; what a layout does not read is empty.
    table = pa.concat_tables(tables, promote_options="default") if tables else schema.empty_table()
    frame = table.to_pandas()
    return RowsRead(frame, tuple(notes))


def fault_rows(
    name: str, faults: Sequence[Fault], definition: PanelDefinition, *, week: date | None = None, layout: int = 0
) -> pa.Table:
    """Return rows that only say what is wrong with lines of a file."""
    known = {
        "line": [each.line for each in faults],
        "rule": [each.rule for each in faults],
        "detail": [each.detail for each in faults],
    }
    return _table(known, len(faults), definition, {"file": name, "file_week": week, "layout": layout})


def fits(name: str, layouts: Sequence[Layout]) -> bool:
    """Return whether a layout declares files of this name."""
    return bool(match_layouts(name, layouts))


def declared_week(name: str, layouts: Sequence[Layout], week_starts_on: int) -> date | None:
    """Return the sales week that a file's name declares; None where it declares none, or fits no layout."""
    found = match_layouts(name, layouts)
    return found[0].week(week_starts_on) if found else None


def _repeats(name: str, layouts: Sequence[Layout]) -> bool:
    """Return whether rows of the file that are sent twice could not be told from others."""
    return any(match.layout.grain == "transaction" for match in match_layouts(name, layouts))


def _schema(definition: PanelDefinition) -> pa.Schema:
    kinds = {"file_week": pa.date32(), "line": pa.int32(), "layout": pa.int32()}
    return pa.schema([(name, kinds.get(name, TEXT)) for name in raw_columns(definition)])


def _table(
    columns: Mapping[str, object], n_rows: int, definition: PanelDefinition, constants: Mapping[str, object]
) -> pa.Table:
    """Return a table of `raw_columns`, and of attributes; a column that is not given is a constant, or empty texts."""
    read = [name for name in attribute_columns(definition) if name in columns]
    schema = pa.schema([*_schema(definition), *(pa.field(name, TEXT) for name in read)])
    arrays = []
    for field in schema:
        if field.name in columns:
            values = columns[field.name]
            is_arrow = isinstance(values, pa.ChunkedArray | pa.Array)
            arrays.append(values if is_arrow else pa.array(values, field.type))
        else:
            arrays.append(pa.repeat(pa.scalar(constants.get(field.name, ""), field.type), n_rows))
    return pa.Table.from_arrays(arrays, schema=schema)


def _read_file(
    name: str,
    content: bytes,
    definition: PanelDefinition,
    layouts: Sequence[Layout],
    most_rows: int | None,
    progress: Callable[[int], None],
) -> tuple[pa.Table, list[str]]:
    matches = match_layouts(name, layouts)
    if not matches:
        patterns = " or ".join(dict.fromkeys(layout.files for layout in layouts))
        fault = Fault(1, "wrong_file_name", f"name files {patterns}, as the lake's panel definition says")
        return fault_rows(name, [fault], definition), []
    try:
        match, header = _reading(lambda: choose_layout(name, content, matches))
    except UnreadableFileError as error:
        return fault_rows(name, [error.fault], definition, week=matches[0].week(definition.week_starts_on)), []
    layout, week = match.layout, match.week(definition.week_starts_on)
    places = list(header)
    wanted = sorted(used_columns(layout), key=lambda column: places.index(clean_name(column)))
    names = {column: header[clean_name(column)] for column in wanted}
    try:
        kind = format_of(name, content)
        columns = list(names.values())
        found = _reading(lambda: kind.read(content, layout, columns, definition.time_zone, most_rows, progress))
    except UnreadableFileError as error:
        return fault_rows(name, [error.fault], definition, week=week, layout=match.place), []
    values = {column: found.texts[raw] for column, raw in names.items()}
    faults = found.faults
    if not len(found.lines) and not faults:
        faults = (Fault(layout.header_line, "no_rows", "the file has no row below its header: send it with its rows"),)
    table = _rows_of(name, match, found, values, definition)
    if faults:
        bad = fault_rows(name, faults, definition, week=week, layout=match.place)
        table = pa.concat_tables([table, bad], promote_options="default").sort_by("line")
    return table, _notes(name, layout, names, found)


def _reading(read: Callable[[], _Read]) -> _Read:
    """Return what a reader gives; whatever it raises is the fault of the file.

    Raises:
        UnreadableFileError: the file cannot be read.
    """
    try:
        return read()
    except UnreadableFileError:
        raise
    except Exception as error:  # libraries raise errors of many families for damaged and merely odd files
        detail = f"{type(error).__name__}: {str(error)[:MOST_CHARACTERS]}: send the file again"
        raise UnreadableFileError("unreadable_file", detail) from error


def _rows_of(
    name: str, match: Match, found: FileColumns, values: Mapping[str, pa.ChunkedArray], definition: PanelDefinition
) -> pa.Table:
    layout, n_rows = match.layout, len(found.lines)
    passed_over = _passed_over(layout, values, n_rows)
    if layout.fill_down:
        values = _filled_down(layout, values, passed_over == "")
    columns: dict[str, object] = {"line": found.lines, "passed_over": pa.chunked_array([pa.array(passed_over, TEXT)])}
    for ours, theirs in layout.columns.items():
        parts = [values[column] for column in theirs]
        if len(parts) > 1:
            parts = [pc.utf8_trim_whitespace(part) for part in parts]
        separator = PARTS if ours in IDS else " "
        text = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, pa.scalar(separator, TEXT))
        columns["week_or_date" if ours == "date" else ours] = text
    columns |= _missing_parts(layout, values, passed_over == "")
    store = match.declared.get("store", "")
    if definition.store.id == "number":
        store = store.lstrip("0") or store[-1:]  # the number of store-002 is 2
    constants = {
        "file": name,
        "file_week": match.week(definition.week_starts_on),
        "file_store": store,
        "layout": match.place,
        "store": store,
        "week_or_date": match.day.isoformat() if match.day else "",
    }
    return _table(columns, n_rows, definition, constants)


def _passed_over(layout: Layout, values: Mapping[str, pa.ChunkedArray], n_rows: int) -> np.ndarray:
    """Return, row by row, why a row is none of the panel; empty where it is one."""
    reasons = np.full(n_rows, "", dtype=object)
    for column, texts in layout.leave_out.items():
        trimmed = pc.utf8_trim_whitespace(values[column])
        reasons[_mask(pc.is_in(trimmed, pa.array([text.strip() for text in texts], TEXT)))] = PassedOver.LEFT_OUT.value
    is_header = np.full(n_rows, fill_value=True)
    for column, texts in values.items():
        if not is_header.any():
            break
        is_header &= _mask(pc.equal(pc.utf8_trim_whitespace(texts), pa.scalar(clean_name(column), TEXT)))
    reasons[is_header] = PassedOver.REPEATED_HEADER.value
    return reasons


def _mask(values: pa.ChunkedArray) -> np.ndarray:
    return values.to_numpy(zero_copy_only=False)


def _is_empty(layout: Layout, values: pa.ChunkedArray) -> np.ndarray:
    return _mask(pc.is_in(pc.utf8_trim_whitespace(values), pa.array(["", *layout.empty], TEXT)))


def _filled_down(
    layout: Layout, values: Mapping[str, pa.ChunkedArray], is_row: np.ndarray
) -> dict[str, pa.ChunkedArray]:
    """Return the columns with empty ids replaced by the id above, as merged cells of a spreadsheet mean it.

    An id that is written ends the blocks of the columns to its right: they begin anew.
    """
    filled = dict(values)
    block = np.zeros(len(is_row), dtype="int64")
    for column in [each for each in values if any(each in layout.columns.get(name, ()) for name in IDS)]:
        written = pd.Series(values[column].to_pandas())
        given = written.where(is_row & ~_is_empty(layout, values[column]))
        full = given.groupby(block).ffill()
        filled[column] = pa.chunked_array([pa.array(full.where(is_row, written).fillna(written), TEXT)])
        steady = full.where(is_row).ffill().fillna("")
        block = block + steady.ne(steady.shift()).cumsum().to_numpy()
    return filled


def _missing_parts(layout: Layout, values: Mapping[str, pa.ChunkedArray], is_row: np.ndarray) -> dict[str, pa.Array]:
    """Return rule and detail of rows of which a part of an id is empty."""
    rule, detail = (np.full(len(is_row), "", dtype=object) for _ in range(2))
    for columns in (layout.columns.get(name, ()) for name in IDS):
        for column in columns if len(columns) > 1 else ():
            lacking = _is_empty(layout, values[column]) & is_row & (rule == "")
            rule[lacking], detail[lacking] = "missing_value", f"{column} is empty: write it in every row"
    return {"rule": pa.array(rule, TEXT), "detail": pa.array(detail, TEXT)}


def _notes(name: str, layout: Layout, names: Mapping[str, str], found: FileColumns) -> list[str]:
    ids = [column for key in IDS for column in layout.columns.get(key, ()) if names[column] in found.decimals]
    return [
        f"{name}: the column {column} holds decimal numbers; whole ones are read as ids without a point, such as 101"
        for column in ids
    ]
