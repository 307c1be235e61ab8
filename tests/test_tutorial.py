"""The tutorial, docs/your-data.md: every command of it, run in its order, prints what it shows."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TUTORIAL = ROOT / "docs" / "your-data.md"
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
# Stands for lines that are left out, because they are long or differ from run to run.
LEFT_OUT = "…"


def steps(text: str) -> list[tuple[str, list[str]]]:
    """The commands of the document's consoles, each with the lines of output that are shown."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE):
        for line in re.sub(r" \\\n +", " ", block).splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            elif line.strip() != LEFT_OUT:
                found[-1][1].append(line.rstrip())
    return found


def missing(shown: list[str], printed: list[str]) -> list[str]:
    """The shown lines that were not printed, in this order."""
    lines = iter(printed)
    return [line for line in shown if line not in lines]


def test_every_command_prints_what_is_shown(tmp_path: Path) -> None:
    """In processes of their own, as a newcomer types them."""
    shutil.copytree(ROOT / "docs" / "your-data", tmp_path / "docs" / "your-data")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment = {
        **ours,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{ours['PATH']}",
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "COLUMNS": "80",
    }
    for command, shown in steps(TUTORIAL.read_text(encoding="utf-8")):
        done = subprocess.run(
            ["/bin/sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), f"{command}\n{done.stdout}{done.stderr}"
        printed = [line.rstrip() for line in ESCAPES.sub("", done.stdout).splitlines()]
        assert missing(shown, printed) == [], f"{command}\n{done.stdout}"


def test_lines_are_shown_in_their_order() -> None:
    """Lines may be left out between them; a line that comes earlier than another one shown is missing."""
    text = "```console\n$ one \\\n    two\na\n…\nb\n$ three\n```\nprose\n```console\n$ four\n```\n"
    assert steps(text) == [("one two", ["a", "b"]), ("three", []), ("four", [])]
    assert missing(["a", "b"], ["a", "x", "b"]) == []
    assert missing(["b", "a"], ["a", "x", "b"]) == ["a"]
