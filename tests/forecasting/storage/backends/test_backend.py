"""What is required of a backend, on every kind of storage."""

import os
import signal
import subprocess
import sys
import threading
import uuid
from contextlib import nullcontext, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.storage.backends import Kind
from forecasting.storage.location import Location, open_location

ROOT = Path(__file__).parents[4]
# Of files that retailers have sent, but for what exFAT and Windows shares refuse.
NAMES = ["a b.csv", "100%.csv", "ä.csv", "x#1.csv", "a%20b.csv", "[1].csv", "~a", "{x}", "a+b&c=d", "'q'", "^_^"]
KEYS = st.sampled_from(["a", "ab", "b/a", "b/ab", "b/c/a", "d/.hidden/a", "d/a.csv"])
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "create", "writer", "delete"]), KEYS, st.binary(max_size=20)), max_size=8
)


@pytest.fixture
def place(root: str) -> Location:
    """A place in a lake, where nothing is; of two devices, on that of the inbox."""
    return open_location(root) / "inbox" / "place"


@given(steps=STEPS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_holds_what_was_written_last(place: Location, steps: list[tuple[str, str, bytes]]) -> None:
    """After any steps it holds what a dictionary would, and lists it by key."""
    there, wanted = place / uuid.uuid4().hex, dict[str, bytes]()
    for step, key, content in steps:
        if step == "put":
            (there / key).write_bytes(content)
        elif step == "writer":
            with (there / key).writer() as file:
                file.write(content)
        elif step == "create":
            assert (there / key).create(content) == (key not in wanted)
            content = wanted.get(key, content)
        else:
            (there / key).delete()
        wanted = {name: old for name, old in wanted.items() if name != key}
        if step != "delete":
            wanted[key] = content
    assert {key: (there / key).read_bytes() for key in wanted} == wanted
    seen = [entry.key.removeprefix(f"{there.key}/") for entry in there.walk()]
    assert seen == sorted(key for key in wanted if "/." not in key)


def test_a_folder_may_be_made_before_anything_is_in_it(place: Location) -> None:
    """Time and again; nothing is listed in it, and what is put there is found."""
    (place / "folder").make_folder()
    (place / "folder").make_folder()
    assert (place / "folder").names() == []
    (place / "folder" / "file").write_bytes(b"content")
    assert (place / "folder").names() == ["file"]
    assert [place.at(entry).read_bytes() for entry in place.walk()] == [b"content"]


def test_what_is_not_there(place: Location) -> None:
    """It is not found, has no stamp, and reading it is FileNotFoundError; an empty folder lists nothing."""
    assert place.find() is None
    assert place.stamp() is None
    assert not place.exists()
    assert place.children() == place.walk() == []
    assert place.files() == []
    for read in (place.read_bytes, lambda: place.open().read()):
        with pytest.raises(FileNotFoundError):
            read()
    place.delete()


def test_an_entry_tells_size_and_time_and_a_stamp_of_the_content(place: Location) -> None:
    """The stamp differs where the content does, also of the same size; the time is of the last write."""
    file = place / "a.csv"
    file.write_bytes(b"one")
    first = file.find()
    assert first
    assert (first.key, first.name, first.kind, first.size) == (file.key, "a.csv", Kind.FILE, 3)
    file.write_bytes(b"two")
    second = file.find()
    assert second
    assert second.stamp != first.stamp
    assert second.changed >= first.changed > 0
    assert place.children() == place.walk() == [second]


def test_a_folder_lists_what_lies_directly_in_it(place: Location) -> None:
    """Files and folders by name, hidden ones too; `files` and `walk` leave out what is hidden, and only that."""
    for key in ("b/c/deep", "b/x.csv", "a.csv", ".hidden", ".taken/y", "ab", "b.csv"):
        (place / key).write_bytes(key.encode())
    kinds = {entry.name: entry.kind for entry in place.children()}
    assert list(kinds) == [".hidden", ".taken", "a.csv", "ab", "b", "b.csv"]
    assert [name for name, kind in kinds.items() if kind is Kind.FOLDER] == [".taken", "b"]
    assert [file.name for file in place.files()] == ["a.csv", "ab", "b.csv"]
    assert [file.name for file in place.files(".csv")] == ["a.csv", "b.csv"]
    assert [entry.key.removeprefix(place.key) for entry in (place / "b").walk()] == ["/b/c/deep", "/b/x.csv"]
    assert [entry.name for entry in (place / ".taken").walk()] == ["y"]
    assert (place / "b").find() is None
    with pytest.raises(OSError, match="b"):
        (place / "b").read_bytes()


def test_delete_takes_what_lies_under_a_key_and_no_more(place: Location) -> None:
    """Its neighbours whose names begin alike stay."""
    for key in ("b/c/deep", "b/.hidden", "ab", "b.csv", "bc/d"):
        (place / key).write_bytes(b"")
    (place / "b").delete()
    (place / "ab").delete()
    assert [entry.key.removeprefix(place.key) for entry in place.walk()] == ["/b.csv", "/bc/d"]


def test_a_file_is_moved(place: Location) -> None:
    """Over what is there; what is not there is FileNotFoundError."""
    for content in (b"one", b"two"):
        (place / "from").write_bytes(content)
        (place / "from").move(place / "aside" / "to")
        assert (place / "from").find() is None
        assert (place / "aside" / "to").read_bytes() == content
    with pytest.raises(FileNotFoundError):
        (place / "from").move(place / "to")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_comes_back_as_it_is(place: Location, name: str) -> None:
    """Whatever a sender calls a file, it is listed by its name, found and read."""
    (place / name).write_bytes(b"content")
    [entry] = place.children()
    assert entry.name == name
    assert (place / entry.name).read_bytes() == b"content"
    assert (place / name).find() == entry


def test_one_of_several_creates(place: Location) -> None:
    """Of eight that create at once one succeeds, and its content is there, whole."""
    for number in range(5):
        turn, barrier, won = place / f"{number}", threading.Barrier(8), list[int]()
        threads = [threading.Thread(target=_create, args=(turn, barrier, won, each)) for each in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        [winner] = won
        assert turn.read_bytes() == b"%d" % winner * 1000


def _create(turn: Location, barrier: threading.Barrier, won: list[int], number: int) -> None:
    barrier.wait()
    if turn.create(b"%d" % number * 1000):
        won.append(number)


def test_a_reader_finds_one_content_whole(root: str, place: Location) -> None:
    """While a file is replaced time and again, no read mixes two contents; and it is missing at no time."""
    file, contents = place / "file", [bytes([number]) * 300_000 for number in range(40)]
    file.write_bytes(contents[0])
    writer = threading.Thread(target=_write_each, args=(file, contents))
    writer.start()
    reads = 0
    while writer.is_alive() or not reads:
        # FUSE's exFAT is the one that does not rename in one step.
        with suppress(FileNotFoundError) if "exfat" in root else nullcontext():
            assert file.read_bytes() in contents
            assert file.find()
        reads += 1
    writer.join()


def _write_each(file: Location, contents: list[bytes]) -> None:
    for content in contents:
        file.write_bytes(content)


def test_an_open_file_gives_one_content_or_an_error(place: Location) -> None:
    """What is replaced while it is read in parts is read to its end, as it was; or the reader is told."""
    file, old = place / "file", b"o" * 5_000_000
    file.write_bytes(old)
    with file.open() as opened:
        start = opened.read(10)
        file.write_bytes(b"n" * len(old))
        try:
            assert start + opened.read() == old
        except OSError as error:
            assert "replaced while it was read" in str(error)  # noqa: PT017 - either is right
    assert file.read_bytes() == b"n" * len(old)


def test_an_open_file_is_read_in_parts(place: Location) -> None:
    """It is closed at the end, can be sought in, and pyarrow reads single row groups of it."""
    table = pa.table({"n": range(1000)})
    with (place / "t.parquet").writer() as file, pq.ParquetWriter(file, table.schema) as parquet:
        for start in range(0, 1000, 100):
            parquet.write_table(table.slice(start, 100))
    with (place / "t.parquet").open() as file:
        parts = pq.ParquetFile(file)
        assert parts.num_row_groups == 10
        assert parts.read_row_group(3)["n"].to_pylist() == list(range(300, 400))
        file.seek(-4, os.SEEK_END)
        assert file.read() == b"PAR1"
    assert file.closed


def test_nothing_is_there_until_a_writer_has_ended_well(place: Location) -> None:
    """Until then, and where the block ends with an error of its own, the old content is there alone."""
    file = place / "file"
    for old in (None, b"old"):
        with pytest.raises(FileNotFoundError, match="of the caller"):
            _write_and_fail(file, old)
        assert (file.read_bytes() if old else file.find()) == old
        file.write_bytes(b"old")
    with file.writer() as writing:
        writing.write(b"n" * 10_000_000)
        writing.write(memoryview(b"n" * 10))
    assert file.read_bytes() == b"n" * 10_000_010
    assert [entry.name for entry in place.walk()] == ["file"]


def _write_and_fail(file: Location, old: bytes | None) -> None:
    with file.writer() as writing:
        writing.write(b"n" * 10_000_000)
        assert (file.read_bytes() if old else file.find()) == old
        raise FileNotFoundError(2, "of the caller")


WRITE = """
import sys
from forecasting.storage.location import open_location
with (open_location(sys.argv[1]) / sys.argv[2]).writer() as file:
    file.write(b"n" * 10_000_000)
    print("written", flush=True)
    sys.stdin.read()
"""


def test_a_killed_writer_leaves_the_old_content(root: str, place: Location) -> None:
    """No part of the new one is found, by its name or in a listing, and the next writer gets on."""
    file = place / "file"
    file.write_bytes(b"old")
    command = [sys.executable, "-c", WRITE, root, file.key]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)
    assert file.read_bytes() == b"old"
    assert [entry.name for entry in (open_location(root) / "inbox").walk()] == ["file"]
    file.write_bytes(b"new")
    assert file.read_bytes() == b"new"


def test_where_it_lies(root: str, place: Location) -> None:
    """A place has a path where there is a file system, and shows as the root's own address with its key."""
    assert str(place) == f"{root}/inbox/place"
    assert (place.path is None) == ("://" in root)
    place.write_bytes(b"content")
    assert place.path is None or place.path.read_bytes() == b"content"
