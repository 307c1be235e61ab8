"""A small lake with a few published forecasts, and databases of both kinds, each new."""

from pathlib import Path

import pytest

from forecasting.storage.lake import Lake
from tests.databases import Target
from tests.postgresql import PostgreSQL
from tests.sinks import write_connections


@pytest.fixture
def lake(small_lake: Lake) -> Lake:
    return small_lake


@pytest.fixture
def postgresql_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql: PostgreSQL) -> Target:
    """An empty database in PostgreSQL."""
    url = postgresql.create(f"of_{tmp_path.name}")
    (tmp_path / "home").mkdir()
    write_connections(tmp_path / "home", f'reporting = "{url}"')
    monkeypatch.setenv("OJ_HOME", str(tmp_path / "home"))
    return Target("reporting", url)


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    """An empty database of either kind."""
    if request.param == "postgresql":
        of_server: Target = request.getfixturevalue("postgresql_target")
        return of_server
    return Target(f"sqlite:///{tmp_path / 'copy.db'}", f"sqlite:///{tmp_path / 'copy.db'}")
