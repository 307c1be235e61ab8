"""What is printed of a lake: what is in it, what was put there, and what somebody let pass."""

import shlex
from datetime import date, datetime
from pathlib import Path

import pandas as pd
from rich.table import Table
from rich.text import Text

from forecasting.contracts.calendar import DAY_NAMES
from forecasting.core.completeness import Acceptance
from forecasting.core.point_in_time import Snapshot
from forecasting.pipeline.panel_import import ImportResult
from forecasting.pipeline.simulation import SimulatedWeek
from forecasting.presentation.terminal.console import as_typed, console
from forecasting.storage.lake import Lake
from forecasting.storage.weekly_table import BEGINNING


def show_simulated(lake: Lake, fed: SimulatedWeek) -> None:
    """What the feed did, and what to do next."""
    if fed.history_until:
        console.print(f"Filled {as_typed(lake.root)} with the real sales of 1990-06-14 to {fed.history_until}.")
    console.print(
        f"The week of {fed.week} has gone by: {fed.files} stores dropped their files into {as_typed(lake.inbox)}."
    )
    console.print("Next: oj run", style="dim")


def show_import(lake: Lake, imported: ImportResult) -> None:
    """What was read, and what to do next."""
    console.print(
        f"{imported.sales:,} sales of {imported.series:,} series, {imported.first} to {imported.last}, and the plans "
        f"of {imported.plans:,} cells ahead are in {as_typed(lake.root)}. Its weeks open on "
        f"{DAY_NAMES[imported.week_starts_on]}."
    )
    console.print(f"Next: oj run --lake {shlex.quote(str(lake.root))}", style="dim")


def show_status(lake: Lake) -> None:
    """Weeks, forecasts, last run, and what is waiting."""
    weeks, published = lake.sales.weeks(), lake.forecasts.cutoffs()
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("lake", str(lake.root))
    facts.add_row("sales", f"{len(weeks)} weeks, {weeks[0]} to {weeks[-1]}" if weeks else "none yet: oj simulate")
    facts.add_row("published", f"{len(published)} forecasts, the last of {published[-1]}" if published else "none yet")
    if lake.reports.table_path.exists():
        facts.add_row("tables", f"{as_typed(lake.reports.table_path.parent)} (docs/tables.md)")
    if last := lake.runs.last():
        facts.add_row("last run", f"{last['started']}, week of {last['spec']['cutoff']}: {last['outcome']}")
        if "error" in last:
            facts.add_row("", Text(last["error"], style="red"))
    facts.add_row("waiting", _waiting(lake))
    console.print(facts)


def show_acceptance(week: date, accepted: Acceptance) -> None:
    """What was recorded, and what follows."""
    console.print(f"The week of {week} may go on with its gaps: {accepted.why} ({accepted.by}).")
    console.print("A run that waits for it goes on by itself; else: oj run", style="dim")


def show_override(accepted: Acceptance, files: list[str]) -> None:
    """What was recorded, and what follows."""
    console.print(f"These units are taken as they are: {accepted.why} ({accepted.by}).")
    console.print(f"In the inbox again: {', '.join(files)}. Next: oj run", style="dim")


def show_snapshot(folder: Path, known: Snapshot, moment: datetime | None) -> None:
    """What was written, and up to which moment it was known."""
    when = f"collected by {moment:%Y-%m-%d %H:%M:%S} UTC" if moment and moment > BEGINNING else "the lake's history"
    console.print(
        f"{len(known.sales):,} sales and the promotions of {len(known.promotions):,} cells, {when}, are in "
        f"{as_typed(folder)}."
    )


def _waiting(lake: Lake) -> str:
    files = lake.archive.waiting(lake.reference.week_starts_on)
    by_week = pd.Series([str(file.week or "no week in the name") for file in files], dtype="str").value_counts()
    published = {str(cutoff) for cutoff in lake.forecasts.cutoffs()}
    lines = [
        f"{week}: {count} files" + (" (late: the week is published already)" if week in published else "")
        for week, count in by_week.sort_index().items()
    ]
    return "\n".join(lines) or "nothing in the inbox"
