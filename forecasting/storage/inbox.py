"""The inbox: reads the files that stores drop, as text; the validation gives the values their types.

A file is named `<week>_store-<number>.csv` (or `.parquet`), by the first day of its sales week; a daily file
`<date>_store-<number>.csv`. CSV is UTF-8, comma separated, quoted by `"`, with exactly the declared header.
"""

import csv
import hashlib
import io
import os
import re
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forecasting.clock import now
from forecasting.contracts.calendar import THURSDAY, week_of
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.contracts.schemas import inbox_columns
from forecasting.core.inspection import no_rows, raw_columns

FILE_NAME = re.compile(r"(?P<day>(?:19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2})_store-[0-9]{1,9}\.(?:csv|parquet)")
# A file that was changed more recently may still be incomplete.
SECONDS_UNTOUCHED = 2.0
MOST_SECONDS_AWAITED = 10.0
SECONDS_BETWEEN_LOOKS = 0.1
MOST_FILES_NAMED = 3


# A line of a file as text, in the order of `raw_columns`.
_Line = tuple[object, ...]


@dataclass(frozen=True)
class InboxFile:
    """A file of the inbox.

    week: the sales week that its name declares; None where the name is not as declared.
    stamp: inode, size in bytes, and nanoseconds since 1970 when it was changed last, as it was listed.
    sha256: of the bytes that were read; None where nothing was read yet, or nothing needed to be.
    """

    path: Path
    week: date | None
    stamp: tuple[int, int, int] | None = None
    sha256: str | None = None

    @property
    def name(self) -> str:
        """The file's name as text, whatever bytes it is made of."""
        return _shown(self.path.name)


