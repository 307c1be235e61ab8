"""The home of the service: its files, for their owner only."""

import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployments.home import Home, Service, service_home
from forecasting.contracts.errors import OptionError

SERVICE = Service("/a lake/of 'mine'", 4201)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


def test_every_file_is_for_its_owner_only(home: Home) -> None:
    """Also where the caller's umask lets everybody read."""
    home.configure(SERVICE, "postgresql+asyncpg://oj:secret@127.0.0.1/prefect")
    home.write_sent_events({})
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [home.root, *home.root.rglob("*")]}
    assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items()), modes


def test_the_auth_string_is_made_once(home: Home) -> None:
    """Who is logged in stays so."""
    first = home.auth()
    assert len(first) > 30
    assert home.auth() == first
    assert Home(home.root.with_name("other")).root != home.root


def test_the_address_of_the_database_is_known_to_the_server_alone(home: Home) -> None:
    """Worker, watcher and people have no need of it."""
    url = "postgresql+asyncpg://oj:secret@127.0.0.1/prefect"
    home.configure(SERVICE, url)
    assert home.environment("server")["PREFECT_SERVER_DATABASE_CONNECTION_URL"] == url
    assert not any("secret" in value for value in home.environment("worker").values())
    assert "secret" not in (home.root / "service.json").read_text()


def test_settings_of_the_caller_do_not_leak_in(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever Prefect the caller works with."""
    monkeypatch.setenv("PREFECT_API_KEY", "of another server")
    home.configure(SERVICE)
    environment = home.environment("worker")
    assert "PREFECT_API_KEY" not in environment
    assert environment["PREFECT_API_URL"] == "http://127.0.0.1:4201/api"
    assert environment["OJ_LAKE"] == SERVICE.lake


def test_what_is_configured_is_known(home: Home) -> None:
    """Settings are read back, and a change of any of them is noticed."""
    assert home.service() is None
    home.configure(SERVICE)
    assert home.service() == SERVICE
    assert home.is_configured(SERVICE)
    assert not home.is_configured(Service(SERVICE.lake, 4202))
    assert not home.is_configured(SERVICE, "postgresql://elsewhere")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lake=st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r", exclude_categories=["Z", "C"])))
def test_the_environment_is_read_by_a_shell_as_by_us(home: Home, lake: str) -> None:
    """Quotes, spaces, dollars and all: `. ~/.oj/client.env` gives people what the programs have."""
    home.configure(Service(lake))
    script = f'set -a; . "{home.root}/client.env"; printf %s "$OJ_LAKE"'
    shell = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert home.environment("client")["OJ_LAKE"] == shell.stdout == lake


def test_the_lake_is_given_or_named_or_the_services_or_here(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this order, and always absolute."""
    monkeypatch.delenv("OJ_LAKE", raising=False)
    assert home.lake_root(None) == str(Path.cwd() / "lake")
    home.configure(SERVICE)
    assert home.lake_root(None) == SERVICE.lake
    monkeypatch.setenv("OJ_LAKE", "/named")
    assert home.lake_root(None) == "/named"
    assert home.lake_root("/given") == "/given"
    assert home.lake_root("s3://bucket/lake") == "s3://bucket/lake"


def test_the_home_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """OJ_HOME, else .oj of the user."""
    monkeypatch.setenv("OJ_HOME", "/somewhere")
    assert service_home().root == Path("/somewhere")
    monkeypatch.delenv("OJ_HOME")
    assert service_home().root == Path.home() / ".oj"


def test_a_home_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """The path of a socket is short, and a file is no folder."""
    with pytest.raises(OptionError, match="is too long for a socket"):
        Home(tmp_path / ("x" * 120)).prepare()
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match="cannot be written"):
        Home(tmp_path / "file" / "home").prepare()
