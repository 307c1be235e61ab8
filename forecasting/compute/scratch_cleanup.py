"""A scratch folder that is gone when its `with` block ends, and also when this process is killed."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Runs in a tiny process of its own. Its input ends with the driver, however that ended; workers that are
# still ending may write again, so that the folder counts as gone when it has stayed away for two seconds.
_CLEANUP = """
import os, shutil, sys, time
sys.stdin.buffer.read()
folder, away, until = sys.argv[1], 0, time.monotonic() + 120
while away < 10 and time.monotonic() < until:
    away = 0 if os.path.exists(folder) else away + 1
    shutil.rmtree(folder, ignore_errors=True)
    time.sleep(0.2)
"""


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Make a new folder in `parent`, and remove it when the `with` block or this process ends."""
    _sweep(parent)
    hidden = Path(tempfile.mkdtemp(prefix=".dask-", dir=parent))
    # The lock shows a later run that the folder is in use; the system releases it with this process.
    lock = os.open(hidden, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    folder = hidden.rename(parent / hidden.name.removeprefix("."))
    try:
        with subprocess.Popen(  # noqa: S603 - this very Python
            [sys.executable, "-I", "-S", "-c", _CLEANUP, str(folder.absolute())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the driver
        ) as cleanup:
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                if not folder.exists():
                    cleanup.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def left_folders(parent: Path) -> list[Path]:
    """Return the folders that runs have left whose driver and cleanup process ended together, by name."""
    return [folder for folder in sorted(parent.glob("dask-*")) if not _is_in_use(folder)]


def _sweep(parent: Path) -> None:
    """Remove what a loss of power has left."""
    for folder in left_folders(parent):
        shutil.rmtree(folder, ignore_errors=True)


def _is_in_use(folder: Path) -> bool:
    try:
        lock = os.open(folder, os.O_RDONLY)
    except OSError:
        return True  # it is gone, or not ours
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
