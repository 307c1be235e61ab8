"""What holds of every command: it is named where a newcomer looks, and a mistake ends in one sentence."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows.cli import app


def oj(*args: str) -> Result:
    return CliRunner().invoke(app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1"})


def test_help_names_every_command() -> None:
    """`oj --help` is where a newcomer looks first."""
    output = oj("--help").output
    for command in ("run", "feed", "status"):
        assert command in output


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
