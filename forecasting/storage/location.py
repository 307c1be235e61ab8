"""A place in a lake: a key of a backend, used as a path is."""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from forecasting.contracts.errors import OptionError
from forecasting.storage.backends import Backend, Bucket, Entry, Folder, Kind

SCHEMES = ("s3", "az", "gs")
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Location:
    """A file or folder of a lake, which may lie in a bucket; see `Backend` for what its methods promise.

    key: empty for the root.
    """

    backend: Backend
    key: str = ""

    def __truediv__(self, name: str) -> "Location":
        return Location(self.backend, f"{self.key}/{name}" if self.key else name)

    def __str__(self) -> str:
        """Return a path or URL for people."""
        if not self.key:
            return self.backend.url
        return str(Path(self.backend.url) / self.key) if self.path else f"{self.backend.url}/{self.key}"

    def __fspath__(self) -> str:
        """Return its path, for what opens files; a place in a bucket has none, and is a TypeError."""
        if not self.path:
            raise TypeError(f"{self} is in a bucket, not in a folder")
        return str(self.path)

    @property
    def name(self) -> str:
        return PurePosixPath(self.key).name

    @property
    def stem(self) -> str:
        return PurePosixPath(self.key).stem

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.key).suffix

    @property
    def parent(self) -> "Location":
        return Location(self.backend, self.key.rpartition("/")[0])

    @property
    def address(self) -> str:
        """Its absolute path, or its URL, for programs that open it from anywhere."""
        return str(self.path.resolve()) if self.path else str(self)

    @property
    def path(self) -> Path | None:
        """Where it lies in this machine's file system; None in a bucket."""
        return self.backend.path(self.key)

    def read_bytes(self) -> bytes:
        return self.backend.get(self.key)

    def read_text(self) -> str:
        return self.read_bytes().decode()

    def open(self) -> BinaryIO:
        """Open it to read parts of it."""
        return self.backend.open(self.key)

    def write_bytes(self, content: bytes) -> None:
        """Put the whole content in the place of what is there, in one step."""
        self.backend.put(self.key, content)

    def write_text(self, text: str) -> None:
        self.write_bytes(text.encode())

    def create(self, content: bytes) -> bool:
        """Write it if nothing is there; return whether it was written."""
        return self.backend.create(self.key, content)

    def writer(self) -> AbstractContextManager[BinaryIO]:
        """Write what is too large for memory; it is there, whole, once the `with` block has ended well."""
        return self.backend.writer(self.key)

    def find(self) -> Entry | None:
        """Return size, time and stamp; None where there is no such file."""
        return self.backend.find(self.key)

    def exists(self) -> bool:
        """Return whether there is such a file."""
        return self.find() is not None

    def stamp(self) -> str | None:
        """Return a text that differs whenever the content differs; None where there is no such file."""
        found = self.find()
        return found.stamp if found else None

    def children(self) -> list[Entry]:
        """Return what lies directly in it, by name, hidden names too."""
        return self.backend.children(self.key)

    def names(self) -> list[str]:
        """Return the names of what lies directly in it, sorted, hidden names too."""
        return [entry.name for entry in self.children()]

    def at(self, entry: Entry) -> "Location":
        """Return the place of what was listed here."""
        return Location(self.backend, entry.key)

    def make_folder(self) -> None:
        """Make it a folder into which others may write, where the place has folders."""
        self.backend.make_folder(self.key)

    def walk(self) -> list[Entry]:
        """Return all files in it and in its folders, by key, without hidden ones."""
        return self.backend.walk(self.key)

    def files(self, suffix: str = "") -> list["Location"]:
        """Return the files that lie directly in it, by name, without hidden ones."""
        return [
            self / entry.name
            for entry in self.children()
            if entry.kind is Kind.FILE and entry.name.endswith(suffix) and not entry.name.startswith(".")
        ]

    def move(self, target: "Location") -> None:
        """Move it to another place of the same backend."""
        self.backend.move(self.key, target.key)

    def delete(self) -> None:
        """Remove it, with all that is in it; do nothing where there is nothing."""
        self.backend.delete(self.key)


def local_file(path: Path) -> Location:
    """Return a file of this machine that is in no lake, such as one that a user names."""
    path = path.absolute()
    return Location(Folder(path.parent), path.name)


def open_location(text: str | Path) -> Location:
    """Return the place that a path or URL names.

    Raises:
        OptionError: the URL is of no known kind, or has credentials in it.
    """
    found = _URL.fullmatch(str(text))
    if not found:
        return Location(Folder(Path(text)))
    scheme, rest = found[1].lower(), found[2]
    if scheme == "file":
        return Location(Folder(Path(rest)))
    remedy = "name a folder, or a URL such as s3://bucket/prefix, az://container/prefix or gs://bucket/prefix"
    if scheme not in SCHEMES:
        raise OptionError(f"lake={scheme}://…", "is of no known kind", remedy)
    if any(sign in rest for sign in "@?#"):
        # Not shown: what stands there may be a password or a signature.
        raise OptionError(f"lake={scheme}://…", "has more in it than a bucket and a prefix", remedy)
    if not rest.strip("/"):
        raise OptionError(f"lake={text}", "names no bucket", remedy)
    try:
        return Location(Bucket(f"{scheme}://{rest}"))
    except (OSError, ValueError) as error:
        raise OptionError(f"lake={text}", f"cannot be used ({error})", remedy) from error
