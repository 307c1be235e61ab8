"""The scratch folder is gone, however its process ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forecasting.compute.scratch_cleanup import scratch_folder

HOLD = """
import sys, time
from pathlib import Path
from forecasting.compute.scratch_cleanup import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "spilled").write_text("x")
    print(folder, flush=True)
    time.sleep(600)
"""


def test_the_folder_lives_as_long_as_the_block(tmp_path: Path) -> None:
    """It is there inside, and gone afterwards, also by an error."""

    def fail_inside() -> None:
        with scratch_folder(tmp_path) as folder:
            assert folder.is_dir()
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        fail_inside()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_removed_after_its_process_was_killed(tmp_path: Path) -> None:
    """The cleanup process sees the end of its input, removes the folder and ends."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout
        folder = Path(driver.stdout.readline().strip())
        assert (folder / "spilled").exists()
        driver.kill()
    until = time.monotonic() + 100
    while folder.exists():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_what_a_loss_of_power_left_is_swept_by_the_next_run(tmp_path: Path) -> None:
    """Driver and cleanup process ended together; the folder of a living run is left alone."""
    (tmp_path / "dask-left").mkdir()
    with scratch_folder(tmp_path) as living, scratch_folder(tmp_path) as another:
        assert {path.name for path in tmp_path.iterdir()} == {living.name, another.name}


def test_an_interrupt_does_not_reach_the_cleanup(tmp_path: Path) -> None:
    """Ctrl-C reaches the driver's group only; the cleanup process is in a session of its own."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True) as driver:
        assert driver.stdout
        driver.stdout.readline()
        os.killpg(driver.pid, signal.SIGINT)
        driver.wait(timeout=100)
    assert list(tmp_path.iterdir()) == []
