"""Which columns say something of stores and products: their names, and attributes such as a category."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.contracts.panel_definition import KEYS, RESERVED, Attribute, KeyName
from forecasting.core import column_names as names
from forecasting.core.column_roles import Reading
from forecasting.core.key_columns import WEAK, KeyColumns, codes_of
from forecasting.core.panel_rows import words_of
from forecasting.core.trade_words import KeyWord

# A text that is the same in all rows of a key says nothing where a key has so few rows.
FEWEST_ROWS_A_KEY = 2
# Names may be written anew, or by hand: so many keys may have several.
MOST_RENAMED = 0.25
# A text that so many keys have for themselves names them; one that fewer have groups them.
MOSTLY_UNIQUE = 0.9
# Words of this rank or more are those of groups, such as category and family.
GROUPS = 5


@dataclass(frozen=True)
class AttributeColumns:
    """What columns say of stores and products.

    columns: columns of the file by their names in a layout: `store_name`, `product_name`, and attributes.
    category: the attribute of products that groups them; empty without one. doubts: what to check.
    """

    columns: Mapping[str, tuple[str, ...]]
    store: tuple[Attribute, ...]
    product: tuple[Attribute, ...]
    category: str
    doubts: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Text:
    """A text beside the ids of a key: `texts` different ones of `keys` ids, of which `several` have more than one."""

    reading: Reading
    key: KeyName
    texts: int
    keys: int
    several: int

    @property
    def is_steady(self) -> bool:
        return self.several == 0

    @property
    def is_unique(self) -> bool:
        return self.texts > MOSTLY_UNIQUE * self.keys

    @property
    def may_be_name(self) -> bool:
        if names.is_name_beside_code(self.reading.name):
            return self.several <= MOST_RENAMED * self.keys and self.texts >= self.keys / 2
        word = names.key_word(self.reading.name)
        return self.is_steady and self.is_unique and not names.is_code(self.reading.name) and _rank(word) < WEAK


def propose_attributes(others: Sequence[Reading], keys: KeyColumns, taken: Collection[str]) -> AttributeColumns:
    """Return the names and attributes of stores and products.

    Args:
        others: columns without a role, in the order of the file.
        keys: of the same file.
        taken: names that attributes cannot have.
    """
    key_columns = {id(each) for each in keys.columns}
    readings = [each for each in others if id(each) not in key_columns and _is_text(each)]
    texts = [found for each in readings if (found := _text_of(each, keys))]
    columns: dict[str, tuple[str, ...]] = {}
    attributes: dict[KeyName, list[Attribute]] = {key: [] for key in KEYS}
    groups: list[tuple[str, _Text]] = []
    doubts = []
    for key in KEYS:
        of_key = [each for each in texts if each.key == key]
        named = [each for each in of_key if each.may_be_name]
        name = min(named, key=lambda each: not names.is_name_beside_code(each.reading.name), default=None)
        if name:
            columns[f"{key}_name"] = (name.reading.name,)
            doubts.append(_name_doubt(name))
        for each in of_key:
            if each is not name and each.is_steady:
                attribute = _attribute(each.reading, {*taken, *columns})
                columns[attribute.name] = (each.reading.name,)
                attributes[key].append(attribute)
                if key == "product" and not each.is_unique:
                    groups.append((attribute.name, each))
    category = min(groups, key=lambda pair: _rank(names.key_word(pair[1].reading.name)) < GROUPS, default=None)
    for key in KEYS:
        if attributes[key]:
            read = [columns[each.name][0] for each in attributes[key]]
            doubt = f"{words_of(read)} {'depends' if len(read) == 1 else 'depend'} on the {key} alone, and "
            doubt += f"{'is read as an attribute' if len(read) == 1 else 'are read as attributes'} of it"
            if key == "product" and category:
                doubt += f"; `{category[1].reading.name}` is the category that stands in the order sheet"
            doubts.append(doubt)
    return AttributeColumns(
        columns,
        tuple(attributes["store"]),
        tuple(attributes["product"]),
        category[0] if category else "",
        tuple(doubts),
    )


def _is_text(reading: Reading) -> bool:
    is_other = reading.numbers is not None or reading.dates is not None or reading.is_flag
    return not is_other and not names.is_never_key(reading.name) and len(reading.column.texts) > 1


def _text_of(reading: Reading, keys: KeyColumns) -> _Text | None:
    """Return what a column says of the key on which it depends; None where it depends on none."""
    by_key: tuple[tuple[KeyName, tuple[Reading, ...]], ...] = (("product", keys.product), ("store", keys.store))
    found = [each for key, columns in by_key if columns and (each := _beside(reading, key, columns))]
    found = [each for each in found if each.is_steady or each.may_be_name]
    word = names.key_word(reading.name)
    return min(found, key=lambda each: word is not None and word.side != each.key, default=None)


def _beside(reading: Reading, key: KeyName, columns: Sequence[Reading]) -> _Text | None:
    codes = codes_of([each.column for each in columns], len(reading.column.codes))
    known = (codes >= 0) & reading.column.filled
    size = len(reading.column.texts) + 1
    pairs = np.unique(codes[known] * size + reading.column.codes[known])
    counts = np.unique(pairs // size, return_counts=True)[1]
    if known.sum() < FEWEST_ROWS_A_KEY * len(counts):
        return None
    return _Text(reading, key, len(reading.column.texts), len(counts), int((counts > 1).sum()))


def _rank(word: KeyWord | None) -> int:
    return word.rank if word else 0


def _attribute(reading: Reading, taken: Collection[str]) -> Attribute:
    name = names.identifier(reading.name)
    while name in RESERVED or name in taken:
        name += "_text"
    return Attribute(name, "text", f"as in the column {reading.name}")


def _name_doubt(name: _Text) -> str:
    doubt = f"`{name.reading.name}` is read as the name of each {name.key}, and shown beside its id"
    if name.several:
        doubt += f": {name.several:,} of {name.keys:,} have several, and that of the latest row counts"
    return doubt
