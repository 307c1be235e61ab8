"""`oj run` in processes of its own, as its users start and stop it."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from forecasting.contracts.run_record import Outcome
from forecasting.storage.lake import Lake

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


OJ = str(Path(sys.executable).with_name("oj"))
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a newcomer: Prefect's home is new, and no server runs."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return {**ours, "PREFECT_HOME": str(tmp_path_factory.mktemp("home") / "prefect"), "COLUMNS": "80"}


def test_a_week_is_simulated_and_run_by_two_commands(tmp_path: Path, environment: dict[str, str]) -> None:
    """As a newcomer types them, in processes of their own with Prefect's embedded server: nothing is left behind."""

    def run(*args: str) -> str:
        done = subprocess.run(
            [OJ, *args],
            cwd=tmp_path,
            env=environment | {"TEST_RUN": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    assert "The week of 1992-04-16 is simulated: 82 stores" in run("simulate")
    output = run("run", "--model", "mean")
    assert "Week of 1992-04-16: published" in output
    assert "913 series × 2 weeks by mean (median), none on fallback" in output
    assert "Biggest changes, week of 1992-04-23" in output
    assert "no worker is left" in output
    assert all(len(ESCAPES.sub("", line)) <= 80 for line in output.splitlines())
    assert not running_in(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"lake"}


@pytest.mark.parametrize(
    ("stop", "to_the_group"),
    [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGKILL, False)],
)
def test_a_run_that_is_stopped_leaves_nothing_behind(
    simulated_lake: Lake, tmp_path: Path, environment: dict[str, str], stop: signal.Signals, to_the_group: bool
) -> None:
    """As by Ctrl-C, by the system, without warning: one sentence, and workers and embedded server are gone."""
    options = ["--model", "tests.endless_model:endless", "--max-concurrency-per-instance", "1"]
    with started(simulated_lake, tmp_path, environment, *options) as run:
        while not (tmp_path / "computing").exists():
            assert run.poll() is None
            time.sleep(0.1)
        (os.killpg if to_the_group else os.kill)(run.pid, stop)
        _, stderr = run.communicate(timeout=100)
    if stop == signal.SIGKILL:
        until = time.monotonic() + 60
        while running_in(tmp_path) and time.monotonic() < until:
            time.sleep(0.1)
    else:
        assert run.returncode == 128 + stop
        assert stderr == "Stopped. Published forecasts stay as they are; run again to go on.\n"
        assert list(Path(simulated_lake.root / "scratch").iterdir()) == []
        record = simulated_lake.runs.last()
        assert record
        assert record.outcome is Outcome.FAILED
    assert not running_in(tmp_path)


def test_a_server_that_dies_costs_no_forecast(
    simulated_lake: Lake, tmp_path: Path, environment: dict[str, str]
) -> None:
    """The week is published all the same, and one line says what Prefect does not know."""
    with started(
        simulated_lake, tmp_path, environment, "--model", "mean", "--max-concurrency-per-instance", "1"
    ) as run:
        while not any(Path(simulated_lake.root / "scratch").glob("dask-*")):
            assert run.poll() is None
            time.sleep(0.1)
        next(process for process in running_in(tmp_path) if "flows.ephemeral_server" in process.cmdline()).kill()
        _, stderr = run.communicate(timeout=90)
    assert run.returncode == 0
    assert re.fullmatch(r"Prefect did not record how the run ended \(.+\)\.\n", stderr)
    record = simulated_lake.runs.last()
    assert record
    assert record.outcome is Outcome.PUBLISHED
    assert not running_in(tmp_path)


def started(lake: Lake, mark: Path, environment: dict[str, str], *args: str) -> "subprocess.Popen[str]":
    """`oj run` in a session of its own, as a terminal gives one to it."""
    return subprocess.Popen(
        [OJ, "run", "--lake", str(lake.root), *args],
        env=environment | {"TEST_RUN": str(mark), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def running_in(folder: Path) -> list[psutil.Process]:
    """The processes that still run with the environment of this test; a zombie is none any more."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("TEST_RUN") == str(folder) and process.cmdline():
                found.append(process)
    return found
