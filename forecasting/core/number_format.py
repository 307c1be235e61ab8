"""How the numbers of a file are written: its decimal mark, and the mark between thousands."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from forecasting.core.numbers import parse_numbers
from forecasting.core.text_column import NO_VALUE, TextColumn

# A column is one of numbers if so many of its values are.
NUMERIC_SHARE = 0.95
TEXTS_LOOKED_AT = 5000
_FORM = re.compile(r"[-+]?\d[\d.,'’\u00a0\u202f ]*")
_CURRENCY = re.compile(r"[$€£¥₹]|\b(?:USD|EUR|GBP|CHF|SEK|PLN)\b")


@dataclass(frozen=True)
class NumberFormat:
    """The marks of numbers. doubt: a sentence where the file leaves it open, else empty."""

    decimal: str = "."
    thousands: str = ""
    doubt: str = ""


def detect_number_format(columns: Iterable[TextColumn]) -> NumberFormat:
    """Return the marks of the numbers of a file, from all columns that look like numbers."""
    votes: Counter[tuple[str, str]] = Counter()
    example: dict[tuple[str, str], str] = {}
    for column in columns:
        texts = [text for text in column.texts[:TEXTS_LOOKED_AT] if text not in NO_VALUE]
        if not texts or sum(bool(_FORM.fullmatch(text)) for text in texts) < NUMERIC_SHARE * len(texts):
            continue
        for text in texts:
            vote = _vote(text)
            votes[vote] += 1
            example.setdefault(vote, text)
    sure = Counter({vote: count for vote, count in votes.items() if "?" not in vote})
    decimal = _most(sure, 0, ".,")
    thousands = _most(sure, 1, ".,'’ \u00a0\u202f")
    open_votes = {mark: votes["?", mark] for mark in ",." if votes["?", mark]}
    doubt = ""
    for mark, count in open_votes.items():
        text = example["?", mark]
        if decimal in (mark, "") and not thousands and decimal != ("." if mark == "," else ","):
            # One comma before three digits in every number: thousands. One point: decimals, as programs write them.
            if mark == "," and not decimal:
                thousands = mark
                doubt = (
                    f"`{text}` may have a decimal comma: all {count:,} commas stand before three digits, so they are "
                    "read as marks of thousands"
                )
            elif mark == "." and not decimal:
                doubt = (
                    f"`{text}` may mean thousands: all {count:,} points stand before three digits, so read as decimals"
                )
        elif not thousands and decimal and decimal != mark:
            thousands = mark
    decimal = decimal or "."
    if thousands == decimal:
        decimal = "," if thousands == "." else "."
    return NumberFormat(decimal, thousands, doubt)


def numbers(column: TextColumn, form: NumberFormat) -> np.ndarray | None:
    """Return the number of each text of a column, NaN where it has none; None if the column is not one of numbers."""
    texts = column.texts
    head = texts[:200]
    if len(head) and head.str.contains(r"\d").sum() + head.isin(NO_VALUE).sum() < 0.5 * len(head):
        return None
    found = parse_numbers(texts, is_whole=False, decimal=form.decimal, thousands=form.thousands).numbers
    known = ~texts.isin(NO_VALUE).to_numpy(dtype=bool)
    if not known.any():
        return None
    is_one = np.isfinite(found)
    return found if column.rows[is_one].sum() >= NUMERIC_SHARE * column.rows[known].sum() else None


def currency_of(texts: Iterable[str]) -> str:
    """Return the sign of the first text that has one; empty for none."""
    return next((found[0] for text in texts if (found := _CURRENCY.search(text))), "")


def _vote(text: str) -> tuple[str, str]:
    """Return the decimal mark and the mark of thousands that one number speaks for; ("?", mark) where it is open."""
    body = text.lstrip("+-").strip()
    for space in ("'", "’", "\u00a0", "\u202f", " "):
        if space in body:
            if not re.fullmatch(rf"\d{{1,3}}(?:{space}\d{{3}})+(?:[.,]\d+)?", body):
                return "", ""
            rest = body.replace(space, "")
            return (_vote(rest)[0] if "?" not in _vote(rest) else "", space)
    last = max(body.rfind("."), body.rfind(","))
    if last < 0:
        return "", ""
    mark, other = body[last], "." if body[last] == "," else ","
    if other in body:
        return mark, other
    if body.count(mark) > 1:
        return other, mark
    digits, before = len(body) - last - 1, body[:last]
    if digits != 3 or len(before) > 3 or before == "0":
        return mark, ""
    return "?", mark


def _most(votes: Counter[tuple[str, str]], place: int, marks: str) -> str:
    counts = Counter({mark: sum(n for vote, n in votes.items() if vote[place] == mark) for mark in marks})
    (mark, count), *_ = counts.most_common(1)
    return mark if count else ""
