"""The stage that loads a database, once the forecast is published."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class DatabaseLoad:
    """What a database load did: the weeks it changed and the rows it loaded by table, or the error."""

    target: str
    weeks: tuple[date, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None
