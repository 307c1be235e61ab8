"""Text files in which each line is a row: a fast reader of what almost all large files are.

It gives exactly what the reader of any text file gives, or nothing where it cannot be sure of that.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from forecasting.contracts.layout import Layout
from forecasting.storage.formats.columns import TEXT, FileColumns


def read_plain(
    content: bytes, layout: Layout, n_columns: int, places: dict[str, int], header_ends: int
) -> FileColumns | None:
    """Return columns of a file whose lines are its rows; None where a line may be anything else.

    Args:
        content: in UTF-8.
        layout: declares the delimiter.
        n_columns: number of columns of the header.
        places: place of each wanted column.
        header_ends: last line of the header.
    """
    if not layout.delimiter.isascii() or content.count(b"\r") != content.count(b"\r\n"):
        return None
    if content.count(b"\n") < header_ends:
        return None
    body = _after_lines(content, header_ends)
    if b'"' in body and b'"' in _quoted_value(layout.delimiter).sub(b"", body):
        return None  # a quote that neither opens nor closes a value: readers differ about its meaning
    names = [str(place) for place in range(n_columns)]
    try:
        table = csv.read_csv(
            pa.py_buffer(body),
            csv.ReadOptions(column_names=names),
            csv.ParseOptions(delimiter=layout.delimiter, ignore_empty_lines=False),
            csv.ConvertOptions(
                column_types=dict.fromkeys(names, TEXT), include_columns=[names[place] for place in places.values()]
            ),
        )
    except pa.ArrowInvalid:
        return None
    n_lines = body.count(b"\n") + (not body.endswith(b"\n"))
    columns = table.columns
    may_be_cut = body.endswith((layout.delimiter.encode(), b'""'))
    if table.num_rows != n_lines or may_be_cut or _has_empty_row(columns):
        return None
    lines = pa.chunked_array([pa.array(range(header_ends + 1, header_ends + 1 + n_lines), pa.int32())])
    return FileColumns(dict(zip(places, columns, strict=True)), lines)


def _after_lines(content: bytes, n_lines: int) -> bytes:
    start = 0
    for _ in range(n_lines):
        start = content.index(b"\n", start) + 1
    return content[start:]


def _quoted_value(delimiter: str) -> re.Pattern[bytes]:
    """A quoted value within a line, from the delimiter before it to that after it."""
    end = rb"\r\n" + re.escape(delimiter.encode())
    return re.compile(rb"(?:(?<=[" + end + rb'])|\A)"(?:[^"\r\n]|"")*+"(?=[' + end + rb"]|\Z)")


def _has_empty_row(columns: list[pa.ChunkedArray]) -> bool:
    is_empty = pc.equal(columns[0], "")
    for column in columns[1:]:
        is_empty = pc.and_(is_empty, pc.equal(column, ""))
    return bool(pc.any(is_empty).as_py())
