"""The unit for a real host."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import deployments
from deployments.home import Home

UNIT = Path(deployments.__file__).parent / "systemd" / "oj.service"
HARDENING = (
    "NoNewPrivileges",
    "ProtectHome",
    "PrivateTmp",
    "PrivateDevices",
    "ProtectKernelTunables",
    "ProtectKernelModules",
    "ProtectKernelLogs",
    "ProtectControlGroups",
    "ProtectClock",
    "ProtectHostname",
    "RestrictNamespaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "LockPersonality",
)


def directives() -> dict[str, str]:
    lines = [line for line in UNIT.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_systemd_accepts_the_unit(tmp_path: Path, needs_system: Callable[[str], None]) -> None:
    """`systemd-analyze verify` has nothing to say, but that the programs are elsewhere on this machine."""
    if not shutil.which("systemd-analyze"):
        needs_system("systemd-analyze is needed")
    here = tmp_path / UNIT.name
    here.write_text(UNIT.read_text().replace("/opt/orange-juice/.venv/bin", str(Path(sys.executable).parent)))
    command = ["systemd-analyze", "verify", "--man=no", str(here)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_unit_is_the_only_one_and_runs_what_people_run() -> None:
    """`oj up` and `oj down`, with the supervisor as the process that systemd watches; no secret stands in it."""
    unit = directives()
    home = Home(Path(unit["Environment"].removeprefix("OJ_HOME=")))
    assert list(UNIT.parent.iterdir()) == [UNIT]
    assert unit["Type"] == "forking"
    assert unit["PIDFile"] == str(home.supervisor_pid)
    start, stop = shlex.split(unit["ExecStart"]), shlex.split(unit["ExecStop"])
    assert [Path(start[0]).name, start[1], Path(stop[0]).name, stop[1]] == ["oj", "up", "oj", "down"]
    assert unit["ReadWritePaths"].split() == [str(home.root), start[start.index("--lake") + 1]]


def test_the_unit_is_hardened() -> None:
    """It needs no privilege, and writes its home and the lake only."""
    unit = directives()
    assert {name: unit.get(name) for name in HARDENING} == dict.fromkeys(HARDENING, "yes")
    assert (unit["User"], unit["ProtectSystem"], unit["CapabilityBoundingSet"]) == ("oj", "strict", "")
