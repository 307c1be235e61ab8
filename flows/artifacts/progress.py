"""How far the forecast is: a bar in the terminal, and one in the Prefect UI."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flows.prefect_tasks import tell

SECONDS_BETWEEN_UPDATES = 1.0


@contextmanager
def show_progress(of: str = "partitions") -> Iterator[Callable[[int, int], None]]:
    """A function (done, total) that moves the terminal's bar and the run's progress artifact."""
    columns = (TextColumn("forecasting"), BarColumn(), MofNCompleteColumn(), TextColumn(of), TimeElapsedColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task(of, total=None)
        artifact = _ProgressArtifact(of)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            artifact.update(100 * done / total, last=done == total)

        yield update


class _ProgressArtifact:
    """The progress artifact of the task that is under way, updated once a second at most."""

    def __init__(self, of: str) -> None:
        self._of = of
        self._id: UUID | None = None
        self._updated = 0.0

    def update(self, percent: float, *, last: bool) -> None:
        if self._id and not last and time.monotonic() - self._updated < SECONDS_BETWEEN_UPDATES:
            return
        self._updated = time.monotonic()
        if self._id is None:
            description = f"{self._of.capitalize()} forecast"
            created = tell(create_progress_artifact, percent, key=self._of, description=description)
            self._id = cast(UUID | None, created)  # a coroutine only where the caller is async
        else:
            tell(update_progress_artifact, self._id, percent)
