"""A backfill of twenty weeks is SIGKILLed at random points: every week is published once, none is lost.

    .venv/bin/python benchmarks/backfill_killed.py             three to five minutes on two cores
    .venv/bin/python benchmarks/backfill_killed.py --weeks 2 --kills 1

Ends with exit code 1 where a week is missing, a row is there twice, or the bytes differ from an undisturbed backfill's.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.pipeline.simulation import simulate
from forecasting.storage.lake import Lake

LAST = dominicks_week(135)


def begin(lake: Lake, weeks: int) -> "subprocess.Popen[bytes]":
    """Start a backfill of so many weeks in a process of its own."""
    first = LAST - WEEK * (weeks - 1)
    command = [sys.executable, "-m", "deployments", "backfill", "--lake", str(lake.root), "--from", str(first)]
    return subprocess.Popen([*command, "--to", str(LAST)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def published(lake: Lake) -> dict[date, bytes]:
    """Return the published bytes by cutoff."""
    return {cutoff: lake.forecasts.path(cutoff).read_bytes() for cutoff in lake.forecasts.cutoffs()}


def main() -> int:
    """Run it undisturbed, then killed, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weeks", type=int, default=20)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    moments = random.Random(options.seed)  # noqa: S311 - random moments to kill at need no cryptography
    os.environ["COLUMNS"] = "80"
    with tempfile.TemporaryDirectory(prefix="backfill-killed-") as folder:
        quiet, killed = Lake(Path(folder) / "quiet"), Lake(Path(folder) / "killed")
        for lake in (quiet, killed):
            simulate(lake)
        began = time.monotonic()
        if begin(quiet, options.weeks).wait():
            print("The undisturbed backfill failed.")
            return 1
        seconds = time.monotonic() - began
        print(f"undisturbed: {len(published(quiet))} weeks in {seconds:.0f} s")
        for number in range(options.kills):
            process = begin(killed, options.weeks)
            time.sleep(moments.uniform(0.1, 0.9) * seconds / options.kills)
            process.send_signal(signal.SIGKILL)
            process.wait()
            print(f"kill {number + 1}: {len(published(killed))} weeks are published")
        code = begin(killed, options.weeks).wait()
        found = published(killed)
        twice = sum(int(killed.forecasts.read(cutoff).duplicated(schemas.CELL).sum()) for cutoff in found)
        same = found == published(quiet)
        left = len(list(killed.scratch().iterdir()))
        print(f"afterwards: exit code {code}, {len(found)} weeks, {twice} rows twice, {left} scratch folders left")
        print("the bytes are those of the undisturbed backfill" if same else "THE BYTES DIFFER")
    return 0 if same and len(found) == options.weeks and not twice and not left and not code else 1


if __name__ == "__main__":
    sys.exit(main())
