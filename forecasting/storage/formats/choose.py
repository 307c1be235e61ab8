"""The format of a file, by the first bytes of its content, else by its name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from forecasting.contracts.layout import Layout
from forecasting.storage.formats import parquet, text, workbook
from forecasting.storage.formats.columns import FileColumns

PARQUET_MAGIC = b"PAR1"
WORKBOOK_MAGICS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True)
class Format:
    """How a format is read.

    header: gives the names of the columns. Raises UnreadableFileError.
    read: gives the texts of some columns; `time_zone` is that of dates, `most_rows` where to stop, and `progress` is
        called with the number of rows read since its last call. Raises UnreadableFileError.
    """

    name: str
    header: Callable[[bytes, Layout], list[str]]
    read: Callable[[bytes, Layout, list[str], str, int | None, Callable[[int], None]], FileColumns]


TEXT_FILE = Format("text", text.header, text.read)
PARQUET_FILE = Format("Parquet", parquet.header, parquet.read)
WORKBOOK = Format("workbook", workbook.header, workbook.read)
BY_SUFFIX = {
    **dict.fromkeys((".parquet", ".pq"), PARQUET_FILE),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), WORKBOOK),
}


def format_of(name: str, content: bytes) -> Format:
    """Return the format of a file."""
    if content.startswith(PARQUET_MAGIC):
        return PARQUET_FILE
    if content.startswith(WORKBOOK_MAGICS):
        return WORKBOOK
    return BY_SUFFIX.get(PurePath(name).suffix.lower(), TEXT_FILE)
