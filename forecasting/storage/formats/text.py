"""Text files: CSV, TSV and their kind, with any delimiter and encoding, as RFC 4180 quotes them.

A line that is no row, as it is cut or its quotes are wrong, costs itself and no other.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from forecasting.contracts.layout import Layout
from forecasting.storage.formats.columns import TEXT, Fault, FileColumns, UnreadableFileError
from forecasting.storage.formats.plain_text import read_plain

ROWS_AT_ONCE = 50_000
SEPARATOR_LINE = re.compile(r'"?sep=(?P<delimiter>.?)"?\s*', re.IGNORECASE | re.DOTALL)
LINE_ENDS = "\r\n"
UTF8 = "utf-8-sig"
ENDS_WITHIN = "the file ends within this line: send the whole line"
# Rows with their lines: the values of each, or what is wrong with it.
_RowsOfLines = Iterator[tuple[int, list[str] | Fault]]


def header(content: bytes, layout: Layout) -> list[str]:
    """Return the names of the columns."""
    with _DecodingErrors(content, layout):
        return _open(content, layout)[0]


def read(
    content: bytes,
    layout: Layout,
    names: list[str],
    time_zone: str,
    most_rows: int | None,
    progress: Callable[[int], None],
) -> FileColumns:
    """Return columns of the file as text. A line is where its row begins."""
    del time_zone  # texts stay as they are
    with _DecodingErrors(content, layout):
        _require_encoding(content, layout)
        found, lines = _open(content, layout)
        places = {name: found.index(name) for name in names}
        plain = None
        if most_rows is None:
            plain = read_plain(_as_utf8(content, layout), layout, len(found), places, lines.number)
        if plain:
            progress(len(plain.lines))
            return plain
        rows = _Rows(list(places.values()))
        for line, values in _rows(lines, layout.delimiter):
            if isinstance(values, Fault):
                rows.faults.append(values)
            elif len(values) != len(found):
                detail = f"{len(values)} values where {len(found)} are declared: send the whole line"
                rows.faults.append(Fault(line, "cut_row", detail))
            elif rows.count == most_rows:
                break
            else:
                rows.add(line, values, progress)
        return rows.columns(names, progress)


class _DecodingErrors:
    """Turns bytes that are not of the declared encoding into an error of the file, which names the line."""

    def __init__(self, content: bytes, layout: Layout) -> None:
        self._content = content
        self._encoding = layout.encoding

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        is_utf8 = _codec(self._encoding) == UTF8
        rule = "not_utf8" if is_utf8 else "wrong_encoding"
        name = "UTF-8" if is_utf8 else self._encoding
        if isinstance(error, LookupError) and not isinstance(error, KeyError | IndexError):
            raise UnreadableFileError(rule, f"nobody knows the encoding {self._encoding!r}: correct the layout")
        if isinstance(error, UnicodeError):
            try:
                self._content.decode(_codec(self._encoding))
                place, line = "the file", 1
            except UnicodeDecodeError as found:
                place, line = f"byte {found.start}", self._content.count(b"\n", 0, found.start) + 1
            raise UnreadableFileError(rule, f"{place} is not {name}: save the file as {name}", line) from error


class _Lines:
    """The lines of a text, counted as they are given out; lines can be put back.

    number: of the line that was given out last.
    of_row: the lines that were given out since the last call of `begin_row`.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._ahead: deque[str] = deque()
        self.number = 0
        self.of_row: list[str] = []

    def __iter__(self) -> Iterator[str]:
        while True:
            line = self._ahead.popleft() if self._ahead else next(self._lines, None)
            if line is None:
                return
            self.number += 1
            self.of_row.append(line)
            yield line

    @property
    def row_is_cut(self) -> bool:
        """Whether the file ends within the last line of the row."""
        return self.of_row[-1][-1] not in LINE_ENDS

    def take(self) -> str:
        """Return the next line; empty after the last."""
        return next(iter(self), "")

    def begin_row(self, *lines: str) -> None:
        """Begin a row with these lines, which were given out already."""
        self.of_row.clear()
        self._ahead.extendleft(reversed(lines))
        self.number -= len(lines)

    def put_back(self) -> None:
        """Put back all lines of the row but the first."""
        after = self.of_row[1:]
        self._ahead.extendleft(reversed(after))
        self.number -= len(after)
        del self.of_row[1:]


