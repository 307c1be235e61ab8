"""Files of one form nobody has declared yet: their columns as text."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecasting.core.dialect import Dialect
from forecasting.core.file_names import declared_by_names
from forecasting.core.text_column import TextColumn

# The columns of what the names of files declare, and of a date whose parts stand in several columns.
DATE_OF_NAME, STORE_OF_NAME, DATE_OF_PARTS = "date of the file", "store of the file", "date of several columns"
_PARTS = (("year", "jahr", "annee", "ano"), ("month", "monat", "mois", "mes"), ("day", "tag", "jour", "dia"))


@dataclass(frozen=True, eq=False)
class SampledFile:
    """Files of one form.

    names: of the files. rows_of: how many rows of each were read. is_sampled: whether that is only a part of them.
    """

    names: tuple[str, ...]
    rows_of: tuple[int, ...]
    dialect: Dialect
    columns: tuple[TextColumn, ...]
    is_sampled: bool = False

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return sum(self.rows_of)

    @property
    def name(self) -> str:
        """The name of the first file, for people."""
        return self.names[0]

    def only(self, rows: np.ndarray) -> "SampledFile":
        """Return the file with some of its rows, a truth value each."""
        files = np.repeat(np.arange(len(self.names)), self.rows_of)
        left = np.bincount(files[rows], minlength=len(self.names))
        columns = tuple(each.only(rows) for each in self.columns)
        return replace(self, columns=columns, rows_of=tuple(int(count) for count in left))

    @property
    def date_parts(self) -> tuple[str, ...]:
        """The columns of year, month and day; empty where the file does not have all three."""
        found = [next((each.name for each in self.columns if each.name.lower() in part), "") for part in _PARTS]
        return tuple(found) if all(found) else ()

    def with_joined_date(self) -> "SampledFile":
        """Return the file with a column of its year, month and day, with blanks between; itself without them."""
        parts = [next(each for each in self.columns if each.name == name) for name in self.date_parts]
        if not parts:
            return self
        frame = pd.DataFrame({at: each.spread(each.texts.to_numpy(), "") for at, each in enumerate(parts)})
        codes, texts = pd.factorize(frame[0] + " " + frame[1] + " " + frame[2])
        return replace(
            self, columns=(*self.columns, replace(TextColumn.of(DATE_OF_PARTS, list(texts), codes), is_typed=True))
        )

    def with_declared(self, *, date: bool, store: bool) -> "SampledFile":
        """Return the file with columns of the date, and the store, that the names of all files declare; else itself."""
        parts = declared_by_names(self.names)
        files = np.repeat(np.arange(len(self.names)), self.rows_of)
        added = []
        if date and parts.days:
            added.append(TextColumn.of(DATE_OF_NAME, [str(day) for day in parts.days], files))
        if store and parts.stores:
            added.append(TextColumn.of(STORE_OF_NAME, parts.stores, files))
        return replace(self, columns=(*self.columns, *added)) if added else self
