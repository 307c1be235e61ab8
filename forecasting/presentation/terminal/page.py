"""What is printed of a report page: where it is."""

from pathlib import Path
from typing import Any

from forecasting.presentation.terminal.console import as_typed, console


def show_page(path: Path) -> None:
    """Where a page was written to."""
    console.print(f"Report: {as_typed(path)}")


def show_page_of_run(page: dict[str, Any]) -> None:
    """Where a run has written its page, or why it could not."""
    if "path" in page:
        console.print(f"Report: {as_typed(page['path'])}", style="bold")
    else:
        console.print(f"The report page could not be written ({page['error']}); try again: oj report", style="yellow")