@dataclass
class _Rows:
    """Rows that become columns, many at a time."""

    places: list[int]
    faults: list[Fault] = field(default_factory=list)
    count: int = 0
    _values: list[list[str]] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)
    _chunks: list[list[pa.Array]] = field(default_factory=list)
    _line_chunks: list[pa.Array] = field(default_factory=list)

    def add(self, line: int, values: list[str], progress: Callable[[int], None]) -> None:
        self.count += 1
        self._lines.append(line)
        self._values.append(values)
        if len(self._lines) == ROWS_AT_ONCE:
            self._flush(progress)

    def columns(self, names: list[str], progress: Callable[[int], None]) -> FileColumns:
        self._flush(progress)
        return FileColumns(
            {
                name: pa.chunked_array([chunk[number] for chunk in self._chunks], TEXT)
                for number, name in enumerate(names)
            },
            pa.chunked_array(self._line_chunks, pa.int32()),
            tuple(self.faults),
        )

    def _flush(self, progress: Callable[[int], None]) -> None:
        if self._lines:
            columns = list(zip(*self._values, strict=True))
            self._chunks.append([pa.array(columns[place], TEXT) for place in self.places])
            self._line_chunks.append(pa.array(self._lines, pa.int32()))
            progress(len(self._lines))
            self._values, self._lines = [], []


def _open(content: bytes, layout: Layout) -> tuple[list[str], _Lines]:
    """Return the header, and the lines after it."""
    text = io.TextIOWrapper(io.BytesIO(content), encoding=_codec(layout.encoding), newline="")
    lines = _Lines(iter(text))
    for _ in range(layout.header_line - 1):
        lines.take()
    first = lines.take()
    if declared := SEPARATOR_LINE.fullmatch(first.removeprefix("\ufeff")):
        if declared["delimiter"] not in (layout.delimiter, "", *LINE_ENDS):
            detail = f"the file says sep={declared['delimiter']}, and its layout {layout.delimiter!r}: correct one"
            raise UnreadableFileError("wrong_header", detail, lines.number)
    else:
        lines.begin_row(first)
    line, names = next(_rows(lines, layout.delimiter), (lines.number, []))
    if isinstance(names, Fault):
        raise UnreadableFileError("wrong_header", f"the header cannot be read: {names.detail}", line)
    clean = [name.removeprefix("\ufeff") for name in names]
    return ["", *clean] if _has_row_numbers(lines, layout, len(clean)) else clean, lines


def _has_row_numbers(lines: _Lines, layout: Layout, n_names: int) -> bool:
    """Return whether rows begin with their number, for which the header has no name, as R and pandas write tables.

    Numbers may have gaps and begin anew, as rows were left out or put together. Where a value too many has another
    cause, such as a decimal comma, a value that is no date stands in the column of the date.
    """
    if "date" not in layout.columns or layout.date_format == "excel":
        return False
    _, values = next(_rows(lines, layout.delimiter), (0, []))
    lines.begin_row(*lines.of_row)
    return isinstance(values, list) and len(values) == n_names + 1 and values[0].isdecimal() and values[-1] != ""


def _codec(encoding: str) -> str:
    return UTF8 if encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig") else encoding


def _as_utf8(content: bytes, layout: Layout) -> bytes:
    codec = _codec(layout.encoding)
    return content if codec == UTF8 else content.decode(codec).encode()


def _require_encoding(content: bytes, layout: Layout) -> None:
    """Refuse UTF-8 that is declared to be of one byte a character: it would be read as other characters.

    Raises:
        UnreadableFileError: the content is UTF-8, and not declared so.
    """
    codec = _codec(layout.encoding)
    if codec == UTF8 or len("é".encode(codec, "replace")) != 1 or content.isascii():
        return
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return
    detail = f"the file is UTF-8, and its layout says {layout.encoding}: correct the layout"
    raise UnreadableFileError("wrong_encoding", detail)


def _rows(lines: _Lines, delimiter: str) -> _RowsOfLines:
    """Give the first line of each row with its values, or with what is wrong with it; empty rows are none."""
    lines.begin_row()
    reader = csv.reader(iter(lines), delimiter=delimiter, strict=True)
    while True:
        try:
            for values in reader:
                if any(values):
                    line = lines.number - len(lines.of_row) + 1
                    is_cut = values[-1] == "" and lines.row_is_cut
                    yield line, Fault(line, "cut_row", ENDS_WITHIN) if is_cut else values
                lines.of_row.clear()
        except csv.Error as error:
            # What follows the line of a quote that is never closed is read as rows of their own.
            lines.put_back()
            yield lines.number, Fault(lines.number, "unreadable_row", f"{error}: correct the quotes")
            lines.begin_row()
            reader = csv.reader(iter(lines), delimiter=delimiter, strict=True)
        else:
            return
