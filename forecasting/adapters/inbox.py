"""The inbox: files that stores drop, read as a hard contract and typed by nobody but the validation.

A file is named `<week>_store-<number>.csv` (or `.parquet`), by the first day of its sales week; a daily file
`<date>_store-<number>.csv`. CSV is UTF-8, comma separated, quoted by `"`, with exactly the declared header.
"""

import csv
import io
import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forecasting.inspection import RAW_COLUMNS, no_rows
from forecasting.schemas import DAILY_INBOX_COLUMNS, INBOX_COLUMNS
from forecasting.weeks import THURSDAY, week_of

FILE_NAME = re.compile(r"(?P<day>(?:19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2})_store-[0-9]{1,9}\.(?:csv|parquet)")
VALUES = ["store", "brand", "week_or_date", "units", "price", "deal", "feat"]


@dataclass(frozen=True)
class InboxFile:
    """A file of the inbox and the sales week that its name declares; no week where the name is not as declared."""

    path: Path
    week: date | None
    stamp: tuple[int, int, int] | None = None

    @property
    def name(self) -> str:
        """The file's name as text, whatever bytes it is made of."""
        return os.fsencode(self.path.name).decode("utf-8", "backslashreplace")

    @property
    def is_unchanged(self) -> bool:
        """Whether it is still there as it was when the inbox was listed."""
        return self.stamp is not None and _stamp(self.path) == self.stamp


def list_inbox(folder: Path, week_starts_on: int = THURSDAY) -> list[InboxFile]:
    """The files of the inbox, by name. Hidden files are still being written and are left alone."""
    files = sorted(path for path in folder.glob("[!.]*") if path.is_file() and not path.is_symlink())
    return [InboxFile(path, _week_of_name(path.name, week_starts_on), _stamp(path)) for path in files]


def read_inbox(files: list[InboxFile]) -> pd.DataFrame:
    """All lines of `files` as text, one row a line, `RAW_COLUMNS`; what cannot be read says why."""
    records = [record for file in files for record in _read_file(file)]
    if not records:
        return no_rows()
    return pd.DataFrame(records, columns=RAW_COLUMNS)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _week_of_name(name: str, week_starts_on: int) -> date | None:
    match = FILE_NAME.fullmatch(name)
    if not match:
        return None
    try:
        return week_of(date.fromisoformat(match["day"]), week_starts_on)
    except ValueError:
        return None


def _read_file(file: InboxFile) -> list[dict[str, Any]]:
    if file.week is None:
        return [_fault(file, 1, "wrong_file_name", "name files <week>_store-<number>.csv or .parquet")]
    return _read_parquet(file) if file.path.suffix == ".parquet" else _read_csv(file)


def _read_csv(file: InboxFile) -> list[dict[str, Any]]:
    try:
        text = file.path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return []  # it was taken away since the inbox was listed
    except OSError as error:
        return [_fault(file, 1, "unreadable_file", f"{error.strerror}: let the forecast's user read it")]
    except UnicodeDecodeError as error:
        return [_fault(file, 1, "not_utf8", f"byte {error.start} is not UTF-8: save the file as UTF-8")]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records: list[dict[str, Any]] = []
    try:
        header = next(reader, [])
        if header not in (INBOX_COLUMNS, DAILY_INBOX_COLUMNS):
            return [_wrong_header(file, header)]
        for values in reader:
            if not values:
                continue  # an empty line holds no row
            if len(values) == len(header):
                records.append(_record(file, reader.line_num, header, values))
            else:
                found = f"{len(values)} values where {len(header)} are declared: send the whole line"
                records.append(_fault(file, reader.line_num, "cut_row", found))
    except csv.Error as error:
        records.append(_fault(file, reader.line_num, "unreadable_row", f"{error}: correct the quotes"))
    return records


def _read_parquet(file: InboxFile) -> list[dict[str, Any]]:
    try:
        table = pq.ParquetFile(file.path).read()
        header = table.column_names
        if header not in (INBOX_COLUMNS, DAILY_INBOX_COLUMNS):
            return [_wrong_header(file, header)]
        columns = [_texts(table.column(name)) for name in header]
    except FileNotFoundError:
        return []  # it was taken away since the inbox was listed
    except (pa.ArrowException, OSError) as error:
        return [_fault(file, 1, "unreadable_file", f"{str(error).splitlines()[0]}: send the file again")]
    rows = zip(*columns, strict=True)
    return [_record(file, number, header, list(values)) for number, values in enumerate(rows, start=2)]


def _texts(column: pa.ChunkedArray) -> list[str]:
    """Typed values in the form that the contract declares for text."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.date32())
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return [_text(value) for value in column.to_pylist()]


def _text(value: object) -> str:
    # A column of whole numbers with gaps comes from pandas as decimals.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _record(file: InboxFile, line: int, header: list[str], values: list[str]) -> dict[str, Any]:
    named = dict(zip(VALUES, values, strict=True))
    return _line(file, line, named, daily=header == DAILY_INBOX_COLUMNS)


def _fault(file: InboxFile, line: int, rule: str, detail: str) -> dict[str, Any]:
    return _line(file, line, dict.fromkeys(VALUES, ""), rule=rule, detail=detail)


def _wrong_header(file: InboxFile, header: list[str]) -> dict[str, Any]:
    expected = f"{','.join(INBOX_COLUMNS)} (or with `date` in the place of `week`)"
    return _fault(file, 1, "wrong_header", f"the header is {','.join(header)[:200]!r}, it must be {expected}")


def _line(
    file: InboxFile, line: int, values: dict[str, str], *, daily: bool = False, rule: str = "", detail: str = ""
) -> dict[str, Any]:
    return {
        **values,
        "file": file.name,
        "file_week": file.week,
        "line": line,
        "daily": daily,
        "rule": rule,
        "detail": detail,
    }
