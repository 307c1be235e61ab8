"""A bucket or container of an object store: S3, Azure Blob Storage, Google Cloud Storage, by `obstore`."""

import errno
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import from_url

from forecasting.storage.backends.backend import Entry, Kind

PART_BYTES = 8 << 20  # of an object that is uploaded in parts
READ_BYTES = 1 << 20  # that are asked for at once when parts of an object are read


class Bucket:
    """A backend whose keys are those of a bucket's objects, under the prefix of its URL.

    Credentials are those of the environment, or of the machine's role, as the platform's own tools take them.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        with _plain_errors(self._url):
            self._store: Any = from_url(self._url)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bucket) and self._url == other._url

    def __hash__(self) -> int:
        return hash(self._url)

    @property
    def url(self) -> str:
        """The URL of the prefix."""
        return self._url

    def path(self, key: str) -> Path | None:  # noqa: ARG002 - as every backend
        """Return None: there is no file system."""
        return None

    def get(self, key: str) -> bytes:
        """Return the content of an object."""
        with _plain_errors(self._of(key)):
            return obstore.get(self._store, key).bytes().to_bytes()

    def open(self, key: str) -> BinaryIO:
        """Open an object to read parts of it; where it is replaced meanwhile, reading on is an error."""
        with _plain_errors(self._of(key)):
            return io.BufferedReader(_ObjectParts(self._store, key, self._of(key)), READ_BYTES)

    def put(self, key: str, content: bytes) -> None:
        """Write a whole object in one step."""
        with _plain_errors(self._of(key)):
            obstore.put(self._store, key, content, use_multipart=False)

    def create(self, key: str, content: bytes) -> bool:
        """Write an object if none is there."""
        with _plain_errors(self._of(key)):
            try:
                obstore.put(self._store, key, content, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
        return True

    @contextmanager
    def writer(self, key: str) -> Iterator[BinaryIO]:
        """Upload an object in parts; it is there once the last part has arrived and the `with` block has ended well."""
        name = self._of(key)
        with _plain_errors(name):
            upload = obstore.open_writer(self._store, key, buffer_size=PART_BYTES)
        try:
            yield cast(BinaryIO, _ObjectWriter(upload, name))
        except BaseException as error:
            # What the block raises is the caller's, and is not taken for the store's.
            upload.__exit__(type(error), error, error.__traceback__)  # abandons the upload
            raise
        with _plain_errors(name):
            upload.close()

    def find(self, key: str) -> Entry | None:
        """Return the object of this key."""
        with _plain_errors(self._of(key)):
            try:
                return _entry(obstore.head(self._store, key))
            except FileNotFoundError:
                return None

    def children(self, key: str) -> list[Entry]:
        """Return what lies directly under a key, by name."""
        with _plain_errors(self._of(key)):
            found = obstore.list_with_delimiter(self._store, key or None)
        folders = [Entry(prefix, Kind.FOLDER) for prefix in found["common_prefixes"]]
        return sorted([*folders, *map(_entry, found["objects"])], key=lambda entry: entry.key)

    def walk(self, key: str) -> list[Entry]:
        """Return all objects under a key, by key."""
        with _plain_errors(self._of(key)):
            found = [_entry(each) for part in obstore.list(self._store, key or None) for each in part]
        start = len(key) + 1 if key else 0
        seen = [entry for entry in found if not f"/{entry.key[start:]}".count("/.")]
        return sorted(seen, key=lambda entry: entry.key)

    def make_folder(self, key: str) -> None:
        """Do nothing: a key needs no folder."""

    def move(self, key: str, target: str) -> None:
        """Copy an object, then remove it, unless its sender has put another in its place meanwhile."""
        with _plain_errors(self._of(key)):
            tag = obstore.head(self._store, key)["e_tag"]
            obstore.copy(self._store, key, target)
            if obstore.head(self._store, key)["e_tag"] != tag:
                raise OSError(errno.ESTALE, "was replaced while it was moved", self._of(key))
            obstore.delete(self._store, key)

    def tidy(self) -> None:
        """Do nothing: what was not uploaded to its end is no object; the bucket's own rules remove its parts."""

    def delete(self, key: str) -> None:
        """Remove an object, and all objects under a key."""
        with _plain_errors(self._of(key)):
            under = [each["path"] for part in obstore.list(self._store, key or None) for each in part]
            for each in [key, *under]:
                try:
                    obstore.delete(self._store, each)
                except FileNotFoundError:
                    continue

    def _of(self, key: str) -> str:
        return f"{self._url}/{key}"


class _ObjectWriter(io.RawIOBase):
    """An upload as a file of Python, whose errors are those of the operating system."""

    def __init__(self, upload: Any, name: str) -> None:
        self._upload, self._name = upload, name
        self._written = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, part: Any) -> int:
        with _plain_errors(self._name):
            self._upload.write(part)
        size = memoryview(part).nbytes
        self._written += size
        return size


class _ObjectParts(io.RawIOBase):
    """Parts of one object, each asked for as long as it is still that which was opened.

    The library's own reader asks without a condition, and gives parts of two contents as one.
    """

    def __init__(self, store: Any, key: str, name: str) -> None:
        found = obstore.head(store, key)
        self._store, self._key, self._name = store, key, name
        self._size, self._tag = found["size"], found["e_tag"]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        with _plain_errors(self._name):
            part = obstore.get(self._store, self._key, options={"range": (self._at, end), "if_match": self._tag})
            content = part.bytes()
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


def _entry(found: Any) -> Entry:
    return Entry(
        found["path"],
        Kind.FILE,
        found["size"],
        found["last_modified"].timestamp(),
        (found["e_tag"] or str(found["size"])).strip('"'),  # Azure quotes it, but not where it lists
    )


@contextmanager
def _plain_errors(name: str) -> Iterator[None]:
    """Turn the library's errors into those of the operating system, in one line that holds no credential."""
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, "No such object", name) from None
    except (PermissionDeniedError, UnauthenticatedError):
        raise PermissionError(errno.EACCES, "the object store refuses these credentials", name) from None
    except PreconditionError:
        raise OSError(errno.ESTALE, "was replaced while it was read; read it again", name) from None
    except ValueError:
        raise OSError(errno.EINVAL, "is no name that an object can have", name) from None
    except BaseError as error:
        raise OSError(
            errno.EIO, f"the object store did not answer as expected ({type(error).__name__})", name
        ) from None
