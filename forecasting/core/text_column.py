"""A column of a file nobody has declared yet: its values as text, each different one once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

# What programs write where nobody knows a number.
NO_VALUE = ("NA", "N/A", "#N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "-", "--", "?", "#DIV/0!")


@dataclass(frozen=True, eq=False)
class TextColumn:
    """The values of a column.

    name: as the file writes it; empty where it has none.
    texts: each different text once, without blanks around it.
    codes: the place in `texts` of each row's value, -1 where the row has none.
    untrimmed: rows whose text has blanks around it.
    is_typed: whether the format of the file knows numbers and dates, so that no marks are left to find.
    is_floating: whether the file stores floating-point numbers, as `101.0`.
    zone: the time zone of timestamps that have one, an IANA name; empty else.
    """

    name: str
    texts: pd.Series
    codes: np.ndarray
    untrimmed: int = 0
    is_typed: bool = False
    is_floating: bool = False
    zone: str = ""

    @staticmethod
    def of(name: str, texts: Sequence[str | None], codes: np.ndarray) -> "TextColumn":
        """Return a column of texts as they stand in the file, and their places; -1 is none."""
        raw = pd.Series(list(texts), dtype="str").fillna("")
        trimmed = raw.str.strip()
        places, kept = pd.factorize(trimmed.where(trimmed != ""))
        rows = np.bincount(codes[codes >= 0], minlength=len(raw)) if len(raw) else np.zeros(0, dtype=int)
        untrimmed = int(rows[((raw != trimmed) & (trimmed != "")).to_numpy()].sum())
        return TextColumn(name.strip(), pd.Series(kept, dtype="str"), np.append(places, -1)[codes], untrimmed)

    @staticmethod
    def joined(columns: Sequence["TextColumn"]) -> "TextColumn":
        """Return one column of the rows of several, one after the other."""
        if len(columns) == 1:
            return columns[0]
        first = columns[0]
        texts, starts = pd.concat([each.texts for each in columns], ignore_index=True), 0
        codes = []
        for each in columns:
            codes.append(np.where(each.codes >= 0, each.codes + starts, -1))
            starts += len(each.texts)
        merged = TextColumn.of(first.name, texts.tolist(), np.concatenate(codes))
        return replace(
            merged,
            is_typed=first.is_typed,
            untrimmed=sum(each.untrimmed for each in columns),
            is_floating=any(each.is_floating for each in columns),
            zone=first.zone,
        )

    @cached_property
    def rows(self) -> np.ndarray:
        """How many rows each text has."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts))

    @property
    def filled(self) -> np.ndarray:
        """Whether each row has a value."""
        return self.codes >= 0

    @property
    def empty(self) -> int:
        """How many rows have no value."""
        return int((self.codes < 0).sum())

    def spread(self, values: np.ndarray, none: object) -> np.ndarray:
        """Return a value a row from a value a text; `none` where the row has none."""
        return np.append(values, np.array([none], dtype=values.dtype))[self.codes]

    def share(self, holds: np.ndarray) -> float:
        """Return the share of the rows with a value whose text is one of those that hold; 0 without rows."""
        rows = self.rows.sum()
        return float(self.rows[holds].sum() / rows) if rows else 0.0

    def only(self, rows: np.ndarray) -> "TextColumn":
        """Return the column of these rows, with the texts that they have."""
        codes = self.codes[rows]
        used = np.unique(codes[codes >= 0])
        places = np.where(codes >= 0, np.searchsorted(used, codes), -1)
        return replace(self, texts=self.texts.iloc[used].reset_index(drop=True), codes=places)

    def filled_down(self) -> "TextColumn":
        """Return the column in which an empty row has the value of the row above."""
        last = np.maximum.accumulate(np.where(self.filled, np.arange(len(self.codes)), -1))
        return replace(self, codes=np.where(last >= 0, self.codes[last], -1))
