"""A bucket or container of an object store: S3, Azure Blob Storage, Google Cloud Storage, by `obstore`."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
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
        """Open an object to read parts of it."""
        with _plain_errors(self._of(key)):
            found = _Reader(obstore.open_reader(self._store, key, buffer_size=READ_BYTES))
        return cast(BinaryIO, io.BufferedReader(found, buffer_size=READ_BYTES))

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
        # Leaving the `with` block of the upload with an error abandons it.
        with _plain_errors(self._of(key)), obstore.open_writer(self._store, key, buffer_size=PART_BYTES) as file:
            yield cast(BinaryIO, file)

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

    def move(self, key: str, target: str) -> None:
        """Copy an object, then remove it."""
        with _plain_errors(self._of(key)):
            obstore.copy(self._store, key, target)
            obstore.delete(self._store, key)

    def tidy(self) -> None:
        """Do nothing: what was not uploaded to its end is no object; the bucket's own rules remove its parts."""

    def delete(self, key: str) -> None:
        """Remove an object, and all objects under a key."""
        with _plain_errors(self._of(key)):
            under = [each["path"] for part in obstore.list(self._store, key) for each in part]
            for each in [key, *under]:
                try:
                    obstore.delete(self._store, each)
                except FileNotFoundError:
                    continue

    def _of(self, key: str) -> str:
        return f"{self._url}/{key}"


class _Reader(io.RawIOBase):
    """The library's reader as a file of Python."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._reader.seek(offset, whence))

    def tell(self) -> int:
        return int(self._reader.tell())

    def readinto(self, buffer: Any) -> int:
        content = memoryview(self._reader.read(len(buffer)))
        buffer[: len(content)] = content
        return len(content)


def _entry(found: Any) -> Entry:
    return Entry(
        found["path"],
        Kind.FILE,
        found["size"],
        found["last_modified"].timestamp(),
        found["e_tag"] or str(found["size"]),
    )


@contextmanager
def _plain_errors(name: str) -> Iterator[None]:
    """Turn the library's errors into those of the operating system, in one line that holds no credential."""
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(2, "No such object", name) from None
    except (PermissionDeniedError, UnauthenticatedError):
        raise PermissionError(13, "the object store refuses these credentials", name) from None
    except BaseError as error:
        raise OSError(5, f"the object store did not answer as expected ({type(error).__name__})", name) from None
