"""Names and attributes of stores and products, as the rows of sales state them.

No forecast depends on them: a value that is empty or cannot be read is unknown, and breaks no rule.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from forecasting.contracts.layout import Layout
from forecasting.contracts.panel_definition import KEYS, Attribute, Id, Key, KeyName, readable
from forecasting.core.ids import AROUND, parse_id
from forecasting.core.inspection import Rows, counted
from forecasting.core.numbers import parse_numbers

# Whole attributes have 32 bits.
LARGEST_WHOLE = 2**31 - 1
_MOST_CHARACTERS = 60
_DTYPES = {"whole": "Int64", "decimal": "Float64", "text": "str"}

# Of stores and of products: one row per id that has a value, the id and columns of its table, empty where unknown.
Attributes = Mapping[KeyName, pd.DataFrame]


def find_attributes(rows: Rows, known: Attributes, last_week: pd.Timestamp) -> Attributes:
    """Return what the sound rows say of stores and products; note what they leave open.

    Of several values of an id that of the latest row counts.

    Args:
        rows: inspected; get notes about ids without a value, with several values, and about values nobody can read.
        known: the tables `stores` and `products`.
        last_week: the last collected one, or NaT. Rows of earlier weeks change no value, they only add those that are
            not known.
    """
    return {key: _of_key(rows, key, known[key], last_week) for key in KEYS}


def _of_key(rows: Rows, key: KeyName, known: pd.DataFrame, last_week: pd.Timestamp) -> pd.DataFrame:
    found = {}
    read = [each for each in rows.definition.described(key) if any(each.name in of.columns for of in rows.layouts)]
    for attribute in read:
        column = "name" if attribute.name == f"{key}_name" else attribute.name
        before = _known_values(known, key, column)
        stated = _stated(rows, key, attribute)
        _say_several(rows, key, attribute, stated)
        latest = stated.drop_duplicates("id", keep="last").set_index("id")
        _say_unknown(rows, key, attribute, [*latest.index, *before.index])
        is_new = ~(latest["week"] < last_week) | ~latest.index.isin(before.index)
        found[column] = pd.Series(latest["value"][is_new], dtype=_DTYPES[attribute.kind])
    return pd.DataFrame(found).rename_axis(key).reset_index()


def _known_values(known: pd.DataFrame, key: KeyName, column: str) -> pd.Series:
    """Return the values that ids have; a name that is the id itself is none."""
    values = known.reindex(columns=[key, column]).set_index(key)[column].dropna()
    return values[values.astype(str) != values.index.astype(str)] if column == "name" else values


def _stated(rows: Rows, key: KeyName, attribute: Attribute) -> pd.DataFrame:
    """Return each different pair of `id` and `value` of the sound rows with its last `week`, the latest row last."""
    values: dict[object, int] = {}
    of_row = np.full(len(rows.frame), -1)
    for layout, of_layout in rows.by_layout():
        at = of_layout[rows.is_sound[of_layout]]
        if attribute.name not in layout.columns or not len(at):
            continue
        codes, texts = rows.distinct(attribute.name, at)
        parsed = _parse(texts, attribute, layout)
        of_row[at] = np.array([-1 if each is None else values.setdefault(each, len(values)) for each in parsed])[codes]
        is_empty = texts.str.strip(AROUND).isin(["", *layout.empty]).to_numpy(dtype=bool)
        is_unreadable = np.array([each is None for each in parsed]) & ~is_empty
        if is_unreadable.any():
            example = str(texts[is_unreadable].iloc[0])[:_MOST_CHARACTERS]
            lines = counted(int(is_unreadable[codes].sum()), "row")
            rows.notes.append(f"{attribute.name} is unknown in {lines}: {example!r} is no {_form(attribute)}")
    ids = rows.parsed[key].cat.codes.to_numpy()
    stated = np.flatnonzero((of_row >= 0) & (ids >= 0))
    stated = stated[np.argsort(rows.parsed["date"].to_numpy()[stated], kind="stable")]
    pairs = pd.DataFrame({"id": ids[stated], "value": of_row[stated], "week": rows.parsed["week"].to_numpy()[stated]})
    pairs = pairs.drop_duplicates(["id", "value"], keep="last")
    found, categories = np.array([*values], dtype=object), rows.parsed[key].cat.categories
    return pairs.assign(id=categories[pairs["id"].to_numpy()], value=found[pairs["value"].to_numpy()])


def _parse(texts: pd.Series, attribute: Attribute, layout: Layout) -> list[object]:
    """Return the value of each text; None where it is empty or cannot be read."""
    if attribute.kind == "text":
        return [parse_id(text, "text", layout.empty).value for text in texts]
    is_whole = attribute.kind == "whole"
    written = texts.str.strip(AROUND)
    written = written.where(~written.isin(layout.empty), "")
    numbers = parse_numbers(written, is_whole=is_whole, decimal=layout.decimal, thousands=layout.thousands).numbers
    if is_whole:
        return [int(each) if abs(each) <= LARGEST_WHOLE else None for each in numbers]
    return [None if np.isnan(each) else float(each) for each in numbers]


def _form(attribute: Attribute) -> str:
    forms = {"whole": "whole number", "decimal": "number", "text": "text of 200 characters without line breaks"}
    return forms[attribute.kind]


def _say_several(rows: Rows, key: KeyName, attribute: Attribute, stated: pd.DataFrame) -> None:
    ids = stated.loc[stated["id"].duplicated(), "id"].drop_duplicates()
    if len(ids):
        who = _named(ids.iloc[0], len(ids), _key(rows, key))
        rows.notes.append(f"{attribute.name} has several values for {who}: that of the latest row counts")


def _say_unknown(rows: Rows, key: KeyName, attribute: Attribute, known: list[Id]) -> None:
    given = [place for place, layout in enumerate(rows.layouts) if attribute.name in layout.columns]
    here = rows.parsed.loc[rows.is_sound & np.isin(rows.layout, given), key]
    ids = here.cat.remove_unused_categories().cat.categories
    ids = ids[~ids.isin(known)]
    if len(ids):
        rows.notes.append(f"{attribute.name} is unknown for {_named(ids[0], len(ids), _key(rows, key))}: no row has it")


def _key(rows: Rows, key: KeyName) -> Key:
    return rows.definition.store if key == "store" else rows.definition.product


def _named(first: Id, count: int, key: Key) -> str:
    return key.named(first) if count == 1 else f"{count} {key.words}, such as {readable(first)}"
