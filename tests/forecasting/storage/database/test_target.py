"""How a database is named: what is accepted, what is refused, and that no error shows a password."""

import logging
from pathlib import Path

import pytest

from forecasting.contracts.errors import ForecastingError, OptionError, RunError
from forecasting.storage.database.target import Database, require_target
from tests.postgresql import PostgreSQL
from tests.sinks import write_connections


def test_a_name_stays_and_a_file_gets_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run may work in another folder than its command was given in."""
    monkeypatch.chdir(tmp_path)
    assert require_target("reporting") == "reporting"
    assert require_target("sqlite:///oj.db") == f"sqlite:///{tmp_path}/oj.db"
    assert require_target("sqlite:////srv/oj.db") == "sqlite:////srv/oj.db"
    assert require_target("sqlite:///:memory:?a=b#c") == f"sqlite:///{tmp_path}/:memory:?a=b#c"


@pytest.mark.parametrize(
    "text",
    ["postgresql://oj:swordfish@host/db", "sqlite:///", "sqlite://", "", "-x", "mysql://a:swordfish@b/c", "a b", "a\n"],
)
def test_an_address_with_a_password_is_no_parameter(text: str) -> None:
    """It is refused, and the error quotes nothing of it."""
    with pytest.raises(
        OptionError, match='--database is neither a name nor an SQLite file.*reporting = "post'
    ) as error:
        require_target(text)
    assert "swordfish" not in str(error.value)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("postgresql://oj:swordfish@127.0.0.1:{port}/postgres", "it refuses the user or the password"),
        ("postgresql://nobody:swordfish@127.0.0.1:{port}/postgres", "it refuses the user or the password"),
        ("postgresql://oj:sword%20fish@127.0.0.1:{port}/nodb", "what the address names does not exist there"),
        ("postgresql+asyncpg://oj:swordfish@127.0.0.1:1/postgres", "nobody listens at that address"),
        ("postgresql://oj:sw@rdfish@127.0.0.1:{port}/postgres", "its host is not known"),
        ("postgresql://oj:sword/fish:x@127.0.0.1:{port}/postgres", "it refuses the user or the password"),
        ("mysql://oj:swordfish@127.0.0.1/postgres", "gives bad as no address of a PostgreSQL"),
        ("swordfish", "gives bad as no address of a PostgreSQL"),
        ("sqlite:////nowhere/at/all.db", "its folder does not exist, or the file cannot be opened"),
    ],
)
def test_errors_do_not_show_the_password(
    address: str,
    says: str,
    postgresql: PostgreSQL,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In one sentence that names the connection; also where the address is written wrongly."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OJ_HOME", str(tmp_path))
    write_connections(tmp_path, f'bad = "{address.format(port=postgresql.port)}"')
    with pytest.raises(ForecastingError, match=says) as error, Database("bad").transaction():
        pass
    shown = [str(error.value), repr(error.value), caplog.text, repr(error.value.__cause__)]
    assert not any(word in text for word in ("fish", "sword fish", "rdfish") for text in shown)


def test_a_database_that_others_hold_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a minute; then the load gives up, in one sentence."""
    monkeypatch.setattr("forecasting.storage.database.target.SECONDS_TO_WAIT", 0.1)
    name = f"sqlite:///{tmp_path}/oj.db"
    with (
        Database(name).transaction(),
        pytest.raises(RunError, match=f"{tmp_path}/oj.db could not be loaded: another program has held it"),
        Database(name).transaction(),
    ):
        pass


def test_a_load_that_hangs_is_not_waited_for_without_end(
    postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL gives up waiting for the lock of another load."""
    monkeypatch.setattr("forecasting.storage.database.target.SECONDS_TO_WAIT", 1)
    monkeypatch.setenv("OJ_HOME", str(tmp_path))
    write_connections(tmp_path, f'reporting = "{postgresql.url()}"')
    with (
        Database("reporting").transaction(),
        pytest.raises(RunError, match="reporting could not be loaded: another load has held it"),
        Database("reporting").transaction(),
    ):
        pass


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    """And stays as it is."""
    file = tmp_path / "notes.txt"
    file.write_text("not a database at all" * 100)
    with pytest.raises(RunError, match="the file is no SQLite database"), Database(f"sqlite:///{file}").transaction():
        pass
    assert file.read_text() == "not a database at all" * 100
