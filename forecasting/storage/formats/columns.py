"""What every format gives: columns of a file as text, with the line of each row."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

TEXT = pa.large_string()


@dataclass(frozen=True)
class Fault:
    """A line that cannot be read: the rule that it breaks, and what to do."""

    line: int
    rule: str
    detail: str


class UnreadableFileError(Exception):
    """Nothing of the file can be used; the fault says why."""

    def __init__(self, rule: str, detail: str, line: int = 1) -> None:
        super().__init__(rule, detail, line)
        self.fault = Fault(line, rule, detail)


@dataclass(frozen=True)
class FileColumns:
    """Columns of a file.

    texts: of its rows, by the name of the column (`TEXT`, never null).
    lines: the line of each row, 1 for the first of the file (int32).
    faults: lines that are no rows.
    decimals: columns of a binary format whose type is decimal; whole numbers in them are written without a point.
    """

    texts: Mapping[str, pa.ChunkedArray]
    lines: pa.ChunkedArray
    faults: tuple[Fault, ...] = ()
    decimals: frozenset[str] = frozenset()


def no_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the column as `TEXT` with empty texts for nulls."""
    return column.cast(TEXT).fill_null("")
