"""The server's database in PostgreSQL, on a real cluster of the test's own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployments.home import Home
from tests.deployments.service import Installation
from tests.ports import free_port

PASSWORD = "sword fish"  # noqa: S105 - of a cluster that lives for one test
URL = "postgresql+asyncpg://oj:sword%20fish@127.0.0.1:{port}/postgres"


@pytest.fixture
def postgresql(needs_system: Callable[[str], None]) -> Iterator[int]:
    """The port of a PostgreSQL that wants the password."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    if programs is None:
        needs_system("PostgreSQL is needed")
    assert programs
    # It refuses to be run by root, and cannot look into folders that pytest makes for root alone.
    folder = Path(tempfile.mkdtemp(prefix="oj-postgresql-"))
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")
    port, password = free_port(), folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)

    def run(program: str, *args: str) -> None:
        command = [*as_user, str(programs / program), "-D", f"{folder}/data", *args]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
    run("initdb", "-U", "oj", "-A", "scram-sha-256", f"--pwfile={password}", "--no-sync")
    run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", options, "start")
    yield port
    run("pg_ctl", "-m", "immediate", "stop")
    shutil.rmtree(folder)


def test_the_server_keeps_its_data_in_postgresql(postgresql: int, tmp_path: Path) -> None:
    """By the name of the connection; the address is in no command line, log or output, and there is no SQLite."""
    service = Installation(Home(tmp_path / "home"), tmp_path / "lake", free_port())
    service.home.prepare()
    connections = service.home.root / "connections.toml"
    connections.touch(mode=0o600)
    connections.write_text(f'prefect = "{URL.format(port=postgresql)}"\n')
    try:
        up = service.oj("up", "--lake", str(service.lake), "--port", str(service.port), "--database", "prefect")
        assert up.returncode == 0, up.stdout + up.stderr
        assert "PostgreSQL named prefect" in up.stdout
        assert "weekly-forecast/weekly" in up.stdout
        assert not list(service.home.prefect.glob("*.db"))
        spoken = [up.stdout, up.stderr, *(path.read_text(errors="replace") for path in service.home.logs.iterdir())]
        spoken += [" ".join(process.cmdline()) for process in service.processes()]
        assert not any("fish" in text for text in spoken)
    finally:
        down = service.oj("down", "--now")
    assert down.returncode == 0, down.stdout + down.stderr
    assert service.processes() == []
