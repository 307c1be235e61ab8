"""What a weekly run costs as the panel grows: wall time, CPU, memory and bytes, beside a plain script of the same work.

    .venv/bin/python benchmarks/scale.py                          913, 11,973, 100,000 and 1,000,000 series
    .venv/bin/python benchmarks/scale.py --series 11973           one size
    .venv/bin/python benchmarks/scale.py --shape products         as many products as stores
    .venv/bin/python benchmarks/scale.py --write-docs             also writes docs/scale-stores.md and .svg

Each lake is made by resampling the shipped panel; the run is `oj run` in a process of its own. The last line is JSON.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.scale_docs import write_docs  # noqa: E402 - of the folder of this script, which may be run from anywhere
from benchmarks.scale_lake import Shape, make_lake  # noqa: E402
from forecasting.contracts.run_record import RunRecord  # noqa: E402
from forecasting.storage.lake import Lake  # noqa: E402

SIZES = (913, 11_973, 100_000, 1_000_000)
LARGEST_PLAIN_OF_PRODUCTS = 20_000  # beyond that the plain script would hold the whole history of all products
SECONDS_BETWEEN_LOOKS = 0.2
PRICE_PER_HOUR = 0.096  # dollars for two cores: on demand, 8 GB, in 2026
GIB = 2**30


@dataclass
class Processes:
    """What is seen of a run's processes while it runs: peaks of memory, and bytes read and written by process."""

    peak_driver: int = 0
    peak_worker: int = 0
    moved: dict[int, int] = field(default_factory=dict)

    def watch(self, process: subprocess.Popen[bytes]) -> None:
        """Look at the process and its children until it ends."""
        with suppress(psutil.Error):
            driver = psutil.Process(process.pid)
            while process.poll() is None:
                self._look(driver)
                time.sleep(SECONDS_BETWEEN_LOOKS)

    def _look(self, driver: psutil.Process) -> None:
        for each in [driver, *driver.children(recursive=True)]:
            with suppress(psutil.Error):
                memory, counters = each.memory_info().rss, each.io_counters()
                self.moved[each.pid] = counters.read_chars + counters.write_chars
                if each.pid == driver.pid:
                    self.peak_driver = max(self.peak_driver, memory)
                elif "spawn_main" in " ".join(each.cmdline()):
                    self.peak_worker = max(self.peak_worker, memory)


def main() -> None:
    """Measure each size, print a line for each, and the last one as JSON."""
    parser = argparse.ArgumentParser(description="What a weekly run costs as the panel grows.")
    parser.add_argument("--series", type=int, action="append", help="a size; several times for several")
    parser.add_argument("--shape", choices=["stores", "products"], default="stores")
    parser.add_argument("--folder", type=Path, help="for the lakes; default: a temporary one")
    parser.add_argument("--write-docs", action="store_true", help="write the table and the plot of docs/scale.md")
    given = parser.parse_args()
    rows = []
    for series in given.series or SIZES:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            rows.append(measure(Path(folder) / "lake", series, given.shape))
        print(line(rows[-1]), flush=True)
    for row, exponent in zip(rows[1:], exponents(rows), strict=True):
        print(f"CPU grows with the series to the power {exponent:.2f} up to {row['series']:,}")
    if given.write_docs:
        write_docs(rows, given.shape)
    print(json.dumps(rows[-1]))


def measure(root: Path, series: int, shape: Shape) -> dict[str, Any]:
    """Return what the plain script and the run cost on a new lake of that size."""
    lake = Lake(root)
    week = make_lake(lake, series, shape).date()
    plain: dict[str, Any] = {"wall_s": None, "cpu_s": None, "peak_gib": None}
    if shape == "stores" or series <= LARGEST_PLAIN_OF_PRODUCTS:
        command = [sys.executable, str(ROOT / "benchmarks" / "scale_plain.py"), str(root), str(root / "plain.parquet")]
        said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment()).stdout
        plain = json.loads(said.splitlines()[-1])
    seen, before = Processes(), cpu_of_children()
    began = time.monotonic()
    command = [sys.executable, "-m", "deployments", "run", "--lake", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment()) as process:
        watcher = threading.Thread(target=seen.watch, args=(process,))
        watcher.start()
        said_by_run = process.communicate()[0].decode()
        watcher.join()
    wall = time.monotonic() - began
    if process.returncode:
        raise SystemExit(f"the run of {series:,} series failed:\n{said_by_run[-3_000:]}")
    record = next(iter(lake.runs.of_week(week)))
    return {
        "series": _published_series(record),
        "shape": shape,
        "wall_s": round(wall, 2),
        "plain_wall_s": _rounded(plain["wall_s"]),
        "cpu_s": round(cpu_of_children() - before, 2),
        "plain_cpu_s": _rounded(plain["cpu_s"]),
        "peak_gib_driver": round(seen.peak_driver / GIB, 3),
        "peak_gib_worker": round(seen.peak_worker / GIB, 3),
        "plain_peak_gib": _rounded(plain["peak_gib"]),
        "gib_moved": round(sum(seen.moved.values()) / GIB, 3),
        "seconds_by_stage": {name: round(seconds, 2) for name, seconds in record.seconds_by_stage.items()},
        "dollars": round(wall / 3600 * PRICE_PER_HOUR, 5),
    }


def environment() -> dict[str, str]:
    """The environment of both: one thread a process, as a run has."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def cpu_of_children() -> float:
    """CPU seconds of all processes of this one that have ended, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def exponents(rows: list[dict[str, Any]]) -> list[float]:
    """The exponent of the CPU's growth from each size to the next."""
    pairs = pairwise(rows)
    return [math.log(b["cpu_s"] / a["cpu_s"]) / math.log(b["series"] / a["series"]) for a, b in pairs]


def line(row: dict[str, Any]) -> str:
    """One size in words."""
    plain = f"{row['plain_wall_s']} s, {row['plain_cpu_s']} s CPU" if row["plain_wall_s"] else "not run"
    stages = ", ".join(f"{name} {seconds}" for name, seconds in row["seconds_by_stage"].items())
    return (
        f"{row['series']:,} series ({row['shape']}): {row['wall_s']} s, {row['cpu_s']} s CPU, driver "
        f"{row['peak_gib_driver']} GiB, worker {row['peak_gib_worker']} GiB, {row['gib_moved']} GiB moved; plain "
        f"script {plain}\n    {stages}"
    )


def _published_series(record: RunRecord) -> int:
    from forecasting.pipeline.publication import PublishedForecast

    published = record.result(PublishedForecast)
    return published.series if published else 0


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 3)


if __name__ == "__main__":
    main()
