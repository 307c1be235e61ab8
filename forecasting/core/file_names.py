"""What the names of files say: the pattern of next week's file, and dates or stores that names declare."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# Dates and weeks, which will be others next week; a short number may be a part of the name.
_CHANGING = re.compile(
    r"\d{4}[-_. ]?(?:W|KW)\d{1,2}|\d{4}[-_. ]\d{1,2}(?:[-_. ]\d{1,2})?|\d{1,2}[-_. ]\d{1,2}[-_. ]\d{4}|\d{4,}|"
    r"(?<![A-Za-z])(?:K?W|week|woche)[-_ ]?\d{1,2}(?!\d)",
    re.IGNORECASE,
)
_STORE = re.compile(r"(?:store|shop|site|branch|filiale|outlet|location)[-_ ]?$", re.IGNORECASE)


# Stand for what names declare while the rest of a name is made general.
_STORE_MARK, _DAY_MARK = "\0", "\x01"


@dataclass(frozen=True)
class NameParts:
    """What the names of files declare, one value a name; empty where not every name does.

    days: the first date in each. stores: what follows the word for a store.
    """

    days: tuple[date, ...] = ()
    stores: tuple[str, ...] = ()


def declared_by_names(names: Sequence[str]) -> NameParts:
    """Return what names of files declare."""
    days = [_day(name) for name in names]
    parts = [_store_parts(name) for name in names]
    stores = [part[1] for part in parts if part]
    is_store = len(stores) == len(names) and len({_DAY.sub("*", part[2]) for part in parts if part}) == 1
    return NameParts(
        tuple(day for day in days if day) if all(days) else (),
        tuple(stores) if is_store and len(set(stores)) > 1 else (),
    )


def pattern_of(names: Sequence[str], *, day: str = "", has_store: bool = False) -> str:
    """Return the pattern that the names of these and of coming files fit.

    Args:
        names: of files of one form.
        day: `week` or `date`, where rows have it from the name.
        has_store: whether rows have their store from the name.
    """
    patterns = {_pattern(name, day, has_store) for name in names}
    if len(patterns) == 1:
        return patterns.pop()
    return any_name(names)


def any_name(names: Sequence[str]) -> str:
    """Return the pattern of all names with the ending of these, where they share one."""
    suffixes = {PurePath(name).suffix for name in names}
    return "*" + (suffixes.pop() if len(suffixes) == 1 else "")


def _pattern(name: str, day: str, has_store: bool) -> str:
    suffix = PurePath(name).suffix
    stem = name.removesuffix(suffix)
    if has_store and (parts := _store_parts(name)):
        stem = _STORE_MARK.join((parts[0], parts[2]))
    if day:
        stem = _DAY.sub(_DAY_MARK, stem, count=1)
    general = re.sub(r"\*+", "*", _CHANGING.sub("*", stem))
    if general == stem and not day and not has_store:
        return f"*{suffix}"
    return general.replace(_STORE_MARK, "{store}").replace(_DAY_MARK, f"{{{day}}}") + suffix


def _store_parts(name: str) -> tuple[str, str, str] | None:
    """Return what stands before the store in a name without its ending, the store, and what stands behind it."""
    stem = PurePath(name).stem
    for found in re.finditer(r"[A-Za-z]+[-_ ]?", stem):
        rest = stem[found.end() :]
        if _STORE.search(found[0]) and not _DAY.match(rest) and (store := re.match(r"[^-_. ]+", rest)):
            return stem[: found.end()], store[0], rest[store.end() :]
    return None


def _day(name: str) -> date | None:
    found = _DAY.search(name)
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None
