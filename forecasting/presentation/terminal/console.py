"""Where the command line prints, and how it lays out facts."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from forecasting.presentation.facts import Fact, Tone
from forecasting.presentation.words import as_typed

# No markup, no emoji for :names: what is printed comes from data, folders and people.
console = Console(highlight=False, markup=False, emoji=False)

STYLES = {Tone.PLAIN: "", Tone.WARNING: "yellow", Tone.ALARM: "bold red"}


def say_starting() -> None:
    """Print why nothing happens for a moment."""
    console.print("Starting Prefect (embedded; it needs no server) …", style="dim")


def print_facts(facts: Iterable[Fact]) -> None:
    """Print facts, one below the other; equal names in a row are printed once."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    before = ""
    for fact in facts:
        about = f"{as_typed(fact.path)} ({fact.text})" if fact.path else fact.text
        grid.add_row("" if fact.name == before else fact.name, Text(about, style=STYLES[fact.tone]))
        before = fact.name
    console.print(grid)
