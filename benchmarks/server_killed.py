"""Prefect's server is killed at ten points of a run: what is published must be what an undisturbed run publishes.

    .venv/bin/python benchmarks/server_killed.py          five minutes on two cores
    .venv/bin/python benchmarks/server_killed.py --only 3 one of the points

Ends with exit code 1 where a published file differs or a run fails.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from forecasting.pipeline.simulation import simulate
from forecasting.storage.lake import Lake

OJ = [sys.executable, "-m", "deployments", "run", "--mini-batch-size", "100"]
PARTITIONS = 11  # one for each product of the shipped data


@dataclass(frozen=True)
class Run:
    """A run that is under way, as it looks from outside."""

    lake: Path
    server: psutil.Process

    @property
    def server_answers(self) -> bool:
        """A server that has taken up a connection has more than its listener."""
        return any(connection.status == psutil.CONN_ESTABLISHED for connection in self.server.net_connections("tcp"))

    @property
    def partitions_done(self) -> int:
        return len(list((self.lake / "staging").glob("*/partitions/*.parquet")))


POINTS: dict[str, Callable[[Run], bool]] = {
    "it starts": lambda _: True,
    "it imports": lambda run: run.server.cpu_times().user > 1.0,
    "it answers": lambda run: run.server_answers,
    "the week is in the lake": lambda run: (run.lake / "archive").exists(),
    "the cluster starts": lambda run: any((run.lake / "scratch").glob("dask-*")),
    "a partition is done": lambda run: run.partitions_done > 0,
    "half of them are done": lambda run: run.partitions_done > PARTITIONS // 2,
    "the forecast is published": lambda run: (run.lake / "published").exists(),
    "the report is written": lambda run: (run.lake / "report" / "report.parquet").exists(),
    "the run record is written": lambda run: any((run.lake / "run_records").glob("*/*.json")),
}


def main() -> None:
    """Kill, compare, print."""
    parser = argparse.ArgumentParser(description="Prefect's server killed at ten points of a run.")
    parser.add_argument("--only", type=int, choices=range(1, len(POINTS) + 1), help="one point")
    only = parser.parse_args().only
    with tempfile.TemporaryDirectory(prefix="server-killed-") as folder:
        home = Path(folder)
        os.environ["PREFECT_HOME"] = str(home / "prefect")
        os.environ.pop("PREFECT_API_URL", None)
        simulate(Lake(home / "fed"))
        seconds, _, expected = run(home, None)
        print(f"undisturbed{seconds:44.1f} s  sha256 {expected[:12]}", flush=True)
        equal = 0
        chosen = list(POINTS)[only - 1 : only] if only else list(POINTS)
        for number, name in enumerate(chosen, only or 1):
            seconds, said, digest = run(home, POINTS[name])
            equal += digest == expected
            print(f"{number:2} killed when {name:28} {seconds:12.1f} s  {said:14} sha256 {digest[:12]}", flush=True)
    print(f"equal to the undisturbed run: {equal} of {len(chosen)}")
    sys.exit(equal != len(chosen))


def run(home: Path, reached: Callable[[Run], bool] | None) -> tuple[float, str, str]:
    """One run on a copy of the lake; gives its seconds, how it ended and the sha256 of what it published."""
    lake = home / "lake"
    shutil.rmtree(lake, ignore_errors=True)
    shutil.copytree(home / "fed", lake)
    began = time.monotonic()
    with subprocess.Popen(
        [*OJ, "--lake", str(lake)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        killed = reached is None or kill_server(process, lake, reached)
        _, stderr = process.communicate(timeout=600)
    seconds = time.monotonic() - began
    if process.returncode or "Traceback" in stderr:
        print(stderr)
    published = list((lake / "published").glob("*/forecast.parquet"))
    digest = hashlib.sha256(published[0].read_bytes()).hexdigest() if published else "nothing"
    ended = f"exit code {process.returncode}" if killed else "NOT KILLED"
    return seconds, ended, digest if killed else "the run was over"


def kill_server(process: "subprocess.Popen[str]", lake: Path, reached: Callable[[Run], bool]) -> bool:
    """Kill the run's Prefect server as soon as the point is reached; whether that came before the run's end."""
    server: psutil.Process | None = None
    while process.poll() is None:
        with suppress(psutil.Error):
            server = server or server_of(psutil.Process(process.pid))
            if server and reached(Run(lake, server)):
                server.kill()
                return True
        time.sleep(0.002)
    return False


def server_of(run: psutil.Process) -> psutil.Process | None:
    """The Prefect server that a run has started."""
    return next((child for child in run.children() if "flows.ephemeral_server" in child.cmdline()), None)


if __name__ == "__main__":
    main()
