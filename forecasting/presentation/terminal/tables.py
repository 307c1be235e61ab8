"""What `oj load` and `oj export` print."""

from datetime import date
from pathlib import Path
from typing import Any

from forecasting.pipeline.load import in_words
from forecasting.presentation.terminal.console import console


def show_exported(path: Path, cutoff: date, rows: int) -> None:
    """What was written, and where."""
    console.print(f"{rows:,} forecasts of the week of {cutoff} are in {path}.")


def show_loaded(database: dict[str, Any]) -> None:
    """What a load did."""
    console.print(f"The database {in_words(database)}.")
