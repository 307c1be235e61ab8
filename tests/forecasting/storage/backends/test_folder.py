"""Folders of a file system: what only they have."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forecasting.storage.backends import Folder, Kind
from forecasting.storage.backends.folder import SECONDS_UNFINISHED, UNFINISHED

# Refuses what the system refuses on a share: hard links, locks, and the modes of files.
LIMITED = """
import errno, fcntl, os, sys
from forecasting.storage.backends import Folder

def refuse(number):
    def refused(*_, **__):
        raise OSError(number, os.strerror(number))
    return refused

os.link, os.symlink, os.fchmod = refuse(errno.EPERM), refuse(errno.EPERM), refuse(errno.EPERM)
fcntl.flock = fcntl.lockf = refuse(errno.ENOLCK)
folder = Folder(__import__("pathlib").Path(sys.argv[1]))
folder.put("a/b", b"content")
assert folder.create("a/c", b"content") and not folder.create("a/c", b"")
print(*(entry.key for entry in folder.walk("")))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty folder."""
    return Folder(tmp_path / "lake")


def test_a_link_is_not_followed(folder: Folder, tmp_path: Path) -> None:
    """Whoever can write there could name any file of the user; a link is listed as one, and no file is found."""
    (secret := tmp_path / "secret").write_text("password")
    folder.put("inbox/a.csv", b"")
    folder.path("inbox/link.csv").symlink_to(secret)
    assert {entry.name: entry.kind for entry in folder.children("inbox") if entry.name != UNFINISHED} == {
        "a.csv": Kind.FILE,
        "link.csv": Kind.LINK,
    }
    assert [entry.name for entry in folder.walk("inbox")] == ["a.csv"]
    assert folder.find("inbox/link.csv") is None
    with pytest.raises(OSError, match="symbolic"):
        folder.get("inbox/link.csv")
    folder.delete("inbox/link.csv")
    assert secret.read_text() == "password"


def test_a_pipe_is_not_waited_for(folder: Folder) -> None:
    """Reading one is refused at once, with a reason."""
    folder.put("inbox/a.csv", b"")
    os.mkfifo(folder.path("inbox/pipe"))
    with pytest.raises(OSError, match="is no regular file"):
        folder.get("inbox/pipe")
    assert {entry.name: entry.kind for entry in folder.children("inbox")}["pipe"] is Kind.OTHER


def test_a_file_is_readable_for_all(folder: Folder) -> None:
    """As people's tools may run as other users."""
    folder.put("a/file", b"")
    folder.create("a/created", b"")
    assert {stat.S_IMODE(folder.path(f"a/{name}").stat().st_mode) for name in ("file", "created")} == {0o644}


def test_an_unfinished_file_lies_where_no_reader_looks(folder: Folder) -> None:
    """In a hidden folder of the root."""
    with folder.writer("published/deep/file") as file:
        file.write(b"x")
        [unfinished] = (folder.path("") / UNFINISHED).iterdir()
        assert [path.name for path in folder.path("published").rglob("*")] == ["deep"]
    assert not unfinished.exists()


@pytest.mark.parametrize("mode", [0o700, 0o775])
def test_files_are_for_those_whom_their_folder_is_for(tmp_path: Path, mode: int) -> None:
    """The owner alone, or a group that works in the lake together."""
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake").chmod(mode)
    folder = Folder(tmp_path / "lake")
    folder.put("a/deep/file", b"")
    folder.create("a/deep/created", b"")
    files = {stat.S_IMODE(folder.path(f"a/deep/{name}").stat().st_mode) for name in ("file", "created")}
    assert files == {mode & 0o666}
    assert {stat.S_IMODE(folder.path(key).stat().st_mode) for key in ("a", "a/deep")} == {mode}


def test_what_killed_writers_left_is_removed_in_time(folder: Folder) -> None:
    """A process removes the files of writers that were killed long ago; younger ones may still be written."""
    folder.put("inbox/file", b"")
    left = [folder.path(UNFINISHED) / name for name in ("old.tmp", "young.tmp")]
    for path in left:
        path.touch()
    os.utime(left[0], times=(0, time.time() - SECONDS_UNFINISHED - 1))
    Folder(folder.path("")).put("inbox/other", b"")
    assert [path.exists() for path in left] == [False, True]


def test_no_link_lock_or_mode_is_needed(tmp_path: Path) -> None:
    """Where the system refuses them, as on a share, files are put and created as elsewhere."""
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], check=True, text=True, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert ended.stdout.split() == ["a/b", "a/c"]


ROOT = Path(__file__).parents[4]


def test_a_folder_that_may_not_be_written_is_a_permission_error(tmp_path: Path) -> None:
    """It names the folder."""
    sealed = tmp_path / "sealed"
    sealed.mkdir()
    (sealed / "lake").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="lake"):
        Folder(sealed / "lake").put("a/file", b"")
