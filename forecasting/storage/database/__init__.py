"""A database with a copy of the lake's tables, for tools that read SQL. The lake's files remain the source.

`target` opens it, `tables` declares its tables and views, `load` updates it from the lake. They need SQLAlchemy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class DatabaseLoad:
    """What a database load did, or the error.

    target: the database, without a password.
    weeks: the weeks with rows that were loaded or removed.
    rows: how many were loaded, by table, without tables of which none were.
    """

    target: str
    weeks: tuple[date, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None
