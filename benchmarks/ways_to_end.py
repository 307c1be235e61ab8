"""Every way to end a run, ten times each at random moments: what is left afterwards must be nothing.

    .venv/bin/python benchmarks/ways_to_end.py                half an hour on two cores
    .venv/bin/python benchmarks/ways_to_end.py --times 1      three minutes

Counts processes and listeners that carry the mark of their run, and Dask's folders in the lake, a few seconds
after the run's own process is gone. Ends with exit code 1 where anything is left.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil

from forecasting.pipeline.simulation import simulate
from forecasting.storage.lake import Lake

MARK = "OJ_WAYS_TO_END"
SETTLE = 10.0  # seconds that what a killed process leaves may take to end by itself
START = 0.5  # seconds that Python takes to reach the first line of `oj`


@dataclass(frozen=True)
class Run:
    """A run that is under way."""

    process: "subprocess.Popen[str]"
    mark: str

    def processes(self) -> list[psutil.Process]:
        """All that runs with the mark of the run; a zombie does not run any more."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == self.mark and process.cmdline():
                    found.append(process)
        return found

    def kill(self, having: str) -> None:
        """SIGKILL every process of the run with this word in its command line."""
        for process in self.processes():
            with suppress(psutil.Error):
                if having in " ".join(process.cmdline()):
                    process.kill()

    def signal(self, number: int, *, group: bool = False) -> None:
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.process.pid, number)


@dataclass(frozen=True)
class Way:
    """How to end a run, if it is not left alone; `codes` are the exit codes that are right (0: it was over before),
    `args` further arguments of `oj run`.
    """

    end: Callable[[Run], None] | None
    codes: tuple[int, ...]
    args: tuple[str, ...] = ()


def twice(run: Run) -> None:
    """The second Ctrl-C of somebody who cannot wait."""
    run.signal(signal.SIGINT, group=True)
    time.sleep(0.2)
    run.signal(signal.SIGINT, group=True)


def stopped(number: int) -> tuple[int, ...]:
    """Exit codes after a signal: it was over before, it said so, or it had not reached its first line yet."""
    return 0, 128 + number, -number


WAYS = {
    "success": Way(None, (0,)),
    "failure: the week is refused": Way(None, (1,), ("--min-reporting", "1")),
    "Ctrl-C, to the group": Way(lambda run: run.signal(signal.SIGINT, group=True), stopped(signal.SIGINT)),
    "Ctrl-C twice": Way(twice, stopped(signal.SIGINT)),
    "SIGTERM to the process": Way(lambda run: run.signal(signal.SIGTERM), stopped(signal.SIGTERM)),
    "SIGTERM to the group": Way(lambda run: run.signal(signal.SIGTERM, group=True), stopped(signal.SIGTERM)),
    "SIGHUP to the group": Way(lambda run: run.signal(signal.SIGHUP, group=True), stopped(signal.SIGHUP)),
    "SIGKILL of the run": Way(lambda run: run.signal(signal.SIGKILL), (0, -signal.SIGKILL)),
    "SIGKILL of Prefect's server": Way(lambda run: run.kill("flows.ephemeral_server"), (0,)),
    "SIGKILL of all workers": Way(lambda run: run.kill("multiprocessing.spawn"), (0, 1)),
}


@dataclass
class Left:
    """What all runs that ended in one way have left, and how they ended."""

    processes: int = 0
    listeners: int = 0
    folders: int = 0
    surprises: int = 0
    slowest: float = 0.0


def main() -> None:
    """End runs, count, print."""
    parser = argparse.ArgumentParser(description="What is left of a run after each way to end it.")
    parser.add_argument("--times", type=int, default=10, help="runs to end in each way")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    parser.add_argument("--only", choices=WAYS, help="one way")
    options = parser.parse_args()
    moments = random.Random(options.seed)  # noqa: S311 - no secret
    with tempfile.TemporaryDirectory(prefix="ways-to-end-") as folder:
        home = Path(folder)
        os.environ["PREFECT_HOME"] = str(home / "prefect")
        os.environ.pop("PREFECT_API_URL", None)
        simulate(Lake(home / "fed"))
        end(home, WAYS["success"], 0.0, Left())  # makes Prefect's database
        whole = Left()
        end(home, WAYS["success"], 0.0, whole)
        print(f"a whole run takes {whole.slowest:.1f} s")
        print(f"{'left after':30} {'runs':>4} {'processes':>9} {'listeners':>9} {'folders':>7} {'slowest end':>11}")
        total = 0
        for name in [options.only] if options.only else WAYS:
            left = Left()
            for _ in range(options.times):
                end(home, WAYS[name], moments.uniform(START, whole.slowest), left)
            counts = f"{left.processes:9} {left.listeners:9} {left.folders:7}"
            print(f"{name:30} {options.times:4} {counts} {left.slowest:9.1f} s", flush=True)
            if left.surprises:
                print(f"  {left.surprises} of them with another exit code or a traceback")
            total += left.processes + left.listeners + left.folders + left.surprises
    sys.exit(total > 0)


def end(home: Path, way: Way, moment: float, left: Left) -> None:
    """End one run `moment` seconds after its start, on a fresh copy of the lake, and count what is left."""
    lake = home / "lake"
    shutil.rmtree(lake, ignore_errors=True)
    shutil.copytree(home / "fed", lake)
    mark = uuid4().hex
    command = [sys.executable, "-m", "deployments", "run", "--lake", str(lake), *way.args]
    began = time.monotonic()
    with subprocess.Popen(
        command,
        env={**os.environ, MARK: mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        run = Run(process, mark)
        if way.end:
            with suppress(subprocess.TimeoutExpired):
                process.wait(moment)
            began = time.monotonic()
            way.end(run)
        _, stderr = process.communicate(timeout=900)
    left.slowest = max(left.slowest, time.monotonic() - began)
    if process.returncode not in way.codes or "Traceback" in stderr:
        left.surprises += 1
        print(f"exit code {process.returncode} after {moment:.2f} s\n{stderr}")
    until = time.monotonic() + SETTLE
    while (remaining := run.processes()) and time.monotonic() < until:
        time.sleep(0.1)
    left.processes += len(remaining)
    for survivor in remaining:
        with suppress(psutil.Error):
            left.listeners += sum(c.status == psutil.CONN_LISTEN for c in survivor.net_connections("inet"))
            print(f"left: {' '.join(survivor.cmdline())[:200]}")
            survivor.kill()
    left.folders += sum(1 for _ in (lake / "scratch").iterdir()) if (lake / "scratch").exists() else 0


if __name__ == "__main__":
    main()
