"""A progress bar in the terminal, for work that takes more than a moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from forecasting.presentation.terminal.console import console


@contextmanager
def progress_bar(action: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function (done, total) that moves a bar, which is gone at the end."""
    columns = (TextColumn(action), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(action, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
