"""A cluster on this machine: TLS, loopback only, one thread a worker."""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import psutil
from distributed import Client, LocalCluster
from distributed.security import Security
from distributed.utils import LoopRunner

from forecasting.compute.spec_cluster import NO_DASHBOARD, adapt, close_if_interrupted
from forecasting.compute.usage import UsageMeter
from forecasting.contracts.errors import RunError
from forecasting.contracts.spec import ClusterSpec

SPAWNED = "multiprocessing.spawn"  # in the command line of every worker process
START_TIMEOUT = 60.0
STOP_TIMEOUT = 10.0
SECONDS_TO_BREAK_OFF = 3.0  # half a cluster seldom ends by itself; its processes are killed then


@contextmanager
def local_cluster(spec: ClusterSpec, folder: Path, meter: UsageMeter) -> Iterator[Client]:
    """Start workers as processes of this one; none is left afterwards, or `meter` names it.

    Args:
        folder: for what workers spill.

    Raises:
        RunError: the workers do not start.
    """
    before = _spawned()
    patience = SECONDS_TO_BREAK_OFF
    try:
        with (
            close_if_interrupted(SECONDS_TO_BREAK_OFF),
            _loop_without_terminal_signals() as loop,
            _started(spec, folder, loop) as cluster,
            Client(cluster, timeout=START_TIMEOUT, set_as_default=False) as client,
        ):
            adapt(cluster, spec)
            try:
                if spec.n_workers:
                    client.wait_for_workers(spec.n_workers, timeout=START_TIMEOUT)
            except TimeoutError as error:
                raise RunError(
                    f"The cluster's {spec.n_workers} workers did not start within {START_TIMEOUT:.0f} s",
                    "see whether the machine is overloaded, or ask for fewer with --max-concurrency-per-instance",
                ) from error
            workers = _spawned() - before
            patience = STOP_TIMEOUT
            try:
                yield client
            finally:
                workers |= _spawned() - before
                meter.worker_pids = tuple(sorted(process.pid for process in workers))
    finally:
        meter.left_over = tuple(sorted(process.pid for process in _ended(_spawned() - before, patience)))


def _started(spec: ClusterSpec, folder: Path, loop: Any) -> LocalCluster:
    try:
        return LocalCluster(
            loop=loop,
            n_workers=spec.n_workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            scheduler_kwargs=NO_DASHBOARD,
            local_directory=str(folder),
            security=Security.temporary(),
            silence_logs=logging.CRITICAL,
        )
    except RuntimeError as error:
        raise RunError(
            f"A worker of the cluster ended while it started ({error})",
            "see whether the machine has run out of memory, then run again",
        ) from error


@contextmanager
def _loop_without_terminal_signals() -> Iterator[Any]:
    """Run Dask's loop in a thread that blocks the terminal's signals; workers inherit that.

    A Ctrl-C reaches each process of the run, and a worker that is just starting would print a traceback.
    """
    runner, terminal_signals = LoopRunner(), {signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, terminal_signals)
    try:
        resource_tracker.ensure_running()  # it unblocks them in the thread that starts it
        signal.pthread_sigmask(signal.SIG_BLOCK, terminal_signals)
        runner.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, terminal_signals)
    try:
        yield runner.loop
    finally:
        runner.stop()


def _ended(workers: set[psutil.Process], patience: float) -> list[psutil.Process]:
    """Wait until all have ended, and kill those that do not; return those that survive even that."""
    _, alive = psutil.wait_procs(workers, timeout=patience)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return psutil.wait_procs(alive, timeout=STOP_TIMEOUT)[1]


def _spawned() -> set[psutil.Process]:
    """Return the worker processes that this process has spawned and that still run."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE and SPAWNED in " ".join(process.cmdline()):
                found.add(process)
    return found
