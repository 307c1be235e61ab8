"""The kills on every kind of storage: that they find what is wrong, and a short life of a lake."""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from queue import SimpleQueue
from types import ModuleType

import pandas as pd
import pytest

from forecasting.storage.lake import Lake
from tests.weeks import read_all_the_time

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "chaos" / "storage_killed.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script as a module; it does nothing until its `main` is called."""
    spec = importlib.util.spec_from_file_location("storage_killed", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["storage_killed"] = module  # its data classes look for it there
    spec.loader.exec_module(module)
    return module


def parquet(*units: int) -> bytes:
    buffer = BytesIO()
    pd.DataFrame({"store": range(len(units)), "units": units}).to_parquet(buffer)
    return buffer.getvalue()


def twice(content: bytes) -> bytes:
    rows, buffer = pd.read_parquet(BytesIO(content)), BytesIO()
    pd.concat([rows, rows]).to_parquet(buffer)
    return buffer.getvalue()


def test_lost_and_double_rows_are_counted(script: ModuleType) -> None:
    """Of a file that is gone, lacks rows, has rows twice, has other numbers, or should not be there."""
    three = parquet(1, 2, 3)
    found = {"same.parquet": three, "short.parquet": parquet(1, 2), "twice.parquet": twice(three)}
    found |= {"changed.parquet": parquet(1, 2, 4), "more.parquet": parquet(1), "copy.csv": b"a\n1\n"}
    wanted = dict.fromkeys(["same.parquet", "short.parquet", "twice.parquet", "changed.parquet", "gone.parquet"], three)
    assert script.difference(wanted, found) == (0 + 1 + 0 + 1 + 3, 0 + 0 + 3 + 1 + 0 + 1 + 1)
    assert script.difference(wanted, wanted) == (0, 0)


def test_a_reader_counts_what_is_wrong(tmp_path: Path) -> None:
    """A content that the file has never had, and a file that is gone; not one that is still to come."""
    folder = Lake(tmp_path).root / "sales"
    for name in ("right", "torn", "gone"):
        (folder / name).write_bytes(b"right")
    allowed = {hashlib.sha256(b"right").hexdigest()}
    contents = {f"sales/{name}": allowed for name in ("right", "torn", "gone", "later")}

    class Stop:
        """Asked before each round: after the first it damages the lake, after the second it ends."""

        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            if self.asked == 2:
                (folder / "torn").write_bytes(b"ri")
                (folder / "gone").delete()
            return self.asked > 2

    found = SimpleQueue[tuple[int, int, int]]()
    read_all_the_time(str(tmp_path), contents, Stop(), found, {})
    assert found.get() == (3 + 2, 1, 1)


def test_a_lake_lives_through_a_kill() -> None:
    """The last line is JSON: one kill, something read, and nothing wrong."""
    command = [sys.executable, str(SCRIPT), "--kind", "folder", "--kills", "1", "--weeks", "1"]
    ended = subprocess.run(
        command, text=True, stdout=subprocess.PIPE, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert ended.returncode == 0, ended.stdout
    count = json.loads(ended.stdout.splitlines()[-1])["folder"]
    assert count.pop("reads") > 0
    assert count.pop("hits") <= 1
    assert count == {"kills": 1, "failed_runs": 0, "torn": 0, "missed": 0, "lost": 0, "double": 0}
