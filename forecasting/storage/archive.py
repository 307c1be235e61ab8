"""The archive: a copy of every inbox file that a run has collected, byte for byte as the run read it.

    <root>/<cutoff>/<name>           the copy; a second file of that name is <stem>.2<suffix>
    <root>/<cutoff>.json             for every copy: the file's name in the inbox, its SHA-256 and its stamp
    <root>/left_in_inbox.json        collected files that could not be moved out of the inbox
    <inbox>/.taken/<cutoff>/<name>   the collected file itself, for a day

A sender may still have a file open when it is collected. The file is therefore copied, and then moved within the
inbox's own file system, where it still receives what the sender writes late; `return_changed` finds such files.
"""

import errno
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import PurePosixPath

from forecasting.clock import now
from forecasting.contracts.layout import Layout
from forecasting.contracts.orange_juice import LAYOUTS
from forecasting.contracts.panel_definition import ORANGE_JUICE, PanelDefinition
from forecasting.storage.backends import Entry
from forecasting.storage.files import json_if_any, sha256_of, write_json
from forecasting.storage.inbox import FileNotes, InboxFile, list_inbox
from forecasting.storage.location import Location

SECONDS_KEPT = 24 * 3600


@dataclass(frozen=True)
class _Copy:
    """The copy of a collected file.

    cutoff, copy: the folder of the copy, and its name there.
    file: the file's name in the inbox.
    sha256, stamp: of the file that was copied; None where the manifest does not list the copy.
    taken: when it was copied, seconds since 1970.
    """

    cutoff: str
    copy: str
    file: str
    sha256: str | None = None
    stamp: str | None = None
    taken: float = 0.0


