"""What is printed of a lake: its contents, what was put there, and the gaps and outliers that were accepted."""

from datetime import date, datetime
from pathlib import Path

import pandas as pd

from forecasting.contracts.calendar import DAY_NAMES
from forecasting.core.completeness import Acceptance
from forecasting.core.point_in_time import Snapshot
from forecasting.pipeline.panel_import import ImportResult
from forecasting.pipeline.simulation import SimulatedWeek
from forecasting.presentation import words
from forecasting.presentation.facts import Fact, Tone
from forecasting.presentation.terminal.console import console, print_facts
from forecasting.presentation.words import as_typed
from forecasting.storage.history import BEGINNING
from forecasting.storage.inbox import unread_entries
from forecasting.storage.lake import Lake


def show_simulated(lake: Lake, simulated: SimulatedWeek) -> None:
    """Print what the simulation did, and what to do next."""
    if simulated.history_until:
        console.print(f"Filled {as_typed(lake.root)} with the real sales of 1990-06-14 to {simulated.history_until}.")
    console.print(
        f"The {words.week_of(simulated.week)} is simulated: {words.count(simulated.files, 'store')} sent files to "
        f"{as_typed(lake.inbox)}."
    )
    console.print(f"Next: oj run{words.lake_option(lake)}", style="dim")


def show_import(lake: Lake, imported: ImportResult) -> None:
    """Print what was imported, and what to do next."""
    console.print(
        f"{imported.sales:,} sales of {imported.series:,} series, {imported.first} to {imported.last}, and the plans "
        f"of {imported.plans:,} cells ahead are in {as_typed(lake.root)}. Its weeks start on "
        f"{DAY_NAMES[imported.week_starts_on]}."
    )
    console.print(f"Next: oj run{words.lake_option(lake)}", style="dim")


def show_status(lake: Lake) -> None:
    """Print weeks, forecasts, the last run, and what is waiting in the inbox."""
    weeks, published = lake.sales.weeks(), lake.forecasts.cutoffs()
    sales = f"{words.count(len(weeks), 'week')}, {weeks[0]} to {weeks[-1]}" if weeks else "none yet: oj simulate"
    newest = f"{words.count(len(published), 'forecast')}, the newest of {published[-1]}" if published else "none yet"
    facts = [Fact("lake", str(lake.root)), Fact("sales", sales), Fact("published", newest)]
    if lake.reports.table_path.exists():
        facts.append(Fact("tables", "docs/tables.md", path=lake.reports.table_path.parent))
    if last := lake.runs.last():
        started = f"{last.started:%Y-%m-%d %H:%M:%S} UTC"
        facts.append(Fact("last run", f"{started}, {words.week_of(last.week)}: {last.outcome.value}"))
        if last.error:
            facts.append(Fact("last run", last.error.sentence, Tone.ALARM))
    facts += [Fact("waiting", waiting) for waiting in _waiting(lake)]
    facts += [Fact("in the inbox", note, Tone.WARNING) for note in unread_entries(lake.inbox)]
    print_facts(facts)


def show_acceptance(week: date, accepted: Acceptance) -> None:
    """Print what was recorded, and what follows."""
    console.print(f"The week of {week} is accepted with its gaps: {accepted.why} ({accepted.by}).")
    console.print("A run that waits for it continues by itself; otherwise: oj run", style="dim")


def show_override(accepted: Acceptance, files: list[str]) -> None:
    """Print what was recorded, and what follows."""
    console.print(f"These units are accepted: {accepted.why} ({accepted.by}).")
    console.print(f"In the inbox again: {', '.join(files)}. Next: oj run", style="dim")


def show_snapshot(folder: Path, snapshot: Snapshot, moment: datetime | None) -> None:
    """Print what was written, and up to which moment it was collected."""
    when = f"collected by {moment:%Y-%m-%d %H:%M:%S} UTC" if moment and moment > BEGINNING else "the lake's history"
    console.print(
        f"{len(snapshot.sales):,} sales and the promotions of {len(snapshot.promotions):,} cells, {when}, are in "
        f"{as_typed(folder)}."
    )


def _waiting(lake: Lake) -> list[str]:
    files = lake.archive.waiting(lake.reference.layouts, lake.reference.week_starts_on)
    by_week = pd.Series([str(file.week or "no week in the name") for file in files], dtype="str").value_counts()
    published = {str(cutoff) for cutoff in lake.forecasts.cutoffs()}
    lines = [
        f"{week}: {words.count(count, 'file')}"
        + (" (late: the week is already published)" if week in published else "")
        for week, count in by_week.sort_index().items()
    ]
    return lines or ["nothing in the inbox"]