class FileNotes:
    """Sentences about files: one for all files with the same problem."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = defaultdict(list)

    def add(self, problem: str, name: str) -> None:
        self._names[problem].append(_shown(name))

    def all(self) -> list[str]:
        return [f"{_listed(names)}: {problem}." for problem, names in self._names.items()]


def list_inbox(folder: Path, week_starts_on: int = THURSDAY) -> list[InboxFile]:
    """Return the files of the inbox, by name, without hidden files, which are still being written."""
    files = sorted(path for path in folder.glob("[!.]*") if path.is_file() and not path.is_symlink())
    return [InboxFile(path, _week_of_name(path.name, week_starts_on), stamp_of(path)) for path in files]


def unread_entries(folder: Path) -> list[str]:
    """Return sentences about what lies in the inbox and is no file to read; hidden entries are left out."""
    notes = FileNotes()
    for path in sorted(folder.glob("[!.]*")):
        if path.is_symlink():
            notes.add("is a link, and is not read; put the file itself into the inbox", path.name)
        elif path.is_dir():
            notes.add("is a folder, and is not read; put its files into the inbox itself", path.name)
        elif not path.is_file() and path.exists():
            notes.add("is no regular file, and is not read; remove it", path.name)
    return notes.all()


def await_settled(
    list_files: Callable[[], list[InboxFile]], clock: Callable[[], float]
) -> tuple[list[InboxFile], list[InboxFile]]:
    """Wait until no file was changed for `SECONDS_UNTOUCHED`, but `MOST_SECONDS_AWAITED` at most, and list them.

    Args:
        list_files: lists the files as they are now.
        clock: gives the time by the clock of the files' file system, in seconds since 1970.

    Returns:
        The settled files, and those that were still being written at the end.
    """
    give_up = now() + timedelta(seconds=MOST_SECONDS_AWAITED)
    while True:
        files = list_files()
        moment = clock() if files else 0.0
        unsettled = [file for file in files if _is_fresh(file, moment)]
        if not unsettled or now() >= give_up:
            return [file for file in files if file not in unsettled], unsettled
        time.sleep(SECONDS_BETWEEN_LOOKS)


def read_inbox(files: list[InboxFile], definition: PanelDefinition) -> tuple[list[InboxFile], pd.DataFrame]:
    """Read all lines of `files` as text.

    Returns:
        The files that exist, each with the SHA-256 of what was read; and their lines, one row a line,
        `raw_columns`.
        The columns `rule` and `detail` say why a line cannot be read.
    """
    found: list[InboxFile] = []
    lines: list[_Line] = []
    for file in files:
        try:
            read, of_file = _read_file(file, definition)
        except FileNotFoundError:
            continue  # somebody removed it after the inbox was listed
        found.append(read)
        lines += of_file
    rows = pd.DataFrame(lines, columns=raw_columns(definition)) if lines else no_rows(definition)
    return found, rows


def stamp_of(path: Path) -> tuple[int, int, int] | None:
    """Return inode, size and moment of the last change; None where there is no such file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _shown(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_FILES_NAMED
    return ", ".join(names[:MOST_FILES_NAMED]) + (f" and {more} more" if more > 0 else "")


def _is_fresh(file: InboxFile, moment: float) -> bool:
    # A time far in the future was set by hand, and does not say when the file was written.
    return file.stamp is not None and abs(moment - file.stamp[2] / 1e9) < SECONDS_UNTOUCHED


def _week_of_name(name: str, week_starts_on: int) -> date | None:
    match = FILE_NAME.fullmatch(name)
    if not match:
        return None
    try:
        return week_of(date.fromisoformat(match["day"]), week_starts_on)
    except ValueError:
        return None


def _read_file(file: InboxFile, definition: PanelDefinition) -> tuple[InboxFile, list[_Line]]:
    if file.week is None:
        return file, [
            _fault(file, 1, "wrong_file_name", "name files <week>_store-<number>.csv or .parquet", definition)
        ]
    try:
        content = file.path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        fault = _fault(file, 1, "unreadable_file", f"{error.strerror}: let the forecast's user read it", definition)
        return replace(file, sha256="unread"), [fault]
    read = replace(file, sha256=hashlib.sha256(content).hexdigest())
    read_lines = _read_parquet if file.path.suffix == ".parquet" else _read_csv
    return read, read_lines(file, content, definition)


def _read_csv(file: InboxFile, content: bytes, definition: PanelDefinition) -> list[_Line]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [_fault(file, 1, "not_utf8", f"byte {error.start} is not UTF-8: save the file as UTF-8", definition)]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[_Line] = []
    try:
        header = next(reader, [])
        if header not in (inbox_columns(definition), inbox_columns(definition, "date")):
            return [_wrong_header(file, header, definition)]
        for values in reader:
            if not values:
                continue  # an empty line holds no row
            if len(values) == len(header):
                lines.append(_line(file, reader.line_num, header, values))
            else:
                found = f"{len(values)} values where {len(header)} are declared: send the whole line"
                lines.append(_fault(file, reader.line_num, "cut_row", found, definition))
    except csv.Error as error:
        lines.append(_fault(file, reader.line_num, "unreadable_row", f"{error}: correct the quotes", definition))
    return lines


def _read_parquet(file: InboxFile, content: bytes, definition: PanelDefinition) -> list[_Line]:
    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read()
        header = table.column_names
        if header not in (inbox_columns(definition), inbox_columns(definition, "date")):
            return [_wrong_header(file, header, definition)]
        columns = [_texts(table.column(name)) for name in header]
    except (pa.ArrowException, OSError) as error:
        return [_fault(file, 1, "unreadable_file", f"{str(error).splitlines()[0]}: send the file again", definition)]
    rows = zip(*columns, strict=True)
    return [_line(file, number, header, list(values)) for number, values in enumerate(rows, start=2)]


def _texts(column: pa.ChunkedArray) -> list[str]:
    """Return typed values in the form that the contract declares for text."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.date32())
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return [_text(value) for value in column.to_pylist()]


def _text(value: object) -> str:
    # pandas writes a column of whole numbers with gaps as decimals.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _line(file: InboxFile, line: int, header: list[str], values: list[str]) -> _Line:
    return file.name, file.week, line, "date" in header, *values, "", ""


def _fault(file: InboxFile, line: int, rule: str, detail: str, definition: PanelDefinition) -> _Line:
    """Return a line that cannot be read, with the reason."""
    return file.name, file.week, line, False, *("" for _ in inbox_columns(definition)), rule, detail


def _wrong_header(file: InboxFile, header: list[str], definition: PanelDefinition) -> _Line:
    expected = f"{','.join(inbox_columns(definition))} (or with `date` in the place of `week`)"
    found = f"the header is {','.join(header)[:200]!r}, it must be {expected}"
    return _fault(file, 1, "wrong_header", found, definition)
