"""The version of the installation."""

import shutil
import subprocess
import sys
from pathlib import Path

import forecasting
from forecasting.storage.code_version import package_fingerprint


def test_the_fingerprint_follows_every_source(tmp_path: Path) -> None:
    """A copy of the package has the same fingerprint; with one more byte it has another."""
    copy = tmp_path / "forecasting"
    shutil.copytree(Path(forecasting.__file__).parent, copy)

    def fingerprint_of_copy() -> str:
        command = "from forecasting.storage.code_version import package_fingerprint; print(package_fingerprint())"
        done = subprocess.run([sys.executable, "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert fingerprint_of_copy() == package_fingerprint()
    with (copy / "weeks.py").open("a") as file:
        file.write("\n")
    assert fingerprint_of_copy() != package_fingerprint()
