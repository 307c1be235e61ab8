"""A layout: how the files of a panel arrive, which columns they have and how values are written in them.

A lake has one or several: history and later weeks may come in one layout, plans in another. Nothing is guessed: a value
that is not written as its layout says is quarantined, or its file refused.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal, get_args

from forecasting.contracts.errors import DataError
from forecasting.contracts.panel_definition import KEYS, PanelDefinition

# week: a row is a week, named by any of its days. day: a row is a day. transaction: many rows a day.
Grain = Literal["week", "day", "transaction"]
# What stands between the parts of an id that is made of several columns.
PARTS = " / "
# The id of a key that no column, and no part of a file's name, gives.
ONLY = "all"
DECIMAL_MARKS = (".", ",")
THOUSANDS_MARKS = ("", ".", ",", " ", "'", "’", "_", "\u00a0", "\u202f")
# What a file's name may declare.
PLACEHOLDERS = {"week": r"\d{4}-\d{2}-\d{2}", "date": r"\d{4}-\d{2}-\d{2}", "store": r".{1,200}?"}
# Date formats with a name; all others are those of `datetime.strptime`. iso: YYYY-MM-DD, with or without a time.
# iso_week: 2024-W53. excel: days since 1899-12-30.
NAMED_DATE_FORMATS = ("iso", "iso_week", "excel")


class PassedOver(StrEnum):
    """Why a row is neither accepted nor an error: it is no row of the panel, or nobody can use it."""

    LEFT_OUT = "left_out"
    REPEATED_HEADER = "repeated_header"
    PARTIAL_WEEK = "partial_week"
    UNKNOWN_UNITS = "unknown_units"
    NEVER_SOLD = "never_sold"


@dataclass(frozen=True)
class Layout:
    """How files are read.

    name: for people.
    files: pattern of the names of its files: `*` is anything; `{week}`, `{date}` and `{store}` are what names declare.
    columns: by `store`, `product`, `date`, `units`, `revenue`, the names of covariates and of attributes, and
        `store_name` and `product_name`, the columns of the file. Ids of several columns are joined by ` / `. Without
        `units` a file holds plans only. Without `product`, or `store`, a row of plans is of all of them; a row of sales
        is of the one named `all`. A price without a column is revenue by units, where `revenue` has one.
    grain: what a row is; days and transactions are summed to weeks.
    date_format: `iso`, `iso_week`, `excel`, or a format of `datetime.strptime`.
    delimiter, encoding, decimal, thousands: of text files.
    sheet: of a workbook; empty for the first.
    header_line: line of the header; those above it are passed over.
    fill_down: whether an empty id is that of the row above (merged cells of a spreadsheet).
    empty: texts that mean no value, beside the empty one.
    leave_out: values by column of the file; their rows, such as totals, are passed over and counted.
    """

    name: str
    columns: Mapping[str, tuple[str, ...]]
    files: str = "*"
    grain: Grain = "week"
    date_format: str = "iso"
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    thousands: str = ""
    sheet: str = ""
    header_line: int = 1
    fill_down: bool = False
    empty: tuple[str, ...] = ()
    leave_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if "date" not in self.columns and not {"{week}", "{date}"} & set(re.findall(r"\{\w+\}", self.files)):
            raise DataError(f"The layout {self.name!r} has no column for the date", 'add `date = ["…"]` to its columns')
        if self.grain not in get_args(Grain):
            raise DataError(
                f"The layout {self.name!r} has grain={self.grain!r}", f"give it {' or '.join(get_args(Grain))}"
            )
        if self.header_line < 1:
            raise DataError(f"The layout {self.name!r} has header_line={self.header_line}", "count lines from 1")
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise DataError(f"The layout {self.name!r} has delimiter={self.delimiter!r}", "give it one character")
        if self.decimal not in DECIMAL_MARKS or self.thousands not in THOUSANDS_MARKS or self.decimal == self.thousands:
            raise DataError(
                f"The layout {self.name!r} has decimal={self.decimal!r} and thousands={self.thousands!r}",
                'give it decimal="." or ",", and another mark, a space, or none between thousands',
            )

    def require(self, definition: PanelDefinition) -> None:
        """Check that the layout gives what the definition declares, and nothing else.

        Raises:
            DataError: a column is of nothing that the definition has, or ids that are numbers have no column.
        """
        described = [each.name for key in KEYS for each in definition.described(key)]
        allowed = ["store", "product", "date", "units", "revenue", *definition.names, *described]
        if unknown := [name for name in self.columns if name not in allowed]:
            raise DataError(
                f"The layout {self.name!r} has a column for {unknown[0]!r}, which the panel definition does not have",
                f"name one of {', '.join(allowed)}, or declare the covariate or attribute",
            )
        for name, key in (("store", definition.store), ("product", definition.product)):
            is_named = name in self.columns or (name == "store" and "{store}" in self.files)
            if key.id == "number" and "units" in self.columns and not is_named:
                raise DataError(
                    f"The layout {self.name!r} has no column for {name!r}, whose ids are numbers",
                    f'name its column, or give it id = "text": then all rows are of the {key.word} {ONLY!r}',
                )

    def match(self, file_name: str) -> dict[str, str] | None:
        """Return what the name of a file declares, by placeholder; None where it is no file of this layout."""
        pattern = "".join(_pattern(part) for part in re.split(r"(\{\w+\}|\*)", self.files))
        found = re.fullmatch(pattern, file_name, re.DOTALL)
        return found.groupdict() if found else None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values; `from_dict` is the inverse."""
        return asdict(self)

    @staticmethod
    def from_dict(plain: Mapping[str, Any]) -> "Layout":
        """Return the layout that `as_dict` gave.

        Raises:
            DataError: the values are those of no layout.
        """
        try:
            lists = {name: {key: tuple(value) for key, value in plain.get(name, {}).items()} for name in _LISTS}
            return Layout(**{**plain, **lists, "empty": tuple(plain.get("empty", ()))})
        except (AttributeError, TypeError, ValueError) as error:
            raise DataError(
                f"A layout of the panel definition cannot be read ({type(error).__name__}: {error})",
                "correct reference/panel.toml of the lake, or restore it from a copy",
            ) from error


def store_files(definition: PanelDefinition) -> tuple[Layout, ...]:
    """Return the layouts of one file a store and week, or day, whose columns have the names of the definition."""
    columns = {name: (name,) for name in ("store", "product", "units", *definition.names)}
    return (
        Layout("weekly files of a store", {**columns, "date": ("week",)}, files="{week}_store-{store}.*"),
        Layout("daily files of a store", {**columns, "date": ("date",)}, files="{date}_store-{store}.*", grain="day"),
    )


_LISTS = ("columns", "leave_out")


def _pattern(part: str) -> str:
    if part == "*":
        return ".*"
    name = part.strip("{}")
    if part == f"{{{name}}}" and name in PLACEHOLDERS:
        return f"(?P<{name}>{PLACEHOLDERS[name]})"
    return re.escape(part)
