"""Parquet files: columns of any type as text."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from forecasting.contracts.layout import Layout
from forecasting.storage.formats.columns import TEXT, FileColumns, UnreadableFileError, no_text
from forecasting.storage.formats.typed import text_of

# Line 1 stands for the header, as in a text file.
FIRST_LINE = 2


def header(content: bytes, layout: Layout) -> list[str]:
    """Return the names of the columns."""
    del layout  # a Parquet file says itself how it is written
    try:
        return list(pq.ParquetFile(pa.BufferReader(content)).schema_arrow.names)
    except Exception as error:  # whatever a damaged file makes the library raise
        raise _unreadable(error) from error


def read(
    content: bytes,
    layout: Layout,
    names: list[str],
    time_zone: str,
    most_rows: int | None,
    progress: Callable[[int], None],
) -> FileColumns:
    """Return columns of the file as text."""
    zone = ZoneInfo(time_zone)
    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read(columns=names).slice(0, most_rows)
        values = {name: _texts(table.column(name), layout, zone) for name in names}
    except Exception as error:  # invalid text and impossible dates raise errors of many families
        raise _unreadable(error) from error
    progress(table.num_rows)
    lines = pa.chunked_array([pa.array(range(FIRST_LINE, FIRST_LINE + table.num_rows), pa.int32())])
    decimals = frozenset(name for name in names if _is_decimal(table.schema.field(name).type))
    return FileColumns(values, lines, decimals=decimals)


def _unreadable(error: Exception) -> UnreadableFileError:
    said = (str(error).splitlines() or [type(error).__name__])[0]
    return UnreadableFileError("unreadable_file", f"{said[:200]}: send the file again")


def _is_decimal(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _texts(column: pa.ChunkedArray, layout: Layout, zone: ZoneInfo) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_timestamp(kind):
        if kind.tz is not None:
            column = pc.local_timestamp(column.cast(pa.timestamp(kind.unit, str(zone))))
        column = column.cast(pa.date32(), safe=False)
    if pa.types.is_integer(kind):
        return no_text(column)
    if pa.types.is_floating(kind) and not pa.types.is_float64(kind):
        # The shortest text that is this number, 2.14 and not 2.140000104904175.
        column = pc.cast(column.cast(pa.float32()).cast(TEXT), pa.float64())
    if not _is_text(kind):
        return _by_value(column, layout, zone)
    texts = no_text(column)
    texts.validate(full=True)
    return texts


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def _by_value(column: pa.ChunkedArray, layout: Layout, zone: ZoneInfo) -> pa.ChunkedArray:
    """Return texts; each distinct value is written once."""
    try:
        encoded = column.combine_chunks().dictionary_encode()
    except pa.ArrowNotImplementedError:
        return pa.chunked_array([pa.array([text_of(value, layout, zone) for value in column.to_pylist()], TEXT)])
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    texts = pa.array([text_of(value, layout, zone) for value in encoded.dictionary.to_pylist()], TEXT)
    return pa.chunked_array([texts.take(encoded.indices).fill_null("")])
