"""The units for a real host."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import deployments
from deployments.home import POOL
from deployments.programs import COMMANDS

UNITS = Path(deployments.__file__).parent / "systemd"


def test_systemd_accepts_the_units(tmp_path: Path, needs_system: Callable[[str], None]) -> None:
    """`systemd-analyze verify` has nothing to say, but that the programs are elsewhere on this machine."""
    if not shutil.which("systemd-analyze"):
        needs_system("systemd-analyze is needed")
    for unit in UNITS.glob("*.service"):
        text = unit.read_text().replace("/opt/orange-juice/.venv/bin", str(Path(sys.executable).parent))
        (tmp_path / unit.name).write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.iterdir())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_units_start_what_the_supervisor_starts() -> None:
    """One program each, by the same command; no secret in it, but in a file."""
    assert {unit.stem for unit in UNITS.glob("*.service")} == {f"oj-{name}" for name in COMMANDS}
    for name, command in COMMANDS.items():
        text = (UNITS / f"oj-{name}.service").read_text()
        started = " ".join(command) if name != "watch" else "oj watch"
        assert f"{started}\n" in text
        assert f"EnvironmentFile=/var/lib/oj/{'server' if name == 'server' else 'client'}.env" in text
        assert "Environment=" not in text
    assert POOL in " ".join(COMMANDS["worker"])
