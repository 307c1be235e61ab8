"""What `oj init` prints: what files seem to hold, rows as they would be read, and what somebody should check."""

from collections.abc import Iterator

import pandas as pd
from rich.table import Table
from rich.text import Text

from forecasting.contracts.calendar import DAY_NAMES
from forecasting.contracts.layout import Layout
from forecasting.contracts.panel_definition import Key, PanelDefinition
from forecasting.pipeline.panel_proposal import ProposedPanel
from forecasting.presentation import words
from forecasting.presentation.facts import Fact, Tone
from forecasting.presentation.terminal.console import console, print_facts
from forecasting.presentation.words import as_typed
from forecasting.storage.lake import Lake

GRAINS = {"week": "a week", "day": "a day, summed to weeks", "transaction": "a transaction, summed to weeks"}
UNSOLD = {"written": "a missing row is unknown", "left_out": "a missing row is 0 units"}
EMPTY_UNITS = {"quarantine": "quarantined", "unknown": "unknown", "zero": "0 units"}


def show_proposal(proposed: ProposedPanel) -> None:
    """Print the definition, each layout, the first rows as they are read, and what somebody should check."""
    proposal = proposed.proposal
    print_facts(_definition_facts(proposal.definition))
    for layout in proposal.layouts:
        console.print()
        print_facts(_layout_facts(layout))
    console.print()
    console.print(f"The first rows of {as_typed(proposal.example)}, as they are read", style="dim")
    console.print(_table(proposed.rows))
    if doubts := [*proposed.refused, *proposal.doubts]:
        console.print()
        print_facts(Fact("check", doubt, Tone.WARNING) for doubt in doubts)


def show_written(lake: Lake) -> None:
    """Print where the definition is, and what to do next."""
    console.print(f"The panel definition is {as_typed(lake.reference.panel_path)}: read and correct it.")
    console.print(f"Next: oj import FILE …{words.lake_option(lake)}", style="dim")


def _definition_facts(definition: PanelDefinition) -> Iterator[Fact]:
    yield Fact("panel", definition.name)
    yield Fact("units", f"{definition.units}, {'whole' if definition.whole_units else 'with decimals'}")
    for side, key in (("store", definition.store), ("product", definition.product)):
        yield Fact(side, _key(key))
    for each in definition.covariates:
        yield Fact("covariates", f"{each.name}: {each.role}, {each.range}; an empty one: {each.empty}")
    yield Fact("weeks", f"start on {DAY_NAMES[definition.week_starts_on]}, {definition.time_zone} time")
    yield Fact("unsold", f"{definition.unsold}: {UNSOLD[definition.unsold]}")
    yield Fact("empty units", EMPTY_UNITS[definition.empty_units])


def _key(key: Key) -> str:
    return f"{key.word}, {key.words}; ids are {'numbers' if key.id == 'number' else 'texts'}"


def _layout_facts(layout: Layout) -> Iterator[Fact]:
    yield Fact("layout", layout.name)
    yield Fact("files", layout.files)
    yield Fact("a row is", GRAINS[layout.grain])
    for name, columns in layout.columns.items():
        yield Fact("columns", f"{name}: {' and '.join(columns)}")
    yield Fact("dates", layout.date_format)
    marks = f"delimiter {_mark(layout.delimiter)}, decimal mark {_mark(layout.decimal)}"
    thousands = f", thousands {_mark(layout.thousands)}" if layout.thousands else ""
    yield Fact("text", f"{layout.encoding}, {marks}{thousands}")
    if layout.sheet:
        yield Fact("sheet", layout.sheet)
    if layout.header_line > 1:
        yield Fact("header", f"line {layout.header_line}")
    for column, texts in layout.leave_out.items():
        yield Fact("left out", f"{column}: {', '.join(texts)}")


def _mark(mark: str) -> str:
    return {"\t": "tab", " ": "blank", "\u00a0": "hard blank", "\u202f": "narrow blank"}.get(mark, mark)


def _table(rows: pd.DataFrame) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in rows.columns:
        table.add_column(
            str(column), overflow="fold", justify="right" if pd.api.types.is_numeric_dtype(rows[column]) else "left"
        )
    for row in rows.itertuples(index=False):
        table.add_row(*(Text(_cell(value)) for value in row))
    return table


def _cell(value: object) -> str:
    if pd.isna(value):
        return words.UNKNOWN
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    # A line break in an id would break the table.
    return f"{value:.15g}" if isinstance(value, float) else str(value).replace("\n", "\\n")
