"""Samples of files nobody has declared yet: their dialect, and their columns as text."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from python_calamine import CalamineWorkbook

from forecasting.contracts.errors import DataError
from forecasting.core.dialect import (
    ASCII,
    LINES_LOOKED_AT,
    Dialect,
    Header,
    declared_delimiter,
    detect_delimiter,
    detect_encoding,
    find_header,
)
from forecasting.core.file_names import pattern_of
from forecasting.core.sampled_file import SampledFile
from forecasting.core.text_column import TextColumn

HEAD = 256 * 1024
# Larger files are looked at in three parts of this size: the first, the middle and the last.
WHOLE, PART = 128 * 1024 * 1024, 24 * 1024 * 1024
MOST_FILES = 60
MOST_ROWS = 5_000_000
WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


@dataclass(frozen=True, eq=False)
class _OneFile:
    path: Path
    dialect: Dialect
    columns: tuple[TextColumn, ...]
    is_sampled: bool


def sample_files(paths: Sequence[Path]) -> list[SampledFile]:
    """Return the columns of files, those with the same header and dialect together.

    Raises:
        DataError: a file cannot be read, or is no table with a header.
    """
    chosen = _evenly(paths)
    groups: dict[tuple[str, Dialect], list[_OneFile]] = {}
    for path in chosen:
        one = _sample(path)
        groups.setdefault((path.suffix, one.dialect), []).append(one)
    for form in [each for each in groups if each[1].encoding == ASCII]:
        # ASCII is a part of other encodings: of files with one form, one with accents tells how all are written.
        suffix, dialect = form
        others = [each for each in groups if each != form and each[0] == suffix and _is_but_encoding(each[1], dialect)]
        other = others[0] if others else (suffix, replace(dialect, encoding="utf-8"))
        groups.setdefault(other, []).extend(groups.pop(form))
        groups[other].sort(key=lambda each: chosen.index(each.path))
    return [_together(files, form[1].encoding, is_part=len(chosen) < len(paths)) for form, files in groups.items()]


def _is_but_encoding(one: Dialect, other: Dialect) -> bool:
    return replace(one, encoding=other.encoding) == other


def head_of(path: Path) -> bytes:
    """Return the beginning of a text file, up to the end of a line; other files whole."""
    with path.open("rb") as opened:
        head = opened.read(HEAD)
        if path.suffix.lower() in (".parquet", ".pq", *WORKBOOKS) or head[:4] in (b"PAR1", b"PK\x03\x04"):
            return head + opened.read()
        return head if len(head) < HEAD else head[: head.rindex(b"\n") + 1] if b"\n" in head else head


def _evenly(paths: Sequence[Path]) -> list[Path]:
    """Return some of many files: of each pattern of names the first, the last, and some between."""
    patterns: dict[str, list[Path]] = {}
    for path in sorted(paths):
        patterns.setdefault(pattern_of([path.name]), []).append(path)
    most = max(2, MOST_FILES // len(patterns))
    return [
        files[at]
        for files in patterns.values()
        for at in sorted(set(np.linspace(0, len(files) - 1, min(most, len(files))).round().astype(int)))
    ]


def _together(files: Sequence[_OneFile], encoding: str, *, is_part: bool) -> SampledFile:
    columns = tuple(TextColumn.joined(each) for each in zip(*(file.columns for file in files), strict=True))
    return SampledFile(
        tuple(file.path.name for file in files),
        tuple(len(file.columns[0].codes) for file in files),
        replace(files[0].dialect, encoding=encoding),
        columns,
        is_part or any(file.is_sampled for file in files),
    )


def _sample(path: Path) -> _OneFile:
    try:
        with path.open("rb") as opened:
            start = opened.read(4)
        if start == b"PAR1" or path.suffix.lower() in (".parquet", ".pq"):
            return _parquet(path)
        if path.suffix.lower() in WORKBOOKS or start == b"PK\x03\x04":
            return _workbook(path)
        return _text(path)
    except (DataError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # libraries raise errors of many families, and panics, over damaged files
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"{path} cannot be read ({reason[:200]})", "name a CSV, Parquet or xlsx file") from error


def _text(path: Path) -> _OneFile:
    size = path.stat().st_size
    with path.open("rb") as opened:
        if size <= WHOLE:
            parts = [opened.read()]
        else:
            parts = [opened.read(PART)]
            for place in (size // 2, size - PART):
                opened.seek(place)
                opened.readline()
                parts.append(opened.read(PART))
    encoding = detect_encoding(parts, is_whole=size <= WHOLE)
    texts = [part.decode(encoding, "replace") for part in parts]
    head = texts[0][:HEAD]
    if sum(head.count(chr(code)) for code in range(32) if code not in (0, 9, 10, 12, 13)) > len(head) // 100:
        raise DataError(f"{path} is no table", "name a CSV, Parquet or xlsx file")
    if "\n" not in texts[0][:HEAD]:
        texts = [text.replace("\r", "\n") for text in texts]
    head = texts[0][:HEAD] if len(texts[0]) <= HEAD else texts[0][:HEAD].rpartition("\n")[0]
    delimiter = detect_delimiter(head)
    skipped = 1 if declared_delimiter(head.split("\n", 1)[0].strip()) else 0
    reader = csv.reader(head.splitlines(keepends=True)[skipped:], delimiter=delimiter)
    rows, lines = [], []
    for row in islice(reader, LINES_LOOKED_AT):
        rows.append(row)
        lines.append(reader.line_num + skipped)
    header = find_header(rows, path.name)
    before = lines[header.place - 1] if header.place else skipped
    names = _complete(header, rows)
    texts[0] = _after_lines(texts[0], lines[header.place])
    columns = _columns(texts, delimiter, names, path.name)
    dialect = Dialect(names, before + 1, header.second, encoding.replace("utf-8-sig", "utf-8"), delimiter)
    return _OneFile(path, dialect, columns, size > WHOLE)


def _complete(header: Header, rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the names with an empty one for each column that has none."""
    below = [row for row in rows[header.place + 1 :] if any(row)]
    lacking = max((len(row) for row in below[:20]), default=0) - len(header.names)
    if lacking <= 0:
        return header.names
    # As R writes row names: the first column has no name. Lines that end with a delimiter have an empty last one.
    is_last = all(not any(cell.strip() for cell in row[len(header.names) :]) for row in below[:50])
    return header.names + ("",) * lacking if is_last else ("",) * lacking + header.names


