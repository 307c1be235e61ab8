"""What the writers lay out: facts by name, small tables, and notes, all as plain text without markup."""

import logging
from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """How much attention a fact wants."""

    PLAIN = "plain"
    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True)
class Fact:
    """One fact with its name.

    path: the file or folder that the fact is about; a writer shows it before the text.
    is_detail: whether a short summary leaves it out.
    """

    name: str
    text: str
    tone: Tone = Tone.PLAIN
    path: str | None = None
    is_detail: bool = False

    @property
    def level(self) -> int:
        """The logging level of the fact."""
        return logging.INFO if self.tone is Tone.PLAIN else logging.WARNING


@dataclass(frozen=True)
class Grid:
    """A small table.

    numbers: the columns that are aligned to the right.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class StageView:
    """One stage of a run, for people.

    key: names the stage where a writer needs a name, such as an artifact's key.
    title: what a reader finds there.
    """

    key: str
    title: str
    facts: tuple[Fact, ...]
    grids: tuple[Grid, ...] = ()
    notes: tuple[str, ...] = ()
