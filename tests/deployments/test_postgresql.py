"""The server's database in PostgreSQL, on a real cluster of the tests' own."""

from pathlib import Path

from deployments.home import Home
from tests.deployments.service import Installation
from tests.ports import free_port
from tests.postgresql import PostgreSQL


def test_the_server_keeps_its_data_in_postgresql(postgresql: PostgreSQL, tmp_path: Path) -> None:
    """By the name of the connection; the address is in no command line, log or output, and there is no SQLite."""
    service = Installation(Home(tmp_path / "home"), tmp_path / "lake", free_port())
    service.home.prepare()
    connections = service.home.root / "connections.toml"
    connections.touch(mode=0o600)
    connections.write_text(f'prefect = "{postgresql.url(driver="postgresql+asyncpg")}"\n')
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