def _after_lines(text: str, count: int) -> str:
    place = 0
    for _ in range(count):
        place = text.find("\n", place) + 1
        if not place:
            return ""
    return text[place:]


def _columns(texts: Sequence[str], delimiter: str, names: Sequence[str], file: str) -> tuple[TextColumn, ...]:
    places = [str(place) for place in range(len(names))]
    kind = pa.dictionary(pa.int32(), pa.string())
    tables = []
    for text in texts:
        if not text.strip():
            continue
        tables.append(
            pacsv.read_csv(
                pa.BufferReader(text.encode("utf-8", "replace")),
                read_options=pacsv.ReadOptions(column_names=places, block_size=16 * 1024 * 1024),
                parse_options=pacsv.ParseOptions(
                    delimiter=delimiter, newlines_in_values='"' in text, invalid_row_handler=lambda _: "skip"
                ),
                convert_options=pacsv.ConvertOptions(
                    column_types=dict.fromkeys(places, kind), strings_can_be_null=False, check_utf8=False
                ),
            )
        )
    if not tables:
        raise DataError(f"{file} has a header and no rows", "name a file with sales")
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    return tuple(_column(name, table.column(place)) for name, place in zip(names, places, strict=True))


def _column(name: str, values: pa.ChunkedArray) -> TextColumn:
    encoded = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.dictionary(pa.int32(), pa.string()))
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return TextColumn.of(name, [_as_text(value) for value in encoded.dictionary.to_pylist()], codes)


def _parquet(path: Path) -> _OneFile:
    file = pq.ParquetFile(path)
    names = tuple(file.schema_arrow.names)
    groups = list(range(file.num_row_groups))
    is_sampled = file.metadata.num_rows > MOST_ROWS and len(groups) > 3
    if is_sampled:
        groups = sorted({groups[0], groups[len(groups) // 2], groups[-1]})
    table = file.read_row_groups(groups) if is_sampled else file.read()
    if not table.num_rows:
        raise DataError(f"{path.name} has no rows", "name a file with sales")
    columns = tuple(_typed(name, table.column(place)) for place, name in enumerate(names))
    return _OneFile(path, Dialect(names), columns, is_sampled)


def _typed(name: str, values: pa.ChunkedArray) -> TextColumn:
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.cast(kind.value_type)
        kind = values.type
    zone = ""
    if pa.types.is_timestamp(kind) and kind.tz:
        zone = str(kind.tz)
        values = pa.compute.local_timestamp(values)
    if pa.types.is_timestamp(kind):
        # Times of day are read to the minute; finer ones make each row another value.
        values = pa.compute.floor_temporal(values, unit="minute")
    if pa.types.is_nested(kind):
        return TextColumn.of(name, [], np.full(len(values), -1))
    values.validate(full=True)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    found = _column(name, values.combine_chunks().dictionary_encode())
    is_floating = pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return replace(found, is_typed=not is_text, is_floating=is_floating, zone=zone)


def _workbook(path: Path) -> _OneFile:
    workbook = CalamineWorkbook.from_path(path)
    best: tuple[int, str, Header, Sequence[Sequence[object]]] | None = None
    refusal: DataError | None = None
    for sheet in workbook.sheet_names:
        cells: Sequence[Sequence[object]] = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        try:
            header = find_header([[_as_text(cell) for cell in row] for row in cells[:LINES_LOOKED_AT]], path.name)
        except DataError as error:
            refusal = refusal or error
            continue
        below = len(cells) - header.place - 1
        if best is None or below > best[0]:
            best = below, sheet, header, cells
    if best is None:
        raise refusal or DataError(f"{path.name} has no sheet", "name a workbook with sales")
    _, sheet, header, cells = best
    rows = cells[header.place + 1 :]
    if not rows:
        raise DataError(f"{path.name} has a header and no rows", "name a file with sales")
    columns = []
    for place, name in enumerate(header.names):
        values = [row[place] if place < len(row) else "" for row in rows]
        codes, different = pd.factorize(np.array([_as_text(value) for value in values], dtype=object))
        typed = sum(not isinstance(value, str) for value in values if value != "")
        filled = sum(value != "" for value in values)
        columns.append(replace(TextColumn.of(name, list(different), codes), is_typed=2 * typed > filled))
    sheet_name = "" if sheet == workbook.sheet_names[0] else sheet
    dialect = Dialect(header.names, header.place + 1, header.second, sheet=sheet_name)
    return _OneFile(path, dialect, tuple(columns), is_sampled=False)


def _as_text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case float() if value != value:
            return ""
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
        case date():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return str(value)
