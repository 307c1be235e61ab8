"""The dialect of a file nobody has declared yet: encoding, delimiter, and where its header stands."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from charset_normalizer import from_bytes

from forecasting.contracts.errors import DataError

# A part of UTF-8 and of most other encodings.
ASCII = "ascii"
DELIMITERS = (",", ";", "\t", "|")
LINES_LOOKED_AT = 300
# The decoding of Western files that are not UTF-8; others are taken where they give more likely words.
WESTERN = "cp1252"
_CENTRAL = "cp1250"
_OTHERS = ["cp1251", "cp1253", "cp1254", "cp1257", "shift_jis", "gb18030", "big5", "euc_kr"]
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_NUMBER = re.compile(r"[-+(]?[€$£¥]?\s?\d[\d.,'\s]*(?:[eE][-+]?\d+)?\s?[%€$£¥)]?")
_DATE = re.compile(r"\d{4}-?W\d{1,2}|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ].*)?|\d{1,2}[- ][^\W\d]{3,9}\.?[- ]\d{2,4}")
# At least so many dates in a header are columns of weeks or days.
_WIDE = 3


@dataclass(frozen=True)
class Dialect:
    """How a file is written.

    header_line: line of the header, from 1. names: of the header.
    second_header: a second line of names or units below the header, by place; empty for none.
    encoding, delimiter: of text files; sheet: of a workbook.
    """

    names: tuple[str, ...]
    header_line: int = 1
    second_header: tuple[str, ...] = ()
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str = ""


@dataclass(frozen=True)
class Header:
    """Where the header of rows stands: place of its row, and the row below it if that is a part of it."""

    place: int
    names: tuple[str, ...]
    second: tuple[str, ...] = ()


def detect_encoding(parts: Sequence[bytes], *, is_whole: bool) -> str:
    """Return the encoding of a text, by its mark, by whether it is ASCII or UTF-8, else by its words.

    Args:
        parts: the file, or its beginning and parts that begin with a line.
        is_whole: whether no character at the end of a part can be cut.
    """
    content = parts[0]
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    head = content[:4000]
    if head.count(0) > len(head) // 4:
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    if all(map(bytes.isascii, parts)):
        return ASCII
    try:
        for part in parts:
            codecs.getincrementaldecoder("utf-8")("strict").decode(part, final=is_whole)
    except UnicodeDecodeError:
        return _encoding_of_words(b"\n".join(parts))
    return "utf-8"


def detect_delimiter(text: str) -> str:
    """Return what stands between the values of a line: a `sep=` line says it, else what cuts lines most evenly."""
    lines = text.splitlines()[:LINES_LOOKED_AT]
    if lines and (said := declared_delimiter(lines[0])):
        return said
    best, most = ",", 0.0
    for delimiter in DELIMITERS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if any(row))
        (width, count), *_ = [*widths.most_common(1), (1, 0)]
        score = (count / sum(widths.values())) ** 2 * (width - 1) if count else 0.0
        # Decimal commas cut the lines of a file with semicolons as often as it has numbers, its header never.
        if score > most and next((len(row) for row in csv.reader(lines, delimiter=delimiter) if len(row) > 1), 0) > 1:
            best, most = delimiter, score
    return best


def declared_delimiter(line: str) -> str:
    """Return the delimiter of a `sep=` line, which spreadsheets write; empty where it is none."""
    found = re.fullmatch(r'\ufeff?"?sep=(.|\\t)"?\s*', line, re.IGNORECASE)
    return found[1].replace("\\t", "\t") if found else ""


def find_header(rows: Sequence[Sequence[str]], file: str) -> Header:
    """Return where the header stands among the first rows of a file; rows above it are titles.

    Raises:
        DataError: there is no header, it has a name twice, or its names are dates.
    """
    filled = [[cell.strip() for cell in row] for row in rows]
    widths = Counter(_width(row) for row in filled if _width(row) > 1)
    if not widths:
        if not any(map(_width, filled)):
            raise DataError(f"{file} is empty", "name a file with a header line and rows")
        raise DataError(f"{file} has only one column", "name a file with a column each for date and quantity")
    width = max(widths, key=lambda each: (widths[each], each))
    for place, row in enumerate(filled):  # noqa: B007 - the place of the header is used below
        dates = sum(bool(_DATE.fullmatch(cell)) for cell in row)
        if dates >= _WIDE and _width(row) >= max(width - 1, _WIDE) and not _DATE.fullmatch(row[0]):
            raise DataError(
                f"{file} has its dates in columns ({', '.join(filter(_DATE.fullmatch, row[:6]))} …)",
                "turn it so that each row has one date and one quantity",
            )
        if _is_header(row, width):
            break
        if dates and _width(row) >= min(width, 3):
            raise DataError(
                f"{file} has no header: its first row is {', '.join(row[:6])}",
                "write the names of its columns above it",
            )
    else:
        raise DataError(f"{file} has no header", "write the names of its columns into its first line")
    place, second = _header_of_two(filled, place, width)
    row = filled[place]
    names = tuple(row[: max(_width(row), min(width, len(row)))])
    if twice := [name for name, count in Counter(filter(None, names)).items() if count > 1]:
        raise DataError(f"The header of {file} names {twice[0]!r} twice", "give each column a name of its own")
    return Header(place, names, second)


def is_number(cell: str) -> bool:
    """Return whether a text looks like a number, with any marks."""
    return bool(_NUMBER.fullmatch(cell)) and not _DATE.fullmatch(cell)


def _width(row: Sequence[str]) -> int:
    """Return how many cells a row has up to its last value."""
    return max((place + 1 for place, cell in enumerate(row) if cell), default=0)


def _is_header(row: Sequence[str], width: int) -> bool:
    names = [cell for cell in row if cell]
    # A header may name fewer columns than the rows have: an unnamed first one, or unnamed last ones.
    if len(names) < max(2, round(0.6 * width)) or any(_DATE.fullmatch(cell) for cell in names):
        return False
    return sum(map(is_number, names)) <= len(names) // 2


def _header_of_two(rows: Sequence[Sequence[str]], place: int, width: int) -> tuple[int, tuple[str, ...]]:
    """Return the place of the header, and the second row of one that has two."""
    if place + 1 >= len(rows):
        return place, ()
    second = rows[place + 1]
    below = rows[place + 2 : place + 12]
    plain = [cell for cell in second if cell]
    looks_like_data = any(is_number(cell) or _DATE.fullmatch(cell) for cell in plain)
    data_below = sum(any(is_number(cell) or _DATE.fullmatch(cell) for cell in row) for row in below)
    if looks_like_data or not plain or not data_below or data_below < len([row for row in below if any(row)]):
        return place, ()
    first = rows[place][:width]
    if len(plain) >= width - 1 and len(set(plain)) == len(plain) and (len(set(first)) < len(first) or "" in first):
        return place + 1, ()
    return place, tuple(second)


def _encoding_of_words(content: bytes) -> str:
    lines = [line for line in content.splitlines() if not line.isascii()]
    text = b"\n".join(lines[:: len(lines) // LINES_LOOKED_AT + 1])
    if _is_western(text.decode(WESTERN, "replace")):
        return WESTERN
    if _is_western(text.decode(_CENTRAL, "replace")):
        return _CENTRAL
    best = from_bytes(text, cp_isolation=_OTHERS).best()
    return best.encoding if best else WESTERN


def _is_western(text: str) -> bool:
    """Return whether words look like those of Western languages: letters with accents stand among plain ones."""
    words = {word for word in re.findall(r"[^\s,;|\t\"]+", text) if not word.isascii()}
    odd = sum(
        1 for word in words for each in word if not each.isascii() and not each.isalpha() and each not in "€£°’–®™«»"
    )
    crowded = [word for word in words if sum(not each.isascii() for each in word) > max(3, len(word) / 2)]
    inside = sum(bool(re.search(r"[^\W\d_][£¥¦¿¹³¼¾]|[£¥¦¿¹³¼¾][^\W\d_]", word)) for word in words)
    return odd == 0 and inside == 0 and len(crowded) * 4 <= max(len(words), 1)
