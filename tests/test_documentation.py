"""What the documents promise is there."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import deployments.cli  # noqa: F401 - adds its commands
from flows.cli import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    """Links to files of the project name files that are there."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_option_that_is_named_exists(document: Path) -> None:
    """Commands in the documents use commands and options that `oj` has."""
    for command, options in re.findall(r"\boj (\w+)((?: [^`\n|]*)?)", document.read_text(encoding="utf-8")):
        if command not in {each.name or each.callback.__name__ for each in app.registered_commands if each.callback}:
            continue
        result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
        for option in re.findall(r"(?<=\s)--[a-z-]+", options):
            assert option in result.output, f"{command} {option}"


def test_every_make_target_that_is_named_exists() -> None:
    """`make run`, `make test`, `make check` and `make setup` are what the README and the decisions say."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    for document in DOCUMENTS:
        for target in re.findall(r"`make ([a-z]+)`", document.read_text(encoding="utf-8")):
            assert target in targets, f"{document.name}: make {target}"


def test_no_lock_names_an_address() -> None:
    """Locks carry hashes, and no index."""
    for lock in ROOT.glob("requirements*.lock"):
        assert "--hash=sha256:" in lock.read_text(encoding="utf-8")
        assert "://" not in lock.read_text(encoding="utf-8")
