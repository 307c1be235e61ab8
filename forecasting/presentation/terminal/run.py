"""What `oj run` and `oj backfill` print."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from forecasting.contracts.errors import WeekWaiting
from forecasting.contracts.panel_definition import readable
from forecasting.contracts.run_record import Outcome, RunRecord
from forecasting.core.report import RECENT_WEEKS
from forecasting.pipeline.ingest import IngestResult
from forecasting.pipeline.publication import PublishedForecast
from forecasting.pipeline.simulation import is_simulated
from forecasting.presentation import words
from forecasting.presentation.artifacts import NO_PAGE
from forecasting.presentation.facts import Fact
from forecasting.presentation.terminal.console import console, print_facts
from forecasting.presentation.view import RunView, seconds_line
from forecasting.storage.location import Location

MOVERS = 3  # rises, and as many drops


def say_waiting(waiting: WeekWaiting) -> None:
    """Print what is missing, while the run waits for it."""
    console.print(str(waiting), style="yellow")


def show_backfill(root: Location, records: Sequence[RunRecord], seconds: float) -> None:
    """Print one line a week: its outcome."""
    table = Table(box=None, pad_edge=False)
    stores = next((record.spec.definition.store.words for record in records), "stores")
    for name in ("week", "outcome", stores, "series", "on fallback"):
        table.add_column(name, justify="right" if name not in ("week", "outcome") else "left", no_wrap=True)
    for record in records:
        outcome = Text(record.outcome.value, style="red" if record.outcome is Outcome.FAILED else "")
        table.add_row(str(record.week), outcome, *_counts(record))
    console.print()
    console.print(table)
    for record in records:
        if record.error:
            console.print(Text(f"{record.week}: {record.error.sentence}", style="red"))
    console.print(f"{seconds:.1f} s; the forecasts are in {words.as_typed(root / 'published')}", style="dim")


def show_run(view: RunView, seconds: float) -> None:
    """Print the summary of a run: what was collected, how it was forecast, where the results are.

    Args:
        seconds: wall seconds of the whole command.
    """
    console.print()
    console.print(Text(view.title, style="bold green"))
    facts = [fact for stage in view.stages for fact in stage.facts if not fact.is_detail]
    print_facts([*facts, Fact("time", seconds_line(view.record, seconds))])
    _show_movers(view)
    if view.page:
        console.print(f"Report: {words.as_typed(view.page)}", style="bold")
    else:
        console.print(NO_PAGE, style="yellow")
    lake = words.lake_option(view.lake)
    another = f"   or simulate another week: oj simulate{lake} && oj run{lake}" if is_simulated(view.lake) else ""
    console.print(f"Next: oj status{lake}{another}", style="dim")


def _counts(record: RunRecord) -> tuple[str, str, str]:
    ingest, published = record.result(IngestResult), record.result(PublishedForecast)
    if ingest is None or published is None:
        return "", "", ""
    stores = f"{len(ingest.completeness.received)} of {len(ingest.completeness.expected)}"
    return stores, f"{published.series:,}", f"{sum(published.fallbacks_by_reason.values()):,}"


def _show_movers(view: RunView) -> None:
    movers = view.movers(MOVERS)
    if not movers:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))  # narrow, as a plan may be long
    table.add_column(view.panel.store.word, justify="right", overflow="fold", max_width=24)
    table.add_column(view.panel.product.word, overflow="fold", max_width=24)
    for name in ("recent", "expected", "80 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("plan", no_wrap=True)
    for mover in movers:
        table.add_row(
            Text(readable(mover.store)),
            Text(readable(mover.product_name)),
            words.amount(view.panel, mover.recent),
            words.amount(view.panel, mover.expected),
            mover.interval,
            Text(mover.plan),
        )
    console.print()
    console.print(
        f"Biggest changes, {words.week_of(movers[0].week)} ({view.panel.units}; recent = mean of {RECENT_WEEKS} weeks)",
        style="bold",
    )
    console.print(table)
    console.print()
