"""What `oj report`, `oj load` and `oj export` print: what was written, and where."""

from datetime import date
from pathlib import Path

from forecasting.presentation import words
from forecasting.presentation.stages import loaded
from forecasting.presentation.terminal.console import console
from forecasting.storage.database import DatabaseLoad


def show_page(path: Path) -> None:
    """Print where a page was written to."""
    console.print(f"Report: {words.as_typed(path)}")


def show_exported(path: Path, cutoff: date, rows: int) -> None:
    """Print what was exported, and where it is."""
    console.print(f"{words.count(rows, 'forecast')} of the {words.week_of(cutoff)} are in {path}.")


def show_loaded(load: DatabaseLoad) -> None:
    """Print what a database load did."""
    console.print(f"The database {loaded(load)}.")
