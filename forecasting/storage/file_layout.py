"""The layout of a file: the first whose pattern its name fits, and whose columns it has."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from forecasting.contracts.calendar import week_of
from forecasting.contracts.layout import Layout
from forecasting.core.dates import FIRST_YEAR, LAST_YEAR
from forecasting.storage.formats import PARQUET_FILE, UnreadableFileError, format_of

# A file's header is named in messages, but not all of a wide one.
MOST_CHARACTERS = 200


@dataclass(frozen=True)
class Match:
    """A layout that the name of a file fits: its place among the layouts, and what the name declares."""

    place: int
    layout: Layout
    declared: Mapping[str, str]

    @property
    def day(self) -> date | None:
        text = self.declared.get("week") or self.declared.get("date")
        return date.fromisoformat(text) if text else None

    def week(self, week_starts_on: int) -> date | None:
        """The week that the name declares."""
        return week_of(self.day, week_starts_on) if self.day else None


def match_layouts(name: str, layouts: Sequence[Layout]) -> list[Match]:
    """Return the layouts that declare files of this name, with what the name declares."""
    found = []
    for place, layout in enumerate(layouts):
        declared = layout.match(name)
        if declared is not None:
            match = Match(place, layout, declared)
            try:
                possible = match.day is None or FIRST_YEAR <= match.day.year <= LAST_YEAR
            except ValueError:
                continue  # such as the 30th of February
            if possible:
                found.append(match)
    return found


def clean_name(column: str) -> str:
    """Return the name of a column without spaces around it, in one Unicode form."""
    return unicodedata.normalize("NFC", column.strip())


def used_columns(layout: Layout) -> list[str]:
    """Return the columns of the file that the layout uses, each once."""
    used = [column for columns in layout.columns.values() for column in columns]
    return list(dict.fromkeys([*used, *layout.leave_out]))


def choose_layout(name: str, content: bytes, matches: Sequence[Match]) -> tuple[Match, dict[str, str]]:
    """Return the first layout whose columns the file has, and the file's own names of its columns by clean name.

    Raises:
        UnreadableFileError: there is none; it is that of the layout of which the fewest columns are lacking.
    """
    errors: list[tuple[int, UnreadableFileError]] = []
    kind = format_of(name, content)
    for match in matches:
        needed = [clean_name(column) for column in used_columns(match.layout)]
        try:
            raw = kind.header(content, match.layout)
        except UnreadableFileError as error:
            errors.append((len(needed), error))
            continue
        found = [clean_name(column) for column in raw]
        lacking = [column for column in needed if column not in found]
        twice = [column for column in needed if found.count(column) > 1]
        if not lacking and not twice:
            return match, dict(zip(found, raw, strict=True))
        problem = f"the header is {','.join(found)[:MOST_CHARACTERS]!r}, it "
        if twice:
            problem += f"names {twice[0]!r} {found.count(twice[0])} times: keep one column of that name"
        else:
            problem += f"lacks {', '.join(lacking)} ({match.layout.name}): add what is lacking"
        errors.append((len(lacking), UnreadableFileError("wrong_header", problem, match.layout.header_line)))
        if kind is PARQUET_FILE and len(set(raw)) == len(raw):
            # A damaged file says that it is, whatever its columns are.
            kind.read(content, match.layout, raw, "UTC", None, lambda _: None)
    raise min(errors, key=lambda each: each[0])[1]
