"""Open a database, and report its errors.

A database is named by an SQLite file, `sqlite:///path`, or by a name in connections.toml. A URL with a password is
refused, as parameters of runs are stored readably. A driver's message may quote parts of a malformed URL, the password
among them, so errors are reported in our own words.
"""

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.contracts.errors import OptionError, RunError
from forecasting.storage.connections import connection, connections_path

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

SQLITE = "sqlite:///"
NAME = r"[A-Za-z0-9][A-Za-z0-9_-]*"
SECONDS_TO_CONNECT = 10
SECONDS_TO_WAIT = 60  # for another load
# Of all our transactions: any number that no other program uses.
LOCK = 7_205_759_403

_REASONS = {
    "password": "it refuses the user or the password",
    "role": "it refuses the user or the password",
    "connection refused": "nobody listens at that address",
    "timeout expired": "it does not answer",
    "lock timeout": "another load has held it for a minute",
    "is locked": "another program has held it for a minute",
    "host name": "its host is not known",
    "resolve": "its host is not known",
    "no such table": "its tables are not there",
    "permission denied": "its user may not do that",
    "must be owner": "its user may not do that",
    "does not exist": "what the address names does not exist there",
    "unable to open database file": "its folder does not exist, or the file cannot be opened",
    "readonly": "it cannot be written",
    "read-only": "it cannot be written",
    "not a database": "the file is no SQLite database",
    "is full": "its disk is full",
    "no space left": "its disk is full",
    "server closed the connection": "the connection broke off",
    "terminating connection": "the connection broke off",
}


def require_target(text: str) -> str:
    """Return a name in connections.toml as it is, and an SQLite file by its absolute path.

    Raises:
        OptionError: it is neither; the error quotes nothing of it.
    """
    if re.fullmatch(NAME, text):
        return text
    if text.startswith(SQLITE) and len(text) > len(SQLITE):
        return SQLITE + str(Path(text.removeprefix(SQLITE)).expanduser().absolute())
    raise OptionError(
        "--database",
        "is neither a name nor an SQLite file; other URLs would be stored readably with their passwords",
        f'write a line reporting = "postgresql://user:password@host/database" into {connections_path()} and give '
        f"its name, or {SQLITE}path",
    )


class Database:
    """A database that can be written, a transaction at a time."""

    def __init__(self, text: str) -> None:
        """Read the entry of connections.toml, without opening the database.

        Raises:
            OptionError: there is no such entry, or it is no supported database.
        """
        self.name = require_target(text)
        self._engine = _engine(self.name)

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator["Connection"]:
        """Run one transaction, while no other load has one.

        Raises:
            RunError: the database cannot be reached or refuses a statement.
        """
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(text(f"SET LOCAL lock_timeout = '{SECONDS_TO_WAIT}s'"))
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
                yield connection
        except SQLAlchemyError as error:
            # Not as its cause: its text quotes the statement, and may quote the URL.
            raise RunError(
                f"The database {self.name} could not be loaded: {_reason(error)}",
                f"correct that, then: oj load --database {self.name}",
            ) from None


def _reason(error: Exception) -> str:
    said = str(getattr(error, "orig", None) or error).lower()
    for words, reason in _REASONS.items():
        if words in said:
            return reason
    orig = getattr(error, "orig", None)
    code = getattr(orig, "sqlstate", None)
    return f"{type(orig or error).__name__}{f', SQLSTATE {code}' if code else ''}"


def _engine(name: str) -> "Engine":
    from sqlalchemy import create_engine, event

    url = _url(name)
    if url.get_backend_name() == "postgresql":
        waits = {"connect_timeout": SECONDS_TO_CONNECT, "tcp_user_timeout": 1000 * SECONDS_TO_WAIT}
        try:
            return create_engine(url, hide_parameters=True, connect_args=waits)
        except ModuleNotFoundError:
            raise OptionError(
                f"--database {name}",
                "needs the driver of PostgreSQL, which is not installed",
                "install the extra: pip install 'orange-juice-forecasting[postgres]'",
            ) from None
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": SECONDS_TO_WAIT})

    @event.listens_for(engine, "connect")
    def _prepare(dbapi: Any, _record: object) -> None:
        dbapi.isolation_level = None  # transactions begin below
        dbapi.create_function("hashtextextended", 2, _hash_of_text, deterministic=True)

    @event.listens_for(engine, "begin")
    def _lock_at_once(connection: "Connection") -> None:
        # Python's driver would begin at the first write, and fail where another load wrote in between.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _hash_of_text(text: str, seed: int) -> int:
    """Return what PostgreSQL's function of this name is for: an integer that differs where texts differ."""
    return zlib.crc32(text.encode(), seed)


def _url(name: str) -> "URL":
    from sqlalchemy.engine import URL, make_url
    from sqlalchemy.exc import ArgumentError

    if name.startswith(SQLITE):
        return URL.create("sqlite", database=name.removeprefix(SQLITE))
    with suppress(ArgumentError, ValueError):
        url = make_url(connection(name))
        if url.get_backend_name() in ("postgresql", "postgres"):
            # The entry may name another driver, for example the server's; only this one is installed.
            return url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() == "sqlite" and url.database:
            return URL.create("sqlite", database=url.database)
    raise OptionError(
        str(connections_path()),
        f"gives {name} as no address of a PostgreSQL or SQLite database",
        f'write {name} = "postgresql://user:password@host/database", with %40 for @ in a password',
    )
