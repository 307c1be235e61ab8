"""The panel file of a lake, `reference/panel.toml`: the panel definition and the layouts, commented, to be edited."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Table as TomlTable

from forecasting.contracts.calendar import DAY_NAMES
from forecasting.contracts.errors import DataError
from forecasting.contracts.layout import Layout
from forecasting.contracts.panel_definition import PanelDefinition

# The comments that stand beside values.
_COMMENTS = {
    "units": "what is counted, one and many",
    "currency": "sign before a price",
    "whole_units": "false: units have decimals",
    "negative_units": "true: a week may have less than 0 units once returns are netted",
    "unsold": "written: a missing row is unknown; left_out: a missing row is 0 units",
    "empty_units": "a row of a past week without units is: quarantine, unknown or zero",
    "new_ids": "rows of a new store or product: quarantine or accept",
    "week_starts_on": "the day that opens a week",
    "time_zone": "in which a week closes",
    "holidays": "country code whose public holidays models may use, such as US; empty for none",
    "category": "attribute of products that groups them; empty for none",
    "id": "number or text; text keeps leading zeros",
    "role": "price, flag (0 or 1), share (0 to 1) or number",
    "files": "names of the files: * is anything; {week}, {date} and {store} are what a name declares",
    "grain": "a row is a week, a day or a transaction",
    "date_format": "iso, iso_week (2024-W53), excel (day numbers), or such as %d.%m.%Y",
    "delimiter": "between the values of a line",
    "decimal": "decimal mark",
    "thousands": "mark between thousands; empty for none",
    "sheet": "of a workbook; empty for the first",
    "header_line": "line of the header, counted from 1",
    "fill_down": "true: an empty id is that of the row above",
    "leave_out": "rows with these values are passed over, such as totals",
}
_INTRODUCTION = (
    "The panel definition: what the sales of this lake are, and how their files are written.",
    "Edit it before the first `oj import`.",
)


def render(definition: PanelDefinition, layouts: Sequence[Layout], doubts: Sequence[str] = ()) -> str:
    """Return the text of the file.

    Args:
        definition: what the sales are.
        layouts: how files arrive.
        doubts: sentences for the top of the file, about what somebody should check.
    """
    document = tomlkit.document()
    for line in (*_INTRODUCTION, *(f"CHECK: {doubt}" for doubt in doubts)):
        for part in line.splitlines():
            document.add(tomlkit.comment(part))
    document.add(tomlkit.nl())
    plain = definition.as_dict() | {"week_starts_on": DAY_NAMES[definition.week_starts_on]}
    for name, value in plain.items():
        if not isinstance(value, dict | tuple | list):
            _add(document, name, value)
    for name in ("store", "product"):
        document.add(name, _table(plain[name]))
    for name in ("covariates", "store_attributes", "product_attributes"):
        if plain[name]:
            document.add(name, _tables(plain[name]))
    document.add("layouts", _tables([layout.as_dict() for layout in layouts]))
    return tomlkit.dumps(document)


def parse(text: str, path: Path) -> tuple[PanelDefinition, tuple[Layout, ...]]:
    """Return the definition and the layouts of a file's text; `path` is named by errors.

    Raises:
        DataError: the text is not TOML, or declares no definition.
    """
    try:
        plain: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(
            f"The panel definition {path} is not TOML ({error})", "correct it, or restore it from a copy"
        ) from error
    layouts = tuple(Layout.from_dict(each) for each in plain.pop("layouts", ()))
    starts_on = plain.get("week_starts_on")
    if starts_on not in DAY_NAMES:
        raise DataError(
            f"The panel definition {path} has week_starts_on={starts_on!r}", f"name one of {', '.join(DAY_NAMES)}"
        )
    optional = dict.fromkeys(("covariates", "store_attributes", "product_attributes"), ())
    definition = PanelDefinition.from_dict({**optional, **plain, "week_starts_on": DAY_NAMES.index(starts_on)})
    for layout in layouts:
        layout.require(definition)
    return definition, layouts


def _table(values: Mapping[str, Any]) -> TomlTable:
    table = tomlkit.table()
    for name, value in values.items():
        if isinstance(value, dict):
            table.add(name, _table(value))
        else:
            _add(table, name, value)
    return table


def _tables(rows: Sequence[Mapping[str, Any]]) -> tomlkit.items.AoT:
    tables = tomlkit.aot()
    for row in rows:
        tables.append(_table(row))
    return tables


def _add(container: "tomlkit.TOMLDocument | TomlTable", name: str, value: object) -> None:
    item = tomlkit.item(list(value) if isinstance(value, tuple) else value)
    if name in _COMMENTS:
        item.comment(_COMMENTS[name])
    container.add(name, item)
