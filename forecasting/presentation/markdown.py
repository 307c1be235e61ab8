"""Markdown in which names from outside stay text."""

import re
from collections.abc import Iterable, Sequence
from textwrap import shorten
from typing import Literal

# ASCII's signs without those that never mean anything: the others could open an emphasis, a tag, a list or a cell.
_SIGNS = re.compile(r"[!-~](?<![\w ,;'%/=-])|_|^-", flags=re.ASCII)
# Renderers turn addresses into links, also in escaped text; an invisible sign prevents that.
_ADDRESSES = re.compile(r"://|www|@", flags=re.IGNORECASE)
WORD_JOINER = "\u2060"
LONGEST_NAME = 60
_SPACES = re.compile(r"[\s\x00-\x1f\x7f]+")

Align = Literal["left", "right"]


def text(value: object) -> str:
    """Return a value as text of one line, none of it markup.

    By backslashes: Prefect's pages show character references as they are written.
    """
    one_line = _ADDRESSES.sub(rf"\g<0>{WORD_JOINER}", _SPACES.sub(" ", str(value)).strip())
    return _SIGNS.sub(r"\\\g<0>", one_line)


def name(value: object) -> str:
    """Return a name as text, shortened where it would push everything else out of a table."""
    return text(shorten(str(value), LONGEST_NAME, placeholder=" …"))


def code(value: object) -> str:
    """Return a value as code, such as a path, for a table's cell or a line of text."""
    one_line = _SPACES.sub(" ", str(value)).strip() or " "
    longest = max((len(ticks) for ticks in re.findall("`+", one_line)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if one_line.startswith("`") or one_line.endswith("`") else ""
    return f"{fence}{padding}{one_line}{padding}{fence}".replace("|", "\\|")


def block(language: str, content: str) -> str:
    """Return lines of code, such as a command to copy."""
    longest = max((len(ticks) for ticks in re.findall("`+", content)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{content}\n{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], align: Sequence[Align] = ()) -> str:
    """Return a table of cells that are markdown already; a column without an alignment is aligned left."""
    rules = ["---:" if side == "right" else "---" for side in align]
    rules += ["---"] * (len(head) - len(rules))
    lines = [head, rules, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """Return a table of names and values, both markdown already; the first is the head, as a table must have one."""
    return table(rows[0], [(f"**{name}**", value) for name, value in rows[1:]])
