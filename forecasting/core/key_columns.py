"""Which columns make the keys of a panel: those that, with the date, name each row once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecasting.core import column_names as names
from forecasting.core.column_roles import Reading, Roles
from forecasting.core.text_column import TextColumn

# So few rows may repeat a key and date before rows count as parts of a day.
FEW_REPEATS = 0.005
# Words of this rank or more may mean something else than a key.
WEAK = 3
NO_DAY = np.iinfo(np.int64).min
_WHOLE_ID = re.compile(r"0|[1-9]\d{0,17}")


@dataclass(frozen=True, eq=False)
class KeyColumns:
    """The columns of both keys, in the order of the file, and how the rows fall on them.

    store, product: empty where the file has none. repeats: share of rows whose keys and date another row has.
    """

    store: tuple[Reading, ...]
    product: tuple[Reading, ...]
    repeats: float
    doubts: tuple[str, ...]

    @property
    def columns(self) -> tuple[Reading, ...]:
        """The columns of both keys."""
        return self.store + self.product


def choose_keys(roles: Roles, days: np.ndarray, like: KeyColumns | None = None) -> KeyColumns:
    """Return the keys of a file.

    Args:
        roles: what its other columns are.
        days: the day of each row, as days since 1970; NO_DAY where it has none.
        like: the keys of the file with the sales: columns of the same names are those keys here too.
    """
    candidates = [each for each in roles.others if _may_be_key(each)]
    if like is not None:
        return _as_elsewhere(candidates, days, like)
    worded = [(word, each) for each in candidates if (word := names.key_word(each.name))]
    worded.sort(key=lambda pair: (pair[0].rank, names.is_name_beside_code(pair[1].name)))
    store = [each for word, each in worded if word.side == "store"][:1]
    product = [each for word, each in worded if word.side == "product"][:1]
    for weak in [each for word, each in worded if word.rank >= WEAK and each in store + product]:
        rest = [each for each in store + product if each is not weak]
        # Such as the type of a holiday: keys and date are one row without it, and it changes with the date.
        if rest and _repeats(rest, days) <= FEW_REPEATS and not _depends_on(weak, rest):
            store, product = (
                [each for each in store if each is not weak],
                [each for each in product if each is not weak],
            )
    base = [*store, *product]
    has_time = bool(roles.date and roles.date.dates and roles.date.dates.has_time)
    repeats = _repeats(base, days)
    added: list[Reading] = []
    if repeats > FEW_REPEATS and not has_time:
        others = [each for each in candidates if names.key_word(each.name) is None]
        others.sort(key=lambda each: each.numbers is not None and not _has_leading_zeros(each.column))
        more = [*(each for _, each in worded if each not in base), *others]
        added, left = _extension(base, more, days, repeats)
        if left <= FEW_REPEATS:
            repeats = left
        else:
            added = []
    for each in added:
        word = names.key_word(each.name)
        side = word.side if word else "product" if not product or store else "store"
        (store if side == "store" else product).append(each)
    place = {id(each): at for at, each in enumerate(roles.others)}
    store.sort(key=lambda each: place[id(each)])
    product.sort(key=lambda each: place[id(each)])
    doubts = [
        f"{_named(key)} together make the key, as none of them alone names each row of a date once"
        for key in (store, product)
        if len(key) > 1
    ]
    if not store and not product and repeats <= FEW_REPEATS:
        doubts.append("No column names a store or a product: the file is taken as one series")
    unnamed = [each for each in added if names.key_word(each.name) is None]
    doubts += [f"`{each.name}` is taken as a key, as rows of a date differ by it" for each in unnamed]
    return KeyColumns(tuple(store), tuple(product), repeats, tuple(doubts))


def codes_of(columns: Sequence[TextColumn], rows: int) -> np.ndarray:
    """Return a number for each combination of values, the same for equal ones; -1 where one has no value."""
    total = np.zeros(rows, dtype=np.int64)
    empty = np.zeros(rows, dtype=bool)
    for column in columns:
        empty |= column.codes < 0
        total = pd.factorize(total * (len(column.texts) + 1) + column.codes + 1)[0].astype(np.int64)
    return np.where(empty, -1, total)


def is_number_id(columns: Sequence[TextColumn]) -> bool:
    """Return whether ids are whole numbers without leading zeros; floating ones such as 101.0 are, if all are whole."""
    if len(columns) != 1:
        return False
    texts = columns[0].texts
    if columns[0].is_floating:
        texts = texts.str.replace(r"\.0$", "", regex=True)
    return bool(len(texts)) and all(map(_WHOLE_ID.fullmatch, texts))


def _has_leading_zeros(column: TextColumn) -> bool:
    return bool(column.texts.str.fullmatch(r"0\d+").any())


def _may_be_key(reading: Reading) -> bool:
    if names.is_never_key(reading.name) or reading.is_flag or reading.dates:
        return False
    column = reading.column
    if reading.numbers is not None and not (reading.is_whole or column.is_floating):
        return False
    return names.key_word(reading.name) is not None or len(column.texts) <= max(20, len(column.codes) // 20)


def _repeats(columns: Sequence[Reading], days: np.ndarray) -> float:
    keys = codes_of([each.column for each in columns], len(days))
    known = (keys >= 0) & (days != NO_DAY)
    if not known.any():
        return 0.0
    cells = keys[known] * 100_000 + (days[known] - days[known].min())
    return 1 - len(pd.unique(cells)) / len(cells)


def _extension(
    base: Sequence[Reading], more: Sequence[Reading], days: np.ndarray, repeats: float
) -> tuple[list[Reading], float]:
    """Return the few columns that make the keys name each row of a date once, and the share that they leave."""
    added: list[Reading] = []
    pool = list(more)
    while repeats > FEW_REPEATS and pool and len(added) < 3:
        tried = [(_repeats([*base, *added, each], days), at) for at, each in enumerate(pool)]
        least, _ = min(tried)
        # The first that does nearly as well: candidates stand by how surely their names are those of keys.
        at = next(at for left, at in tried if left <= least + FEW_REPEATS)
        if tried[at][0] >= repeats * 0.98:
            break
        repeats = tried[at][0]
        added.append(pool.pop(at))
    return added, repeats


def _as_elsewhere(candidates: Sequence[Reading], days: np.ndarray, like: KeyColumns) -> KeyColumns:
    named = {names.tokens(each.name): each for each in candidates}
    sides: dict[str, list[Reading]] = {"store": [], "product": []}
    for side, columns in (("store", like.store), ("product", like.product)):
        found = [named[names.tokens(each.name)] for each in columns if names.tokens(each.name) in named]
        if len(found) == len(columns):
            sides[side] = found
        elif columns:
            words = [each for each in candidates if (word := names.key_word(each.name)) and word.side == side]
            sides[side] = words[:1] if len(columns) == 1 else []
    chosen = [*sides["store"], *sides["product"]]
    return KeyColumns(tuple(sides["store"]), tuple(sides["product"]), _repeats(chosen, days), ())


def _depends_on(reading: Reading, on: Sequence[Reading]) -> bool:
    """Return whether a column has the same value in all rows of a key."""
    keys = codes_of([each.column for each in on], len(reading.column.codes))
    known = (keys >= 0) & reading.column.filled
    pairs = keys[known] * (len(reading.column.texts) + 1) + reading.column.codes[known]
    return len(pd.unique(pairs)) == len(pd.unique(keys[known]))


def _named(columns: Sequence[Reading]) -> str:
    return " and ".join(f"`{each.name}`" for each in columns)
