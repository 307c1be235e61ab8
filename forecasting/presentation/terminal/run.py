"""What `oj run` and `oj backfill` print."""

import shlex
from pathlib import Path
from typing import Any

import pandas as pd
from rich.table import Table
from rich.text import Text

from forecasting.contracts import schemas
from forecasting.contracts.errors import WeekWaiting
from forecasting.core.completeness import gaps_in_words
from forecasting.core.report import biggest_movers
from forecasting.pipeline.load import in_words
from forecasting.pipeline.simulation import is_simulated
from forecasting.presentation.model_choice import describe_choice
from forecasting.presentation.terminal.changes import corrected, moved
from forecasting.presentation.terminal.console import as_typed, console
from forecasting.presentation.terminal.page import show_page_of_run
from forecasting.presentation.terminal.scores import monitored_lines
from forecasting.storage.files import read_table
from forecasting.storage.lake import Lake

MOVERS = 3  # up, and as many down
MOST_GAPS_NAMED = 6


def say_waiting(waiting: WeekWaiting) -> None:
    """What is missing, while the run waits for it."""
    console.print(str(waiting), style="yellow")


def show_backfill(root: Path, run_records: list[dict[str, Any]], seconds: float) -> None:
    """One line a week: what became of it."""
    table = Table(box=None, pad_edge=False)
    for name in ("week", "outcome", "stores", "series", "on fallback"):
        table.add_column(name, justify="right" if name not in ("week", "outcome") else "left", no_wrap=True)
    for record in run_records:
        cutoff, outcome = record["spec"]["cutoff"], record["outcome"]
        if outcome == "failed":
            table.add_row(cutoff, Text(outcome, style="red"))
            continue
        completeness = record["completeness"]
        stores = f"{len(completeness['received'])} of {len(completeness['expected'])}"
        fallbacks = sum(record["fallbacks_by_reason"].values())
        table.add_row(cutoff, outcome, stores, f"{record['series']:,}", f"{fallbacks:,}")
    console.print()
    console.print(table)
    for record in run_records:
        if record["outcome"] == "failed":
            console.print(Text(f"{record['spec']['cutoff']}: {record['error']}", style="red"))
    console.print(f"{seconds:.1f} s; the forecasts are in {as_typed(root / 'published')}", style="dim")


def show_run(root: Path, record: dict[str, Any], seconds: float) -> None:
    """The summary of a run: what was collected, how it was forecast, where the results are."""
    spec, completeness = record["spec"], record["completeness"]
    console.print()
    console.print(Text(f"Week of {spec['cutoff']}: {record['outcome']}", style="bold green"))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("collected", _collected(record))
    if completeness["missing"] or completeness["incomplete"]:
        facts.add_row("gaps", _gaps(completeness))
    if record["quarantined_by_rule"]:
        facts.add_row("quarantined", _counts(record["quarantined_by_rule"]))
    if record.get("corrected_by_week"):
        facts.add_row("corrected", corrected(record))
    if notes := record.get("inbox_notes"):
        facts.add_row("inbox", Text("\n".join(notes), style="yellow"))
    for name, line in monitored_lines(record.get("monitoring", {})):
        facts.add_row(name, line)
    facts.add_row("forecast", _forecast(record))
    if choice := describe_choice(record.get("training", {})):
        facts.add_row("model", Text(choice))
    if record["rows_with_unknown_promotion"]:
        facts.add_row("", f"{record['rows_with_unknown_promotion']:,} rows without a known promotion plan")
    if record.get("moved"):
        facts.add_row("moved", moved(record))
    if cluster := record.get("cluster"):
        facts.add_row("cluster", _cluster(cluster))
    facts.add_row("published", f"{as_typed(record['published'])} ({record['rows']:,} rows)")
    facts.add_row("report", as_typed(record["report"]))
    if database := record.get("database"):
        facts.add_row("database", Text(in_words(database), style="yellow" if "error" in database else ""))
    facts.add_row("time", _seconds(record["seconds_by_stage"], seconds))
    console.print(facts)
    _show_movers(read_table(Path(record["report"]), schemas.report(Lake(root).reference.definition)))
    show_page_of_run(record["report_page"])
    lake = "" if str(root) == "lake" else f" --lake {shlex.quote(str(root))}"
    another_week = (
        f"   or let another week go by: oj simulate{lake} && oj run{lake}" if is_simulated(Lake(root)) else ""
    )
    console.print(f"Next: oj status{lake}{another_week}", style="dim")


