"""Ids of stores and products, as the retailer writes them."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from forecasting.contracts.panel_definition import Id, IdType
from forecasting.core.numbers import INFINITE, NOT_A_NUMBER

MOST_CHARACTERS = 200
LARGEST_NUMBER = 2**63 - 1
WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
# What nobody sees at the ends of a text: white space, the byte order mark, and spaces without width.
AROUND = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u2060\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200C))
)
# Control characters and line separators, and marks that turn the direction of the text around them.
CONTROL_CATEGORIES = ("Cc", "Zl", "Zp")
DIRECTION_MARKS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@dataclass(frozen=True)
class ParsedId:
    """The id of a text.

    value: None where the text breaks a rule.
    rule: the rule that it breaks, or empty.
    is_trimmed: whether it had spaces around it. is_composed: whether it was in another Unicode form than NFC.
    """

    value: Id | None
    rule: str = ""
    is_trimmed: bool = False
    is_composed: bool = False


def parse_id(text: str, id_type: IdType, empty: Iterable[str] = ()) -> ParsedId:
    """Return the id of a text; `empty` are the texts that mean no value."""
    trimmed = text.strip(AROUND)
    if trimmed == "" or trimmed in empty:
        return ParsedId(None, "missing_value")
    value = unicodedata.normalize("NFC", trimmed)
    if any(unicodedata.category(each) in CONTROL_CATEGORIES or each in DIRECTION_MARKS for each in value):
        return ParsedId(None, "control_character")
    if len(value) > MOST_CHARACTERS:
        return ParsedId(None, "too_long")
    if id_type == "number" and (rule := _number_rule(value)):
        return ParsedId(None, rule)
    is_trimmed, is_composed = trimmed != text, value != trimmed
    return ParsedId(value if id_type == "text" else int(value), "", is_trimmed, is_composed)


def _number_rule(text: str) -> str:
    lowered = text.lower()
    if lowered in INFINITE:
        return "infinite"
    if lowered in NOT_A_NUMBER:
        return "missing_value"
    if not WHOLE.fullmatch(text):
        return "not_a_number"
    if len(text) > len(str(LARGEST_NUMBER)) + 1 or abs(int(text)) > LARGEST_NUMBER:
        return "out_of_range"
    return "negative" if text.startswith("-") else ""