class Archive:
    """Moves collected files from an inbox into an archive, and back."""

    def __init__(self, root: Location, inbox: Location) -> None:
        self._root = root
        self._inbox = inbox
        self._taken = inbox / ".taken"

    def folder(self, cutoff: date) -> Location:
        return self._root / str(cutoff)

    def files(self, cutoff: date) -> list[Location]:
        """Return the copies of the files that runs of `cutoff` have collected, by name."""
        return self.folder(cutoff).files()

    def waiting(
        self, definition: PanelDefinition = ORANGE_JUICE, layouts: Sequence[Layout] = LAYOUTS
    ) -> list[InboxFile]:
        """Return the files of the inbox that no run has collected, by name."""
        left = self._left()
        files = list_inbox(self._inbox, definition, layouts)
        return [file for file in files if not _is_as(file, left.get(file.place.name))]

    def clock(self) -> float:
        """Return the time by the clock of the inbox's file system, in seconds since 1970."""
        probe = self._taken / ".clock"
        try:
            probe.write_bytes(b"")
            found = probe.find()
        except OSError:
            found = None
        return found.changed if found else now().timestamp()

    def take(self, cutoff: date, files: Iterable[InboxFile]) -> list[str]:
        """Archive files whose rows are in the lake, and move them out of the inbox.

        A file that has changed since it was read stays. A file that cannot be moved counts as collected until its
        content changes. Where the process dies in here, the next run reads the files that are still in the inbox
        again, and drops their rows as duplicates.

        Returns:
            A sentence for each reason why files are still in the inbox.
        """
        said = FileNotes()
        manifest, copied = self._manifest(str(cutoff)), {}
        names = {copy.name for copy in self.files(cutoff)}
        for file in files:
            try:
                found = file.place.find()
                copy, digest = self._copy(cutoff, file, names)
            except FileNotFoundError:
                continue  # somebody removed it after it was read
            except _ChangedError:
                said.add("changed since it was read, and is read again by the next run", file.place.name)
            except OSError as error:
                remedy = f"let the forecast's user read the file and write {self.folder(cutoff)}"
                problem = f"could not be archived ({error.strerror}), and is read again by the next run"
                said.add(f"{problem}; {remedy}", file.place.name)
            else:
                copied[copy] = file
                names.add(copy)
                stamp, taken = found.stamp if found else None, now().timestamp()
                manifest[copy] = _Copy(str(cutoff), copy, file.place.name, digest, stamp, taken)
        if copied:
            write_json(self._manifest_path(str(cutoff)), {name: asdict(each) for name, each in manifest.items()})
        left = self._left()
        for name, file in copied.items():
            try:
                self._move_aside(manifest[name])
            except FileNotFoundError:
                continue
            except OSError as error:
                left[file.place.name] = manifest[name]
                problem = f"could not be moved out of the inbox ({error.strerror})"
                remedy = f"let the forecast's user write {self._inbox}, or remove the file"
                so_far = "it is remembered as collected, and read again only if its content changes"
                said.add(f"{problem}: {so_far}; {remedy}", file.place.name)
        self._write_left(left)
        return said.all()

    def return_changed(self) -> list[str]:
        """Put files that were changed after a run had read them back into the inbox; remove the others after a day.

        Files that an earlier run could not move out of the inbox are moved now, if possible.

        Returns:
            A sentence for each thing that happened to changed files.
        """
        self._retry_left()
        said = FileNotes()
        waiting = set(self._inbox.names())
        taken = self._taken.walk()
        moment = self.clock() if taken else 0.0
        for entry in taken:
            held = self._taken.at(entry)
            cutoff = held.parent.name
            record = self._manifest(cutoff).get(held.name, _Copy(cutoff, held.name, held.name))
            name = record.file
            late = f"was changed after a run of {cutoff} had read it"
            try:
                if _is_as(InboxFile(held, None, entry), record):
                    self._drop_old(entry, record, moment)
                elif name in waiting or self._newest(name) not in (None, (cutoff, held.name)):
                    said.add(f"{late}; that is not taken in, as a newer file of that name has come", name)
                    self._drop_old(entry, record, moment)
                else:
                    held.move(self._inbox / name)
                    said.add(f"{late}, as its sender was still writing it; it is in the inbox again to be read", name)
            except OSError as error:
                said.add(f"{late}, and could not be put back ({error.strerror}); move it from {held.parent}", name)
        return said.all()

    def bring_back(self, name: str) -> bool:
        """Put a copy of the newest archived file of that name into the inbox, unless one is there already.

        Returns:
            Whether such a file waits in the inbox now.
        """
        target = self._inbox / PurePosixPath(name).name
        left = self._left()
        if left.pop(target.name, None):
            self._write_left(left)
        if (newest := self._newest(target.name)) and not target.exists():
            cutoff, copy = newest
            target.write_bytes((self._root / cutoff / copy).read_bytes())
        return target.exists()

    def _copy(self, cutoff: date, file: InboxFile, names: Set[str]) -> tuple[str, str]:
        """Copy a file that has not changed since it was read; return the copy's name and its SHA-256.

        names: of the copies that are there.
        """
        content = file.place.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if file.sha256 not in (None, digest):
            raise _ChangedError
        name, stem, suffix = file.place.name, file.place.stem, file.place.suffix
        copy, last, number = name, "", 1
        while copy in names:
            number += 1
            last, copy = copy, f"{stem}.{number}{suffix}"
        folder = self.folder(cutoff)
        if last and digest == sha256_of(folder / last) and not self._held(str(cutoff), last).exists():
            return last, digest  # a run that died before it moved the file has made this copy
        (folder / copy).write_bytes(content)
        return copy, digest

    def _move_aside(self, record: _Copy) -> None:
        file, held = self._inbox / record.file, self._held(record.cutoff, record.copy)
        try:
            file.move(held)
        except OSError as error:
            # Some file systems that combine several others cannot move a file between these.
            if error.errno != errno.EXDEV or sha256_of(file) != record.sha256:
                raise
            file.delete()

    def _held(self, cutoff: str, copy: str) -> Location:
        return self._taken / cutoff / copy

    def _drop_old(self, held: Entry, record: _Copy, moment: float) -> None:
        if moment - max(held.changed, record.taken) > SECONDS_KEPT:
            place = self._taken.at(held)
            place.delete()
            if not place.parent.children():
                place.parent.delete()

    def _newest(self, name: str) -> tuple[str, str] | None:
        """Return the cutoff and the name of the newest copy of that file."""
        stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
        numbered = re.compile(re.escape(stem) + r"(?:\.(\d+))?" + re.escape(suffix))
        copies = [
            (copy.parent.name, int(match[1] or 1), copy.name)
            for copy in map(self._root.at, self._root.walk())
            if (match := numbered.fullmatch(copy.name))
        ]
        if not copies:
            return None
        cutoff, _, copy_name = max(copies)
        return cutoff, copy_name

    def _manifest(self, cutoff: str) -> dict[str, _Copy]:
        return _read_copies(self._manifest_path(cutoff))

    def _manifest_path(self, cutoff: str) -> Location:
        return self._root / f"{cutoff}.json"

    def _left(self) -> dict[str, _Copy]:
        return _read_copies(self._root / "left_in_inbox.json")

    def _write_left(self, left: Mapping[str, _Copy]) -> None:
        if left != self._left():
            write_json(self._root / "left_in_inbox.json", {name: asdict(each) for name, each in left.items()})

    def _retry_left(self) -> None:
        left = self._left()
        for name, record in list(left.items()):
            place = self._inbox / name
            if not _is_as(InboxFile(place, None, place.find()), record):
                del left[name]  # it was removed, or has new content to be read
                continue
            with suppress(OSError):
                self._move_aside(record)
                del left[name]
        self._write_left(left)


def _read_copies(place: Location) -> dict[str, _Copy]:
    return {name: _Copy(**fields) for name, fields in (json_if_any(place) or {}).items()}


class _ChangedError(Exception):
    """A file has changed since it was read."""


def _is_as(file: InboxFile, record: _Copy | None) -> bool:
    """Return whether a file still has the content that was copied. It is read only where its stamp has changed."""
    if record is None or file.entry is None or record.sha256 is None:
        return False
    if file.stamp == record.stamp:
        return True
    try:
        return sha256_of(file.place) == record.sha256
    except OSError:
        return False
