"""What is printed of a lake: its contents, what was put there, and the gaps and outliers that were accepted."""

from datetime import date, datetime
from pathlib import Path

import pandas as pd

from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.core.completeness import Acceptance
from forecasting.core.point_in_time import Snapshot
from forecasting.core.validation import FileRows
from forecasting.pipeline.panel_import import ImportResult
from forecasting.pipeline.simulation import SimulatedWeek
from forecasting.presentation import words
from forecasting.presentation.facts import Fact, Tone
from forecasting.presentation.terminal.console import console, print_facts
from forecasting.presentation.words import as_typed
from forecasting.storage.history import BEGINNING
from forecasting.storage.inbox import unread_entries
from forecasting.storage.lake import Lake
from forecasting.storage.location import Location


def show_simulated(lake: Lake, simulated: SimulatedWeek) -> None:
    """Print what the simulation did, and what to do next."""
    if simulated.history_until:
        console.print(f"Filled {as_typed(lake.root)} with the real sales of 1990-06-14 to {simulated.history_until}.")
    console.print(
        f"The {words.week_of(simulated.week)} is simulated: {words.count(simulated.files, 'store')} sent files to "
        f"{as_typed(lake.inbox)}."
    )
    console.print(f"Next: oj run{words.lake_option(lake)}", style="dim")


def show_import(lake: Lake, imported: ImportResult, listed_in: Location | None, *, is_check: bool) -> None:
    """Print what became of every row, the first example of each broken rule, and what to do next.

    Args:
        listed_in: the file that lists the rows that were not taken in, where there is one.
    """
    definition = lake.reference.definition
    facts = [Fact("files", words.count(len(imported.files), "file")), *_rows_by_file(imported)]
    facts.append(Fact("rows", _rows(imported)))
    if imported.passed_over:
        facts.append(Fact("passed over", words.counts(imported.passed_over)))
    share = imported.quarantined / imported.rows_in
    if imported.quarantined:
        tone = Tone.ALARM if imported.is_refused else Tone.WARNING
        allowed = words.percent(imported.max_quarantined, 2)
        facts.append(Fact("quarantined", f"{words.percent(share, 2)} of the rows; allowed are {allowed}", tone))
    for each in imported.rules:
        first = f"{each.rule}: {words.count(each.rows, 'row')}; the first is line {each.line} of {each.file}"
        facts.append(Fact("rule", f"{first}: {each.detail}", Tone.WARNING))
    if listed_in:
        facts.append(Fact("listed in", "every row that was not taken in, and why", path=str(listed_in)))
    facts += [Fact("note", note, Tone.WARNING) for note in imported.notes]
    if not imported.is_refused:
        facts += _taken_in(imported, definition)
    print_facts(facts)
    if is_check:
        console.print("Nothing was changed, as --check asks.")
    elif not imported.is_refused:
        console.print(f"Next: oj run{words.lake_option(lake)}", style="dim")


def show_status(lake: Lake) -> None:
    """Print weeks, forecasts, the last run, and what is waiting in the inbox."""
    weeks, published = lake.sales.weeks(), lake.forecasts.cutoffs()
    sales = f"{words.count(len(weeks), 'week')}, {weeks[0]} to {weeks[-1]}" if weeks else "none yet: oj simulate"
    newest = f"{words.count(len(published), 'forecast')}, the newest of {published[-1]}" if published else "none yet"
    facts = [Fact("lake", str(lake.root)), Fact("sales", sales), Fact("published", newest)]
    if lake.reports.table_path.exists():
        facts.append(Fact("tables", "docs/tables.md", path=str(lake.reports.table_path.parent)))
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


def _rows(of: ImportResult | FileRows) -> str:
    passed_over = sum(of.passed_over.values()) if isinstance(of, ImportResult) else of.passed_over
    return (
        f"{of.rows_in:,} = {of.accepted:,} accepted + {of.dropped:,} duplicates + {passed_over:,} passed over + "
        f"{of.quarantined:,} quarantined"
    )


def _rows_by_file(imported: ImportResult) -> list[Fact]:
    return [Fact("", f"{each.name}: {_rows(each)}") for each in imported.files] if len(imported.files) > 1 else []


def _taken_in(imported: ImportResult, panel: PanelDefinition) -> list[Fact]:
    """Return what the lake has, or would have, after the import."""
    facts = []
    if imported.first:
        weeks = f"{imported.first} to {imported.last}"
        facts.append(Fact("sales", f"{imported.sales:,} cells of {words.series(imported.series)}, {weeks}"))
    if imported.unsold:
        facts.append(Fact("not sold", f"{imported.unsold:,} cells that the files leave out count as 0 {panel.units}"))
    if imported.corrected:
        facts.append(Fact("corrected", f"{words.count(imported.corrected, 'row')} with other units than before"))
    if imported.plans and panel.covariates:
        labels = words.named([each.label for each in panel.covariates])
        facts.append(Fact("known", f"{labels} of {words.count(imported.plans, 'cell')}, past and coming"))
    if imported.new_stores or imported.new_products:
        stores = words.count(imported.new_stores, panel.store.word, panel.store.words)
        products = words.count(imported.new_products, panel.product.word, panel.product.words)
        facts.append(Fact("new", f"{stores}, {products}"))
    return facts


def _waiting(lake: Lake) -> list[str]:
    files = lake.waiting()
    by_week = pd.Series([str(file.week or "no week in the name") for file in files], dtype="str").value_counts()
    published = {str(cutoff) for cutoff in lake.forecasts.cutoffs()}
    lines = [
        f"{week}: {words.count(count, 'file')}"
        + (" (late: the week is already published)" if week in published else "")
        for week, count in by_week.sort_index().items()
    ]
    return lines or ["nothing in the inbox"]
