"""The command line, as its users meet it."""

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
from typer.testing import CliRunner, Result

from flows.cli import app
from forecasting.adapters.lake import Lake
from forecasting.weeks import dominicks_week
from tests.sinks import http_sink, write_connections

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def oj(*args: str) -> Result:
    return CliRunner().invoke(app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1"})


OJ = str(Path(sys.executable).with_name("oj"))
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a newcomer: Prefect's home is new, and no server runs."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return {**ours, "PREFECT_HOME": str(tmp_path_factory.mktemp("home") / "prefect"), "COLUMNS": "80"}


def test_a_week_is_fed_and_run_by_two_commands(tmp_path: Path, environment: dict[str, str]) -> None:
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

    assert "82 stores dropped their files" in run("feed")
    output = run("run", "--model", "mean")
    assert "Week of 1992-04-16: published" in output
    assert "913 series × 2 weeks by mean (median), none on fallback" in output
    assert "Biggest movers, week of 1992-04-23" in output
    assert "all gone" in output
    assert all(len(ESCAPES.sub("", line)) <= 80 for line in output.splitlines())
    assert not running_in(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"lake"}


@pytest.mark.parametrize(
    ("stop", "to_the_group"),
    [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGKILL, False)],
)
def test_a_run_that_is_stopped_leaves_nothing_behind(
    fed_lake: Lake, tmp_path: Path, environment: dict[str, str], stop: signal.Signals, to_the_group: bool
) -> None:
    """As by Ctrl-C, by the system, without warning: one sentence, and workers and embedded server are gone."""
    options = ["--model", "tests.flows.endless_model:endless", "--max-concurrency-per-instance", "1"]
    with started(fed_lake, tmp_path, environment, *options) as run:
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
        assert stderr == "Stopped. What was published stays in force; run again to go on.\n"
        assert list((fed_lake.root / "scratch").iterdir()) == []
        assert fed_lake.last_receipt()["outcome"] == "failed"
    assert not running_in(tmp_path)


def test_a_server_that_dies_costs_no_forecast(fed_lake: Lake, tmp_path: Path, environment: dict[str, str]) -> None:
    """The week is published all the same, and one line says what Prefect does not know."""
    with started(fed_lake, tmp_path, environment, "--model", "mean", "--max-concurrency-per-instance", "1") as run:
        while not any((fed_lake.root / "scratch").glob("dask-*")):
            assert run.poll() is None
            time.sleep(0.1)
        next(process for process in running_in(tmp_path) if "flows.embedded" in process.cmdline()).kill()
        _, stderr = run.communicate(timeout=90)
    assert run.returncode == 0
    assert re.fullmatch(r"Prefect could not be told how the run ended \(.+\)\.\n", stderr)
    assert fed_lake.last_receipt()["outcome"] == "published"
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


def test_help_names_every_command() -> None:
    """`oj --help` is where a newcomer looks first."""
    output = oj("--help").output
    for command in ("run", "feed", "status"):
        assert command in output


def test_status_of_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    """Nothing is there yet, and nothing is created by asking."""
    result = oj("status", "--lake", str(tmp_path / "lake"))
    assert result.exit_code == 0
    assert "none yet: oj feed" in result.output
    assert not (tmp_path / "lake").exists()


def test_status_shows_weeks_and_what_is_waiting(fed_lake: Lake) -> None:
    """The weeks of the lake, and the files of the inbox by week."""
    output = oj("status", "--lake", str(fed_lake.root)).output
    assert "96 weeks, 1990-06-14 to 1992-04-09" in output
    assert "1992-04-16: 82 files" in output


def test_the_lake_may_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OJ_LAKE stands where --lake is not given."""
    monkeypatch.setenv("OJ_LAKE", str(tmp_path / "elsewhere"))
    assert oj("feed", "--history-until", str(dominicks_week(60))).exit_code == 0
    assert Lake(tmp_path / "elsewhere").weeks_of_sales()[-1] == dominicks_week(60)


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("run", "--model", "gues"), 1, "model=gues is not registered; choose one of naive, mean,"),
        (("run", "--horizon", "0"), 2, "--horizon"),
        (("run", "--cutoff", "yesterday"), 2, "--cutoff"),
        (("run", "--cutoff", "1992-04-17"), 1, "is not the first day of a week; name the Thursday before, 1992-04-16"),
        (("run", "--min-reporting", "90"), 2, "--min-reporting"),
        (("run",), 1, "has no sales and its inbox is empty; let a week arrive with `oj feed` first"),
        (("feed", "--history-until", "1992-04-10"), 1, "is not a week of the shipped data; name a Thursday"),
    ],
)
def test_a_mistake_ends_in_one_sentence(tmp_path: Path, args: tuple[str, ...], code: int, says: str) -> None:
    """It names the option and the remedy, with a non-zero exit code and no traceback."""
    result = oj(*args, "--lake", str(tmp_path / "lake"))
    assert result.exit_code == code
    flat = " ".join(result.output.replace("│", " ").split())
    assert says in flat
    assert "Traceback" not in result.output


def test_a_lake_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error names folder and remedy."""
    (tmp_path / "file").write_text("no folder")
    result = oj("feed", "--lake", str(tmp_path / "file" / "lake"))
    assert result.exit_code == 1
    assert "cannot be written" in result.output


def test_notify_says_who_was_told_or_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person can see that notifications arrive, and what to do where they do not."""
    monkeypatch.setenv("OJ_HOME", str(tmp_path))
    missing = oj("notify")
    assert missing.exit_code == 1
    assert "connections.toml names nobody to notify; write notify = " in missing.output
    with http_sink() as (port, documents):
        path = write_connections(tmp_path, f'notify = "json://127.0.0.1:{port}"')
        assert oj("notify", "Hello").output == "Told: 1 of 1.\n"
    assert [document["message"] for document in documents] == ["Hello"]
    assert "Error: 1 of 1 were not notified: target 1 (json) could not be reached" in oj("notify").output
    path.chmod(0o644)
    assert f"can be read by others (mode 0644); chmod 600 {path}" in oj("notify").output
