"""The inbox: lists the files that stores drop, waits until they are complete, and reads them."""

import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa

from forecasting.clock import now
from forecasting.contracts.layout import Layout
from forecasting.contracts.orange_juice import LAYOUTS
from forecasting.contracts.panel_definition import ORANGE_JUICE, PanelDefinition
from forecasting.storage.backends import Entry, Kind
from forecasting.storage.file_week import last_week
from forecasting.storage.formats import Fault
from forecasting.storage.location import Location
from forecasting.storage.reader import declared_week, fault_rows, fits, read_rows

# A file that was changed more recently may still be incomplete.
SECONDS_UNTOUCHED = 2.0
MOST_SECONDS_AWAITED = 10.0
SECONDS_BETWEEN_LOOKS = 0.1
MOST_FILES_NAMED = 3
UNREAD = {
    Kind.LINK: "is a link, and is not read; put the file itself into the inbox",
    Kind.FOLDER: "is a folder, and is not read; put its files into the inbox itself",
    Kind.OTHER: "is no regular file, and is not read; remove it",
}
MOST_WEEKS_REMEMBERED = 10_000

# The weeks of files whose names declare none, by the file's path and stamp, and by how it was read.
_weeks_read: dict[tuple[str, str, str], date | None] = {}


@dataclass(frozen=True)
class InboxFile:
    """A file of the inbox.

    week: the sales week that its name declares, else the last one of which it has units; None for a file of plans, and
        for one that is not as any layout says.
    entry: size, time of the last change and stamp, as it was listed.
    sha256: of the bytes that were read; None where nothing was read yet, or nothing needed to be.
    """

    place: Location
    week: date | None
    entry: Entry | None = None
    sha256: str | None = None

    @property
    def name(self) -> str:
        """The file's name as text, whatever bytes it is made of."""
        return _shown(self.place.name)

    @property
    def stamp(self) -> str | None:
        """What differs whenever its content differs; None where it is gone."""
        return self.entry.stamp if self.entry else None


class FileNotes:
    """Sentences about files: one for all files with the same problem."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = defaultdict(list)

    def add(self, problem: str, name: str) -> None:
        self._names[problem].append(_shown(name))

    def all(self) -> list[str]:
        return [f"{_listed(names)}: {problem}." for problem, names in self._names.items()]


def list_inbox(
    folder: Location, definition: PanelDefinition = ORANGE_JUICE, layouts: Sequence[Layout] = LAYOUTS
) -> list[InboxFile]:
    """Return the files of the inbox, by name, without hidden files, which are still being written.

    A file whose name declares no week is read for it, once as long as it does not change.
    """
    files = [entry for entry in folder.children() if entry.kind is Kind.FILE and not entry.name.startswith(".")]
    return [_listed_file(folder / entry.name, entry, definition, layouts) for entry in files]


def unread_entries(folder: Location) -> list[str]:
    """Return sentences about what lies in the inbox and is no file to read; hidden entries are left out."""
    notes = FileNotes()
    for entry in folder.children():
        if entry.kind in UNREAD and not entry.name.startswith("."):
            notes.add(UNREAD[entry.kind], entry.name)
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


def read_inbox(
    files: Sequence[InboxFile],
    definition: PanelDefinition,
    layouts: Sequence[Layout],
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[list[InboxFile], pd.DataFrame, list[str]]:
    """Read all lines of `files` as text.

    Args:
        files: of the inbox.
        definition: what their rows hold.
        layouts: how files arrive.
        progress: called with the number of rows read since its last call.

    Returns:
        The files that exist, each with the SHA-256 of what was read; their lines, one row a line, `raw_columns`, whose
        columns `rule` and `detail` say why a line cannot be read; and sentences about the files.
    """
    found: list[InboxFile] = []
    unread: list[pa.Table] = []

    def contents() -> Iterator[tuple[str, bytes]]:
        for file in files:
            if not fits(file.place.name, layouts):
                found.append(file)
                yield file.name, b""
                continue
            try:
                content = file.place.read_bytes()
            except FileNotFoundError:
                continue  # somebody removed it after the inbox was listed
            except OSError as error:
                found.append(replace(file, sha256="unread"))
                fault = Fault(1, "unreadable_file", f"{error.strerror}: let the forecast's user read it")
                unread.append(fault_rows(file.name, [fault], definition, week=file.week))
                continue
            found.append(replace(file, sha256=hashlib.sha256(content).hexdigest()))
            yield file.name, content

    read = read_rows(contents(), definition, layouts, progress=progress)
    rows = [read.frame, *(table.to_pandas() for table in unread)]
    return found, pd.concat(rows, ignore_index=True) if unread else read.frame, list(read.notes)


def _listed_file(place: Location, entry: Entry, definition: PanelDefinition, layouts: Sequence[Layout]) -> InboxFile:
    week = declared_week(place.name, layouts, definition.week_starts_on)
    if week or not fits(place.name, layouts):
        return InboxFile(place, week, entry)
    today = now().astimezone(ZoneInfo(definition.time_zone)).date()
    key = (str(place), entry.stamp, repr((layouts, definition.week_starts_on, definition.time_zone, today)))
    if key not in _weeks_read:
        try:
            content = place.read_bytes()
        except OSError:
            return InboxFile(place, None, entry)  # its reader says why
        if len(_weeks_read) >= MOST_WEEKS_REMEMBERED:
            _weeks_read.clear()
        _weeks_read[key] = last_week(place.name, content, definition, layouts, today)
    return InboxFile(place, _weeks_read[key], entry)


def _shown(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_FILES_NAMED
    return ", ".join(names[:MOST_FILES_NAMED]) + (f" and {more} more" if more > 0 else "")


def _is_fresh(file: InboxFile, moment: float) -> bool:
    # A time far in the future was set by hand, and does not say when the file was written.
    return file.entry is not None and abs(moment - file.entry.changed) < SECONDS_UNTOUCHED
