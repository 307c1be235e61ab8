"""A real PostgreSQL of the tests' own, on loopback, which wants a password."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.ports import free_port


@dataclass(frozen=True)
class PostgreSQL:
    """A cluster that runs. Its superuser is `oj`; the password has what a URL must escape."""

    port: int
    password: str = "sword fish"  # noqa: S105 - of a cluster that lives for one test session

    def url(self, database: str = "postgres", driver: str = "postgresql") -> str:
        return f"{driver}://oj:{quote(self.password)}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """The URL of a new database."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"')
        return self.url(database)


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, where it is installed."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


@contextmanager
def running_postgresql(programs: Path) -> Iterator[PostgreSQL]:
    """A cluster for as long as the `with` block runs."""
    # It refuses to be run by root, and cannot look into folders that pytest makes for root alone.
    folder = Path(tempfile.mkdtemp(prefix="oj-postgresql-"))
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")
    cluster, password = PostgreSQL(free_port()), folder / "password"
    password.write_text(cluster.password)
    password.chmod(0o644)

    def run(program: str, *args: str) -> None:
        command = [*as_user, str(programs / program), "-D", f"{folder}/data", *args]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    options = f"-c listen_addresses=127.0.0.1 -c port={cluster.port} -c unix_socket_directories={folder} -c fsync=off"
    try:
        run("initdb", "-U", "oj", "-A", "scram-sha-256", f"--pwfile={password}", "--no-sync")
        run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", options, "start")
        yield cluster
        run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
