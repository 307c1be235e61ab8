"""A folder of a file system, local or a share: objects are files, written aside and renamed."""

import errno
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from forecasting.storage.backends.backend import Entry, Kind

# Unfinished files lie in this folder of the root: no reader's pattern over `published` finds them.
UNFINISHED = ".unfinished"
SECONDS_UNFINISHED = 24 * 3600


class Folder:
    """A backend whose keys are paths under a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._shown = str(root)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Folder) and self._root == other._root

    def __hash__(self) -> int:
        return hash(self._root)

    @property
    def url(self) -> str:
        """The path of the folder, as it was given."""
        return self._shown

    def path(self, key: str) -> Path:
        """Return the path of a key."""
        return self._root / key if key else self._root

    def get(self, key: str) -> bytes:
        """Return the content of a regular file; a link, a pipe or a device is refused, whoever put it there."""
        with self.open(key) as file:
            return file.read()

    def open(self, key: str) -> BinaryIO:
        """Open a regular file to read parts of it."""
        path = self.path(key)
        # A pipe would be waited for without O_NONBLOCK, and a link could name any file of this user.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise OSError(errno.EINVAL, "is no regular file", str(path))
        return os.fdopen(handle, "rb")

    def put(self, key: str, content: bytes) -> None:
        """Write a whole file in one step."""
        with self.writer(key) as file:
            file.write(content)

    def create(self, key: str, content: bytes) -> bool:
        """Write a small file if none is there. Its name is taken in one step; the content follows at once."""
        path = self.path(key)
        self._make(path.parent)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            return False
        with os.fdopen(handle, "wb") as file:
            _open_as(path.parent, file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(path.parent)
        return True

    @contextmanager
    def writer(self, key: str) -> Iterator[BinaryIO]:
        """Write a file aside; rename it to its key once the `with` block has ended well."""
        path = self.path(key)
        self._make(path.parent)
        handle, name = tempfile.mkstemp(dir=self._aside(key), prefix=".", suffix=".tmp")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                _open_as(path.parent, file.fileno())
                os.fsync(file.fileno())
            _rename(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)

    def find(self, key: str) -> Entry | None:
        """Return the regular file of this key."""
        try:
            found = self.path(key).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        entry = _entry(key, found)
        return entry if entry.kind is Kind.FILE else None

    def children(self, key: str) -> list[Entry]:
        """Return what lies directly under a key, by name."""
        found = []
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(self.path(key)) as entries:
            for each in entries:
                with suppress(FileNotFoundError):  # somebody removed it since
                    found.append(_entry(_joined(key, each.name), each.stat(follow_symlinks=False)))
        return sorted(found, key=lambda entry: entry.key)

    def walk(self, key: str) -> list[Entry]:
        """Return all files under a key, by key."""
        found: list[Entry] = []
        for entry in self.children(key):
            if entry.name.startswith("."):
                continue
            if entry.kind is Kind.FOLDER:
                found += self.walk(entry.key)
            elif entry.kind is Kind.FILE:
                found.append(entry)
        return sorted(found, key=lambda entry: entry.key)

    def make_folder(self, key: str) -> None:
        """Make a folder, with the mode of the one that it lies in."""
        self._make(self.path(key))

    def move(self, key: str, target: str) -> None:
        """Rename a file; it keeps its content also for a sender that is still writing it."""
        path = self.path(target)
        self._make(path.parent)
        self.path(key).rename(path)

    def delete(self, key: str) -> None:
        """Remove a file, or a folder with all that is in it."""
        path = self.path(key)
        with suppress(FileNotFoundError):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def tidy(self) -> None:
        """Remove what writers have left that died a day ago or earlier."""
        old = time.time() - SECONDS_UNFINISHED
        for entry in self.children(UNFINISHED):
            if entry.changed < old:
                self.delete(entry.key)

    def _make(self, folder: Path) -> None:
        """Make a folder where it is missing; below the root with the mode of the one that it lies in."""
        if folder.is_dir():
            return
        if folder == self._root:
            folder.mkdir(parents=True, exist_ok=True)
            return
        self._make(folder.parent)
        with suppress(FileExistsError):  # another process was faster; a file of that name is told by what comes next
            folder.mkdir()
            with suppress(PermissionError):
                folder.chmod(stat.S_IMODE(folder.parent.stat().st_mode))

    def _aside(self, key: str) -> Path:
        if "/" not in key:
            return self._root
        aside = self._root / UNFINISHED
        self._make(aside)
        return aside


def _entry(key: str, found: os.stat_result) -> Entry:
    mode = found.st_mode
    if stat.S_ISDIR(mode):
        return Entry(key, Kind.FOLDER, changed=found.st_mtime)
    kind = Kind.FILE if stat.S_ISREG(mode) else Kind.LINK if stat.S_ISLNK(mode) else Kind.OTHER
    stamp = f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"
    return Entry(key, kind, found.st_size, found.st_mtime_ns / 1e9, stamp)


def _open_as(folder: Path, handle: int) -> None:
    """Let those read and write a file who may do so in its folder: its owner alone, or its group too."""
    with suppress(PermissionError):  # not every file system has modes
        os.fchmod(handle, stat.S_IMODE(folder.stat().st_mode) & 0o664)


def _rename(temporary: Path, path: Path) -> None:
    """Rename a file; where the folder of `path` is mounted from another device, copy it there first."""
    try:
        temporary.replace(path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".tmp", delete=False) as file:
            shutil.copyfile(temporary, file.name)
            with suppress(PermissionError):  # not every file system has modes
                shutil.copymode(temporary, file.name)
            os.fsync(file.fileno())
        Path(file.name).replace(path)


def _joined(key: str, name: str) -> str:
    return f"{key}/{name}" if key else name


def _sync_folder(folder: Path) -> None:
    """Wait until a folder's list of files is on the disk, where its file system can do that."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # shares cannot
            os.fsync(handle)
    finally:
        os.close(handle)
