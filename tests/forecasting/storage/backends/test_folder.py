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

ROOT = Path(__file__).parents[4]
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


def test_files_and_folders_follow_the_mode_of_their_folder(folder: Folder) -> None:
    """What a group may write in, it may go on writing in; what nobody else may see stays so."""
    for mode, of_files in ((0o2775, 0o664), (0o700, 0o600)):
        shared = folder.path(f"{mode:o}")
        shared.mkdir(parents=True)
        shared.chmod(mode)
        folder.put(f"{mode:o}/made/file", b"")
        folder.create(f"{mode:o}/made/created", b"")
        assert stat.S_IMODE((shared / "made").stat().st_mode) == mode
        assert {stat.S_IMODE(path.stat().st_mode) for path in (shared / "made").iterdir()} == {of_files}


def test_an_unfinished_file_lies_aside(folder: Folder) -> None:
    """No listing or pattern over the folder of its key finds it."""
    with folder.writer("published/deep/file") as file:
        file.write(b"x")
        [unfinished] = folder.path(UNFINISHED).iterdir()
        assert [path.name for path in folder.path("").rglob("*") if path.is_file()] == [unfinished.name]
        assert folder.walk("") == []
    assert not unfinished.exists()


def test_tidying_removes_what_killed_writers_left(folder: Folder) -> None:
    """Once it is a day old: what is younger may still be written."""
    folder.put("inbox/file", b"")
    left = [folder.path(UNFINISHED) / name for name in ("old.tmp", "young.tmp")]
    for path in left:
        path.touch()
    os.utime(left[0], times=(0, time.time() - SECONDS_UNFINISHED - 1))
    folder.tidy()
    assert [path.exists() for path in left] == [False, True]
    assert folder.get("inbox/file") == b""


def test_no_link_lock_or_mode_is_needed(tmp_path: Path) -> None:
    """Where the system refuses them, as on a share, files are put and created as elsewhere."""
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], check=True, text=True, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert ended.stdout.split() == ["a/b", "a/c"]


def test_a_root_that_is_a_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    """It names the path."""
    (tmp_path / "lake").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="lake"):
        Folder(tmp_path / "lake").put("a/file", b"")
