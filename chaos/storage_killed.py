"""Weekly runs are SIGKILLed at random moments on every kind of storage, while readers read all the time.

    .venv/bin/python chaos/storage_killed.py --kind all --kills 40           ten minutes on two cores
    .venv/bin/python chaos/storage_killed.py --kind s3 --kills 10 --weeks 2

A small lake lives through some weeks. Each week its stores send their files; in the third they also send corrected
ones of the week before. The run that collects and publishes (the stages of the weekly flow, in one process) is killed
twice a week, then left alone. In the end the lake must be, to the last byte, one whose runs nobody killed. A reader
takes history and forecasts, whole files as people's tools do, and must at every moment find a content that such a lake
has had.

Prints for each kind: kills; those that hit a run before it had ended; reads; torn reads; rows lost; rows there twice;
and reads that found no file for a moment, as they may on exFAT by FUSE. The last line is JSON. Ends with exit code 1
where a read was torn, a row is lost or there twice, or a run that nobody killed failed.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from io import BytesIO
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd

from forecasting.contracts.calendar import WEEK
from forecasting.storage.lake import Lake
from tests import weeks
from tests.roots import KINDS, Lacking, Roots
from tests.weeks import read_all_the_time, run_alone, send, state_of

KILLS_A_WEEK = 2
CORRECTED = 2  # the number of the week in which corrections of the week before come
MORE_UNITS = 5
TRIES = 3  # of a run that nobody kills

States = dict[str, set[str]]  # by key, the SHA-256 of every content that it has had


@dataclass
class Count:
    """What happened on one kind of storage."""

    kills: int = 0
    hits: int = 0
    failed_runs: int = 0
    reads: int = 0
    torn: int = 0
    missed: int = 0
    lost: int = 0
    double: int = 0

    @property
    def is_well(self) -> bool:
        return not (self.torn or self.lost or self.double or self.failed_runs)


@dataclass(frozen=True)
class Undisturbed:
    """A lake whose runs nobody killed.

    seconds: of a run, the median.
    contents: of each file that it has had.
    """

    lake: Lake
    seconds: float
    contents: States
    state: dict[str, bytes]


def main() -> int:
    """Kill runs on the kinds of storage that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=[*KINDS, "all"], default="all")
    parser.add_argument("--kills", type=int, default=40, help="for each kind")
    parser.add_argument("--weeks", type=int, choices=range(1, len(weeks.WEEKS) + 1), default=len(weeks.WEEKS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    # A child is forked from a process that has imported everything, and has used no object store yet.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.weeks"])
    counts: dict[str, Count] = {}
    print(f"{'storage':15}{'kills':>7}{'hit':>7}{'reads':>9}{'torn':>7}{'lost':>7}{'twice':>7}{'missed':>8}")
    with tempfile.TemporaryDirectory(prefix="oj-storage-killed-") as folder:
        roots = Roots(Path(folder))
        try:
            for kind in KINDS if options.kind == "all" else [options.kind]:
                try:
                    storage = Storage(kind, roots, processes, options.seed)
                    counts[kind] = count = storage.kill(options.kills, weeks.WEEKS[: options.weeks])
                except Lacking as lacking:
                    print(f"{kind:15}not measured: {lacking}")
                    continue
                numbers = f"{count.reads:9}{count.torn:7}{count.lost:7}{count.double:7}{count.missed:8}"
                failed = f"   {count.failed_runs} runs failed" if count.failed_runs else ""
                print(f"{kind:15}{count.kills:7}{count.hits:7}{numbers}{failed}", flush=True)
        finally:
            roots.close()
    print(json.dumps({kind: asdict(count) for kind, count in counts.items()}))
    return 0 if counts and all(count.is_well for count in counts.values()) else 1


class Storage:
    """Lives of lakes on one kind of storage."""

    def __init__(self, kind: str, roots: Roots, processes: ForkServerContext, seed: int) -> None:
        self._kind, self._roots, self._processes = kind, roots, processes
        self._random = random.Random(f"{kind} {seed}")  # noqa: S311 - moments to kill at need no cryptography

    def kill(self, kills: int, cutoffs: list[date]) -> Count:
        """Let lakes live until so many kills were sent."""
        count, undisturbed = Count(), self._live_undisturbed(cutoffs)
        while count.kills < kills:
            self._live_killed(count, kills, cutoffs, undisturbed)
        return count

    def _live_undisturbed(self, cutoffs: list[date]) -> Undisturbed:
        lake = weeks.begin(self._roots.make(self._kind))
        contents: States = defaultdict(set)
        note_contents(contents, lake)
        seconds = []
        for number, week in enumerate(cutoffs):
            send_week(lake, number, week)
            began = time.monotonic()
            if self._run(lake, week).exitcode:
                raise SystemExit(f"{self._kind}: the run of {week} failed although nobody killed it")
            seconds.append(time.monotonic() - began)
            note_contents(contents, lake)
        return Undisturbed(lake, median(seconds), dict(contents), state_of(lake))

    def _live_killed(self, count: Count, kills: int, cutoffs: list[date], undisturbed: Undisturbed) -> None:
        lake = weeks.begin(self._roots.make(self._kind))
        with self._reader(lake, undisturbed.contents, count):
            for number, week in enumerate(cutoffs):
                send_week(lake, number, week)
                for _ in range(min(KILLS_A_WEEK, kills - count.kills)):
                    process = self._start(lake, week)
                    process.join(self._random.uniform(0, undisturbed.seconds))
                    count.kills += 1
                    count.hits += process.is_alive()
                    process.kill()
                    process.join()
                count.failed_runs += bool(self._run(lake, week).exitcode)
        lost, double = difference(undisturbed.state, state_of(lake))
        count.lost += lost + lost_vintages(undisturbed.lake, lake, cutoffs)
        count.double += double

    def _start(self, lake: Lake, week: date) -> BaseProcess:
        process = self._processes.Process(target=run_alone, args=(str(lake.root), week, dict(os.environ)))
        process.start()
        return process

    def _run(self, lake: Lake, week: date) -> BaseProcess:
        """Run a week to its end."""
        for _ in range(TRIES):
            process = self._start(lake, week)
            process.join()
            if not process.exitcode:
                break
            time.sleep(5)  # a lease whose holder died before it wrote its name is free after ten seconds
        return process

    @contextmanager
    def _reader(self, lake: Lake, contents: States, count: Count) -> Iterator[None]:
        """Read all the time in a process of its own, and count what it found."""
        stop, found = self._processes.Event(), self._processes.Queue()
        arguments = (str(lake.root), contents, stop, found, dict(os.environ))
        process = self._processes.Process(target=read_all_the_time, args=arguments)
        process.start()
        try:
            yield
        finally:
            stop.set()
            reads, torn, missed = found.get()
            process.join()
            count.reads, count.torn, count.missed = count.reads + reads, count.torn + torn, count.missed + missed


def send_week(lake: Lake, number: int, week: date) -> None:
    """Let the stores send the files of a week, and corrections where it is their turn."""
    send(lake, week)
    if number == CORRECTED:
        send(lake, week - WEEK, MORE_UNITS)


def note_contents(contents: States, lake: Lake) -> None:
    """Add what the files of a lake hold now."""
    for key, content in state_of(lake).items():
        contents[key].add(hashlib.sha256(content).hexdigest())


def difference(wanted: dict[str, bytes], found: dict[str, bytes]) -> tuple[int, int]:
    """Return how many rows are lost, and how many are there twice, or too many."""
    lost = double = 0
    for key in wanted.keys() | found.keys():
        if wanted.get(key) == found.get(key):
            continue
        old, new = rows_of(key, wanted.get(key)), rows_of(key, found.get(key))
        both = len(old.merge(new.drop_duplicates(), how="inner")) if len(old) and len(new) else 0
        lost += len(old) - both
        double += len(new) - both
    return lost, double


def rows_of(key: str, content: bytes | None) -> pd.DataFrame:
    """Return the rows of a file; of one that is not there, none."""
    if content is None:
        return pd.DataFrame()
    return pd.read_parquet(BytesIO(content)) if key.endswith(".parquet") else pd.read_csv(BytesIO(content))


def lost_vintages(undisturbed: Lake, lake: Lake, cutoffs: list[date]) -> int:
    """Return how many rows of vintages of the undisturbed lake the other one does not have."""
    lost = 0
    for week in cutoffs:
        wanted, found = (vintages_of(each, week) for each in (undisturbed, lake))
        lost += sum(len(rows_of(".parquet", content)) for content in wanted - found)
    return lost


def vintages_of(lake: Lake, week: date) -> set[bytes]:
    """Return every content that the sales of a week have had."""
    folder: Any = lake.root / "vintages" / "sales" / str(week)
    return {place.read_bytes() for place in folder.files(".parquet")}


if __name__ == "__main__":
    sys.exit(main())
