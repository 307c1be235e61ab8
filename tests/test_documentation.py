"""What the documents name exists."""

import re
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

import deployments.cli  # noqa: F401 - adds its commands
from deployments.api import DEPLOYMENTS
from forecasting.cli import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/*.md")])
SOURCES = sorted(
    path
    for package in ("deployments", "flows", "forecasting")
    for kind in ("*.py", "*.yaml", "*.j2", "*.service")
    for path in (ROOT / package).rglob(kind)
    if re.search(r"\boj [a-z]", path.read_text(encoding="utf-8"))
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    """Links to files of the project name files that are there."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def mistakes(text: str) -> list[str]:
    """The commands and options that a text names and `oj` does not have."""
    found = []
    # A call ends with its line, its quotes, or where a shell or two spaces end it.
    for call in re.findall(r"\boj ([a-z](?:(?!  )[^`\n|;&#])*)", re.sub(r" *\\\n *", " ", text)):
        words = call.split()
        if words[0] == "oj":  # a folder of that name stood before it
            words.pop(0)
        path, command = ["oj"], get_command(app)
        while hasattr(command, "commands") and words and (name := re.match(r"[a-z][a-z-]*", words[0])):
            path.append(name[0])
            command = command.commands.get(name[0])
            words.pop(0)
        if command is None:
            found.append(" ".join(path))
            continue
        options = {"--help", *(name for option in command.params for name in [*option.opts, *option.secondary_opts])}
        given = re.findall(r"(?<!\S)--[a-z-]+", " ".join(words))
        found += [" ".join([*path, option]) for option in given if option not in options]
    return found


@pytest.mark.parametrize("document", [*DOCUMENTS, *SOURCES], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_and_option_that_is_named_exists(document: Path) -> None:
    """Whatever names a command of `oj` for people to use: documents, messages, notifications."""
    assert mistakes(document.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("see `oj run --help`, then `oj models rollback --to VERSION`", []),
        ("    oj backfill --from 1992-03-05 \\\n        --to 1992-04-09", []),
        ("OJ_HOME=/var/lib/oj oj up --lake /srv/oj/lake && oj down", []),
        ("    oj models                    # all versions", []),
        ("`oj predict`", ["oj predict"]),
        ("`oj models rolback`", ["oj models rolback"]),
        ("`oj run --speed 3 && oj models rollback --from X`", ["oj run --speed", "oj models rollback --from"]),
        ("    oj run --horizon 3 \\\n        --speed 3", ["oj run --speed"]),
        ("`oj clusters --to x`", ["oj clusters --to"]),
    ],
)
def test_an_unknown_command_or_option_is_found(text: str, unknown: list[str]) -> None:
    """Also of a nested command, of the second command of a line, and on a line that goes on."""
    assert mistakes(text) == unknown


def test_operations_lists_every_deployment() -> None:
    """Its table names those of prefect.yaml, in the same order; and so does what the doctor looks for."""
    deployed = yaml.safe_load((ROOT / "deployments" / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    flows = [each["entrypoint"].rpartition(".")[2].replace("_", "-") for each in deployed]
    names = [f"{flow}/{each['name']}" for flow, each in zip(flows, deployed, strict=True)]
    assert names == DEPLOYMENTS
    document = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = document[document.index("| deployment | what it does") :].split("\n\n")[0]
    assert re.findall(r"^\| `([^`]+)`", table, flags=re.MULTILINE) == names


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
