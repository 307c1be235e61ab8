"""Archived bytes are what was read; no byte of an inbox file is lost, whatever its sender or its file system does."""

import errno
import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import mkdtemp

import pytest

from forecasting.contracts.calendar import WEEK
from forecasting.contracts.orange_juice import LAYOUTS
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.storage import archive as archives
from forecasting.storage.archive import Archive
from forecasting.storage.backends import Folder
from forecasting.storage.inbox import InboxFile, read_inbox
from forecasting.storage.location import open_location

CUTOFF = date(1992, 4, 16)
NAME = f"{CUTOFF}_store-002.csv"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


@pytest.fixture
def archive(tmp_path: Path, inbox: Path) -> Archive:
    return Archive(open_location(tmp_path / "archive"), open_location(inbox))


def read(archive: Archive) -> list[InboxFile]:
    files, *_ = read_inbox(archive.waiting(), ORANGE_JUICE, LAYOUTS)
    return files


def archived(archive: Archive, cutoff: date = CUTOFF) -> dict[str, str]:
    return {path.name: path.read_text() for path in archive.files(cutoff)}


def refuse_moves(monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    def refuse(self: Path, _: Path) -> Path:
        raise OSError(error, os.strerror(error), str(self))

    monkeypatch.setattr(Path, "rename", refuse)


def test_archived_files_keep_their_predecessors(archive: Archive, inbox: Path) -> None:
    """A file of the same name does not overwrite the one that came before."""
    for content in ("first", "second"):
        (inbox / NAME).write_text(content)
        assert archive.take(CUTOFF, read(archive)) == []
    assert archived(archive) == {NAME: "first", "1992-04-16_store-002.2.csv": "second"}
    assert archive.waiting() == []


def test_what_was_written_between_reading_and_archiving_is_read_again(archive: Archive, inbox: Path) -> None:
    """The file stays where it is, and nothing is archived that was not read."""
    with (inbox / NAME).open("w") as sender:
        sender.write("one\n")
        sender.flush()
        files = read(archive)
        sender.write("two\n")
        sender.flush()
        assert archive.take(CUTOFF, files) == [f"{NAME}: changed since it was read, and is read again by the next run."]
    assert archived(archive) == {}
    assert [file.name for file in archive.waiting()] == [NAME]


def test_what_was_written_after_archiving_comes_back(archive: Archive, inbox: Path) -> None:
    """Into the very file that the sender still has open; the archive has what was read, and later the whole file."""
    with (inbox / NAME).open("w") as sender:
        sender.write("one\n")
        sender.flush()
        assert archive.take(CUTOFF, read(archive)) == []
        assert archive.return_changed() == []
        sender.write("two\n")
        sender.flush()
        (said,) = archive.return_changed()
        assert said == (
            f"{NAME}: was changed after a run of 1992-04-16 had read it, as its sender was still writing it; "
            "it is in the inbox again to be read."
        )
        sender.write("three\n")
    assert archived(archive) == {NAME: "one\n"}
    assert archive.take(CUTOFF + WEEK, read(archive)) == []
    assert archived(archive, CUTOFF + WEEK) == {NAME: "one\ntwo\nthree\n"}
    assert archive.return_changed() == []
    assert archive.waiting() == []


def test_a_touch_is_no_change(archive: Archive, inbox: Path) -> None:
    """Senders such as `cp -p` set the times of a file after its last byte."""
    (inbox / NAME).write_text("one")
    archive.take(CUTOFF, read(archive))
    (held,) = inbox.glob(".taken/*/*.csv")
    os.utime(held, (0, 0))
    assert archive.return_changed() == []
    assert held.exists()


@pytest.mark.parametrize("is_collected", [False, True])
def test_a_newer_file_of_the_name_counts(archive: Archive, inbox: Path, is_collected: bool) -> None:
    """Late bytes of the older one do not undo it, whether it waits or has been collected; that is said."""
    with (inbox / NAME).open("w") as sender:
        sender.write("one\n")
        sender.flush()
        archive.take(CUTOFF, read(archive))
        (inbox / NAME).write_text("newer")
        if is_collected:
            archive.take(CUTOFF, read(archive))
        sender.write("two\n")
    (said,) = archive.return_changed()
    assert "that is not taken in, as a newer file of that name has come" in said
    assert [file.name for file in archive.waiting()] == ([] if is_collected else [NAME])


def test_a_collected_file_is_dropped_after_a_day(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No sender writes to it any more; its copy stays in the archive."""
    (inbox / NAME).write_text("one")
    archive.take(CUTOFF, read(archive))
    archive.return_changed()
    assert len(list(inbox.glob(".taken/*/*.csv"))) == 1
    moment = archive.clock()
    monkeypatch.setattr(archive, "clock", lambda: moment + archives.SECONDS_KEPT + 60)
    archive.return_changed()
    assert list(inbox.glob(".taken/*")) == [inbox / ".taken" / ".clock"]
    assert archived(archive) == {NAME: "one"}


def test_an_inbox_that_cannot_move_files_is_emptied_by_copying(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EXDEV, as bind mounts and file systems that are made of several say."""
    (inbox / NAME).write_text("one")
    refuse_moves(monkeypatch, errno.EXDEV)
    assert archive.take(CUTOFF, read(archive)) == []
    assert archived(archive) == {NAME: "one"}
    assert not (inbox / NAME).exists()


@pytest.fixture
def other_device(tmp_path: Path) -> Iterator[Path]:
    """A folder on another device than the test's."""
    memory = Path("/dev/shm")  # noqa: S108 - Linux has this one, in memory
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("the memory's file system is no other device here")
    folder = Path(mkdtemp(dir=memory))
    yield folder
    shutil.rmtree(folder)


def test_an_inbox_on_another_device_loses_no_late_byte(archive: Archive, inbox: Path, other_device: Path) -> None:
    """A real one: a file is copied over, and a sender that still has it open goes on writing into it."""
    inbox.rmdir()
    inbox.symlink_to(other_device)
    with (inbox / NAME).open("w") as sender:
        sender.write("one\n")
        sender.flush()
        assert archive.take(CUTOFF, read(archive)) == []
        assert archive.waiting() == []
        sender.write("two\n")
    assert len(archive.return_changed()) == 1
    assert archived(archive) == {NAME: "one\n"}
    assert (inbox / NAME).read_text() == "one\ntwo\n"


@pytest.mark.parametrize("error", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_file_that_cannot_be_moved_is_remembered_by_its_content(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """It is not read again until it changes, also when its times do; it leaves once that is allowed."""
    (inbox / NAME).write_text("one")
    with monkeypatch.context() as patch:
        refuse_moves(patch, error)
        (said,) = archive.take(CUTOFF, read(archive))
        assert said == (
            f"{NAME}: could not be moved out of the inbox ({os.strerror(error)}): it is remembered as collected, and "
            f"read again only if its content changes; let the forecast's user write {inbox}, or remove the file."
        )
        assert archive.return_changed() == []
        os.utime(inbox / NAME, (0, 0))
        assert archive.waiting() == []
        (inbox / NAME).write_text("one and more")
        assert [file.name for file in archive.waiting()] == [NAME]
        archive.take(CUTOFF, read(archive))
        assert archive.waiting() == []
    assert archive.return_changed() == []
    assert not (inbox / NAME).exists()
    assert sorted(archived(archive).values()) == ["one", "one and more"]


def test_a_file_that_was_sent_again_after_a_failed_move_is_read(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody removed the remembered file; the same content later is a file like any other."""
    (inbox / NAME).write_text("one")
    with monkeypatch.context() as patch:
        refuse_moves(patch, errno.EACCES)
        archive.take(CUTOFF, read(archive))
    (inbox / NAME).unlink()
    archive.return_changed()
    (inbox / NAME).write_text("one")
    assert [file.name for file in archive.waiting()] == [NAME]


def test_many_files_are_named_in_one_sentence(archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three by name, and how many more."""
    for store in range(1, 6):
        (inbox / f"{CUTOFF}_store-{store}.csv").write_text("one")
    refuse_moves(monkeypatch, errno.EACCES)
    (said,) = archive.take(CUTOFF, read(archive))
    assert "_store-1.csv, 1992-04-16_store-2.csv, 1992-04-16_store-3.csv and 2 more: could not be" in said


def test_a_run_that_dies_before_the_move_archives_once(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power is cut between copying and moving: the next run finds the copy."""

    def power_cut(self: Path, _: Path) -> Path:
        raise KeyboardInterrupt

    (inbox / NAME).write_text("one")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", power_cut)
        with pytest.raises(KeyboardInterrupt):
            archive.take(CUTOFF, read(archive))
    assert [file.name for file in archive.waiting()] == [NAME]
    archive.take(CUTOFF, read(archive))
    assert archived(archive) == {NAME: "one"}
    assert archive.waiting() == []


def test_a_file_that_cannot_be_copied_is_said_and_stays(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk costs no traceback, and no file."""
    put = Folder.put

    def full(self: Folder, key: str, content: bytes) -> None:
        if key.endswith(NAME):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        put(self, key, content)

    (inbox / NAME).write_text("one")
    monkeypatch.setattr(Folder, "put", full)
    (said,) = archive.take(CUTOFF, read(archive))
    assert "could not be archived (No space left on device), and is read again by the next run" in said
    assert [file.name for file in archive.waiting()] == [NAME]


def test_the_newest_copy_is_brought_back(archive: Archive, inbox: Path) -> None:
    """Of a file that was sent several times the last one; one that waits in the inbox is left alone."""
    for number in range(11):
        (inbox / NAME).write_text(str(number))
        archive.take(CUTOFF, read(archive))
    assert archive.bring_back(NAME)
    assert (inbox / NAME).read_text() == "10"
    (inbox / NAME).write_text("new")
    assert archive.bring_back(f"../inbox/{NAME}")
    assert (inbox / NAME).read_text() == "new"
    assert not archive.bring_back("1992-04-16_store-003.csv")


def test_a_file_that_could_not_be_moved_is_brought_back(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there; from now on it is read again."""
    (inbox / NAME).write_text("one")
    refuse_moves(monkeypatch, errno.EACCES)
    archive.take(CUTOFF, read(archive))
    assert archive.waiting() == []
    assert archive.bring_back(NAME)
    assert [file.name for file in archive.waiting()] == [NAME]
