"""Where the command line prints, and how it writes what several commands print."""

from pathlib import Path

from rich.console import Console

# No markup: what is printed comes from data, folders and people.
console = Console(highlight=False, markup=False)


def say_starting() -> None:
    """Why nothing happens for a moment."""
    console.print("Starting Prefect (embedded; none is needed beside it) …", style="dim")


def as_typed(path: Path | str) -> str:
    """A path as the user would type it."""
    absolute = Path(path).resolve()
    here = Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)
