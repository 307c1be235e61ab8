"""What a run shows of itself: a progress bar in the terminal, artifacts in the Prefect UI.

A Prefect server that does not answer costs a run its artifacts, and nothing else.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flows.policy import tell

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


def show_receipt(receipt: dict[str, Any]) -> None:
    """The receipt as a markdown artifact of the run."""
    tell(create_markdown_artifact, receipt_markdown(receipt), key="receipt", description="Receipt of the run")


def receipt_markdown(receipt: dict[str, Any]) -> str:
    """The receipt as two markdown tables: what came and went, and where the seconds went."""
    spec, ledger = receipt["spec"], receipt["ledger"]
    rows = {
        "Cutoff": spec["cutoff"],
        "Outcome": receipt["outcome"],
        "Run id": receipt["run_id"],
        "Week": f"{ledger['status']}: {len(ledger['received'])} of {len(ledger['expected'])} stores",
        "Missing stores": ", ".join(map(str, ledger["missing"])) or "none",
        "Rows in": receipt["rows_in"],
        "Rows accepted, dropped, quarantined": (
            f"{receipt['rows_accepted']}, {receipt['rows_dropped']}, {receipt['rows_quarantined']}"
        ),
        "Forecast rows": receipt["rows"],
        "Series by model": _counts(receipt["series_by_model"]),
        "Fallbacks by reason": _counts(receipt["fallbacks_by_reason"]) or "none",
    }
    if cluster := receipt.get("cluster"):
        rows["Cluster"] = (
            f"{cluster['workers']} workers for {cluster['seconds_up']:.1f} s, "
            f"busy {cluster['seconds_busy']:.1f} s; processes left: {len(cluster['left_over'])}"
        )
    seconds = receipt["seconds_by_stage"]
    return "\n\n".join([_table(rows), _table({name: f"{value:.1f} s" for name, value in seconds.items()})])


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _table(rows: dict[str, Any]) -> str:
    lines = [f"| {name} | {str(value).replace('|', '/')} |" for name, value in rows.items()]
    return "\n".join(["| | |", "|---|---|", *lines])
