"""The entry point of `oj`, which every Dask worker of a run imports anew."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

import deployments
from deployments.__main__ import main


def test_it_is_thin() -> None:
    """Importing it brings nothing else of ours, and nothing of Prefect's."""
    ours = "('deployments', 'flows', 'forecasting', 'prefect', 'typer')"
    code = f"import sys, deployments.__main__; print(sorted(each for each in sys.modules if each.startswith({ours})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['deployments', 'deployments.__main__']\n"


def test_an_interrupt_before_the_command_begins_is_one_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the command line is imported: no traceback, and the exit code of an interrupt."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(deployments, "cli", SimpleNamespace(main=interrupted), raising=False)
    with pytest.raises(SystemExit) as end:
        main()
    assert (end.value.code, capsys.readouterr().err) == (130, "Stopped.\n")


def test_it_runs_the_command_line() -> None:
    """As `python -m deployments`, with the exit code of the command."""
    done = subprocess.run([sys.executable, "-m", "deployments", "runn"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Did you mean 'run'?" in done.stderr
