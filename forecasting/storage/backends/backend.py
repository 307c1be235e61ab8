"""What is required of a place that holds a lake: whole objects by key, and none of what only some places can do.

No hard link, no lock of the operating system, no rename from one device to another.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol


class Kind(StrEnum):
    """What lies under a name."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


@dataclass(frozen=True)
class Entry:
    """What lies under a key.

    key: the whole key, parts separated by `/`.
    size: bytes; 0 of a folder.
    changed: when it was written last, seconds since 1970 by the clock of the place; 0 of a folder of a bucket.
    stamp: differs whenever the content differs; empty of a folder.
    """

    key: str
    kind: Kind
    size: int = 0
    changed: float = 0.0
    stamp: str = ""

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition("/")[2]


class Backend(Protocol):
    """A folder or a bucket. Keys are relative, their parts separated by `/`.

    A reader finds an object whole, as it was before a write or after it. Only where a file system does not rename in
    one step, as exFAT by FUSE, it may not find it for the moment in which it is replaced.

    Every method raises FileNotFoundError where it needs an object that is not there, PermissionError where it is not
    allowed, and another OSError, with a sentence in `strerror`, where the place does not answer or refuses.
    """

    @property
    def url(self) -> str:
        """Return the address of its root, for people and for other processes: no secret is in it."""
        ...

    def path(self, key: str) -> Path | None:
        """Return the path of a key for programs that read files; None where the place has no file system."""
        ...

    def get(self, key: str) -> bytes:
        """Return the content of a regular file or object; a link is refused."""
        ...

    def open(self, key: str) -> BinaryIO:
        """Open an object to read parts of it."""
        ...

    def put(self, key: str, content: bytes) -> None:
        """Write a whole object in one step, over what is there."""
        ...

    def create(self, key: str, content: bytes) -> bool:
        """Write a whole object in one step if none is there; return whether it was written. One of several wins."""
        ...

    def writer(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Write an object that is too large for memory: it is there, whole, once the `with` block has ended well."""
        ...

    def find(self, key: str) -> Entry | None:
        """Return the object of this key; None where there is none."""
        ...

    def children(self, key: str) -> list[Entry]:
        """Return what lies directly under a key, by name; also hidden names."""
        ...

    def walk(self, key: str) -> list[Entry]:
        """Return all files under a key, by key; without those that have a hidden name (`.…`) on their way."""
        ...

    def make_folder(self, key: str) -> None:
        """Make a folder; do nothing where it is there, or where the place has no folders."""
        ...

    def move(self, key: str, target: str) -> None:
        """Move an object, over one that is there; a place that cannot do that in one step copies it first."""
        ...

    def tidy(self) -> None:
        """Remove what writers have left that died long ago."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object, or all objects under a key; do nothing where there is none."""
        ...