def _collected(record: dict[str, Any]) -> str:
    completeness = record["completeness"]
    return (
        f"{len(completeness['received'])} of {len(completeness['expected'])} expected stores: "
        f"{completeness['status']}\n"
        f"{record['rows_in']:,} rows = {record['rows_accepted']:,} accepted + "
        f"{record['rows_dropped']:,} duplicates + {record['rows_quarantined']:,} quarantined"
    )


def _gaps(completeness: dict[str, Any]) -> str:
    named = gaps_in_words(completeness["missing"], completeness["incomplete"])
    more = len(named) - MOST_GAPS_NAMED
    accepted = completeness["accepted"]
    reason = f"\naccepted by {accepted['by']}: {accepted['why']}" if accepted else ""
    return ", ".join(named[:MOST_GAPS_NAMED]) + (f" and {more} more" if more > 0 else "") + reason


def _forecast(record: dict[str, Any]) -> str:
    spec, fallbacks = record["spec"], record["fallbacks_by_reason"]
    how = f"{record['series']:,} series × {spec['horizon']} weeks by {spec['model']} ({spec['point']})"
    return how + (f"\non fallback: {_counts(fallbacks)}" if fallbacks else ", none on fallback")


def _cluster(cluster: dict[str, Any]) -> str:
    left = cluster["left_over"]
    gone = "all gone" if not left else f"STILL RUNNING: {', '.join(map(str, left))}"
    if "://" in cluster.get("kind", ""):
        gone = "left to their owner"
    cost = f"\ncost {cluster['cost']:,.2f}" if cluster.get("cost") else ""
    per_1000 = cluster.get("cost_per_1000_forecasts")
    return (
        f"{cluster['workers']} workers, started in {cluster['seconds_starting']:.1f} s, up for "
        f"{cluster['seconds_up']:.1f} s, {gone}{cost}" + (f", {per_1000:,.4f} per 1,000 forecasts" if per_1000 else "")
    )


def _seconds(by_stage: dict[str, float], seconds: float) -> str:
    stages = {name: value for name, value in by_stage.items() if name != "total"}
    cluster_and_rest = by_stage["total"] - sum(stages.values())
    parts = {"Prefect": seconds - by_stage["total"], **stages, "cluster up and down": cluster_and_rest}
    return f"{seconds:.1f} s: " + ", ".join(f"{name} {value:.1f}" for name, value in parts.items() if value >= 0.05)


def _show_movers(report: pd.DataFrame) -> None:
    movers = biggest_movers(report, MOVERS)
    if movers.empty:
        return
    week = movers["week"].iloc[0].date()
    table = Table(box=None, pad_edge=False)
    table.add_column("store", justify="right", no_wrap=True)
    table.add_column("product", overflow="ellipsis", no_wrap=True, max_width=24)
    for name in ("recent", "forecast", "80 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("plan", no_wrap=True)
    for row in movers.itertuples():
        table.add_row(
            str(row.store),
            Text(str(row.product_name)),
            f"{row.recent:,.0f}",
            f"{row.units:,.0f}",
            f"{row.lo_80:,.0f}–{row.hi_80:,.0f}",
            _promotion(row),
        )
    console.print()
    console.print(f"Biggest movers, week of {week} (cartons; recent = mean of 4 weeks)", style="bold")
    console.print(table)
    console.print()


def _promotion(row: Any) -> str:
    if pd.isna(row.price):
        return "unknown"
    signs = [name for name, is_on in (("deal", row.deal), ("ad", row.feat)) if is_on]
    return f"${row.price:.2f} {'+'.join(signs)}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
