"""What holds of every command: it is named where a newcomer looks, and a mistake ends in one sentence."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

import deployments.cli  # noqa: F401 - adds its commands
from flows.options import PANELS
from forecasting.cli import app
from forecasting.cli.app import DATA, MODELS, RESULTS, SERVICE, WEEKLY


def oj(*args: str, columns: int = 80) -> Result:
    return CliRunner().invoke(app, list(args), env={"COLUMNS": str(columns), "NO_COLOR": "1"})


def tree(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command and group of `oj`, by the words that lead to it."""
    yield path, command
    for name, nested in getattr(command, "commands", {}).items():
        yield from tree(nested, (*path, name))


TREE = dict(tree(get_command(app)))


@pytest.mark.parametrize("path", TREE, ids=lambda path: " ".join(("oj", *path)))
def test_help_names_every_command_and_option(path: tuple[str, ...]) -> None:
    """`oj --help` is where a newcomer looks first, and each command says in a sentence what it and its options do."""
    command, shown = TREE[path], oj(*path, "--help", columns=200)
    assert shown.exit_code == 0
    assert command.help
    for name, nested in getattr(command, "commands", {}).items():
        assert re.search(rf"^│ {name} +\S", shown.output, flags=re.MULTILINE), name
        assert nested.help
    for parameter in command.params:
        assert parameter.help, parameter.name
        for option in parameter.opts:
            assert option in shown.output or parameter.param_type_name == "argument"


def test_the_tree_has_the_commands_of_flows_and_deployments() -> None:
    """Nested ones too."""
    assert {("run",), ("models", "rollback"), ("clusters", "reap"), ("up",), ("trigger",)} <= set(TREE)


def test_help_groups_commands_and_options() -> None:
    """The most frequent command comes first; within 80 columns no name of an option is cut."""
    shown = oj("--help").output
    panels = [line.split("─")[1].strip() for line in shown.splitlines() if line.startswith("╭")]
    assert panels == ["Options", WEEKLY, DATA, RESULTS, MODELS, SERVICE]
    assert re.search(rf"─ {WEEKLY} ─+╮\n│ run ", shown)
    of_run = oj("run", "--help").output
    panels = [line.split("─")[1].strip() for line in of_run.splitlines() if line.startswith("╭")]
    assert panels == list(PANELS)
    for parameter in TREE["run",].params:
        assert all(f"{name} " in of_run for name in parameter.opts)


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    """`oj --help` answers at once, and the Prefect server of a run starts while the rest is imported."""
    code = "import sys, deployments.cli; print({'prefect', 'pandas', 'numpy', 'dask'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_version_is_printed() -> None:
    """As people report it with a problem."""
    shown = oj("--version")
    assert (shown.exit_code, shown.output) == (0, f"oj {version('orange-juice-forecasting')}\n")


def test_a_mistyped_command_is_recognised() -> None:
    """The error names the command that was meant."""
    assert "Did you mean 'run'?" in oj("runn").output


@pytest.mark.parametrize(
    "args",
    [
        ("status",),
        ("report",),
        ("scores",),
        ("accept", "--week", "1992-04-16", "--reason", "flood"),
        ("export", "--to", "orders.csv"),
        ("load", "--database", "sqlite:///oj.db"),
        ("whatif", "--store", "2", "--product", "5", "--week", "1992-04-16"),
        ("snapshot", "--cutoff", "1992-04-16", "--to", "then"),
        ("models",),
        ("models", "rollback"),
        ("clusters",),
        ("clusters", "reap"),
    ],
    ids=" ".join,
)
def test_a_lake_that_does_not_exist_is_named(tmp_path: Path, args: tuple[str, ...]) -> None:
    """A mistyped --lake is an error of every command that needs a lake, and creates no folder."""
    result = oj(*args, "--lake", str(tmp_path / "typo"))
    assert result.exit_code == 1
    assert f"lake={tmp_path}/typo does not exist; name a lake with --lake" in "".join(result.output.splitlines())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("run", "--model", "gues"), 1, "model=gues is not registered; choose one of naive, mean,"),
        (("run", "--horizon", "0"), 2, "--horizon"),
        (("run", "--cutoff", "yesterday"), 2, "--cutoff"),
        (("run", "--cutoff", "1992-04-17"), 1, "is not the first day of a week; name the Thursday before, 1992-04-16"),
        (("run", "--min-reporting", "90"), 2, "--min-reporting"),
        (("run",), 1, "has no sales and its inbox is empty; let a week arrive with `oj simulate` first"),
        (("simulate", "--history-until", "1992-04-10"), 1, "is not a week of the shipped data; name a Thursday"),
    ],
)
def test_a_mistake_ends_in_one_sentence(tmp_path: Path, args: tuple[str, ...], code: int, says: str) -> None:
    """It names the option and the remedy, with a non-zero exit code and no traceback."""
    result = oj(*args, "--lake", str(tmp_path / "lake"))
    assert result.exit_code == code
    flat = " ".join(result.output.replace("│", " ").split())
    assert says in flat
    assert "Traceback" not in result.output
