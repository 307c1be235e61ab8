"""What the command line prints, for a terminal of 80 columns."""

import shlex
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.loading import in_words
from flows.telling import describe_choice
from flows.terminal_changes import corrected, moved
from flows.terminal_scores import monitored_lines
from forecasting import schemas
from forecasting.adapters.feed import Fed, is_fed
from forecasting.adapters.files import read_table
from forecasting.adapters.foreign import Imported
from forecasting.adapters.inbox import list_inbox
from forecasting.adapters.lake import Lake
from forecasting.adapters.weekly import BEGINNING
from forecasting.errors import WeekWaiting
from forecasting.folds import PUBLISHED_MAPE
from forecasting.known import Known
from forecasting.ledger import Acceptance, gaps_in_words
from forecasting.report import biggest_movers
from forecasting.weeks import DAY_NAMES

MOVERS = 3  # up, and as many down
MOST_GAPS_NAMED = 6

# No markup: what is printed comes from data, folders and people.
console = Console(highlight=False, markup=False)


def say_starting() -> None:
    """Why nothing happens for a moment."""
    console.print("Starting Prefect (embedded; none is needed beside it) …", style="dim")


def say_waiting(waiting: WeekWaiting) -> None:
    """What is missing, while the run waits for it."""
    console.print(str(waiting), style="yellow")


def show_acceptance(week: date, accepted: Acceptance) -> None:
    """What was recorded, and what follows."""
    console.print(f"The week of {week} may go on with its gaps: {accepted.why} ({accepted.by}).")
    console.print("A run that waits for it goes on by itself; else: oj run", style="dim")


def show_unusual(accepted: Acceptance, files: list[str]) -> None:
    """What was recorded, and what follows."""
    console.print(f"These units are taken as they are: {accepted.why} ({accepted.by}).")
    console.print(f"In the inbox again: {', '.join(files)}. Next: oj run", style="dim")


def show_known(folder: Path, known: Known, moment: datetime | None) -> None:
    """What was written, and up to which moment it was known."""
    when = f"collected by {moment:%Y-%m-%d %H:%M:%S} UTC" if moment and moment > BEGINNING else "the lake's history"
    console.print(
        f"{len(known.sales):,} sales and the promotions of {len(known.promotions):,} cells, {when}, are in "
        f"{_path(folder)}."
    )


def show_backfill(root: Path, receipts: list[dict[str, Any]], seconds: float) -> None:
    """One line a week: what became of it."""
    table = Table(box=None, pad_edge=False)
    for name in ("week", "outcome", "stores", "series", "on fallback"):
        table.add_column(name, justify="right" if name not in ("week", "outcome") else "left", no_wrap=True)
    for receipt in receipts:
        cutoff, outcome = receipt["spec"]["cutoff"], receipt["outcome"]
        if outcome == "failed":
            table.add_row(cutoff, Text(outcome, style="red"))
            continue
        ledger = receipt["ledger"]
        stores = f"{len(ledger['received'])} of {len(ledger['expected'])}"
        fallbacks = sum(receipt["fallbacks_by_reason"].values())
        table.add_row(cutoff, outcome, stores, f"{receipt['series']:,}", f"{fallbacks:,}")
    console.print()
    console.print(table)
    for receipt in receipts:
        if receipt["outcome"] == "failed":
            console.print(Text(f"{receipt['spec']['cutoff']}: {receipt['error']}", style="red"))
    console.print(f"{seconds:.1f} s; the forecasts are in {_path(root / 'published')}", style="dim")


def show_feed(lake: Lake, fed: Fed) -> None:
    """What the feed did, and what to do next."""
    if fed.history_until:
        console.print(f"Filled {_path(lake.root)} with the real sales of 1990-06-14 to {fed.history_until}.")
    console.print(
        f"The week of {fed.week} has gone by: {fed.files} stores dropped their files into {_path(lake.inbox)}."
    )
    console.print("Next: oj run", style="dim")


def show_import(lake: Lake, imported: Imported) -> None:
    """What was read, and what to do next."""
    console.print(
        f"{imported.sales:,} sales of {imported.series:,} series, {imported.first} to {imported.last}, and the plans "
        f"of {imported.plans:,} cells ahead are in {_path(lake.root)}. Its weeks open on "
        f"{DAY_NAMES[imported.week_starts_on]}."
    )
    console.print(f"Next: oj run --lake {shlex.quote(str(lake.root))}", style="dim")


def show_run(root: Path, receipt: dict[str, Any], seconds: float) -> None:
    """The summary of a run: what was collected, how it was forecast, where the results are."""
    spec, ledger = receipt["spec"], receipt["ledger"]
    console.print()
    console.print(Text(f"Week of {spec['cutoff']}: {receipt['outcome']}", style="bold green"))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("collected", _collected(receipt))
    if ledger["missing"] or ledger["incomplete"]:
        facts.add_row("gaps", _gaps(ledger))
    if receipt["quarantined_by_rule"]:
        facts.add_row("quarantined", _counts(receipt["quarantined_by_rule"]))
    if receipt.get("corrected_by_week"):
        facts.add_row("corrected", corrected(receipt))
    for name, line in monitored_lines(receipt.get("monitoring", {})):
        facts.add_row(name, line)
    facts.add_row("forecast", _forecast(receipt))
    if choice := describe_choice(receipt.get("training", {})):
        facts.add_row("model", Text(choice))
    if receipt["rows_with_unknown_promotion"]:
        facts.add_row("", f"{receipt['rows_with_unknown_promotion']:,} rows without a known promotion plan")
    if receipt.get("moved"):
        facts.add_row("moved", moved(receipt))
    if cluster := receipt.get("cluster"):
        facts.add_row("cluster", _cluster(cluster))
    facts.add_row("published", f"{_path(receipt['published'])} ({receipt['rows']:,} rows)")
    facts.add_row("report", _path(receipt["report"]))
    if database := receipt.get("database"):
        facts.add_row("database", Text(in_words(database), style="yellow" if "error" in database else ""))
    facts.add_row("time", _seconds(receipt["seconds_by_stage"], seconds))
    console.print(facts)
    _show_movers(read_table(Path(receipt["report"]), schemas.REPORT))
    _show_page(receipt["report_page"])
    lake = "" if str(root) == "lake" else f" --lake {shlex.quote(str(root))}"
    another_week = f"   or let another week go by: oj feed{lake} && oj run{lake}" if is_fed(Lake(root)) else ""
    console.print(f"Next: oj status{lake}{another_week}", style="dim")


def _show_page(page: dict[str, Any]) -> None:
    if "path" in page:
        console.print(f"Report: {_path(page['path'])}", style="bold")
    else:
        console.print(f"The report page could not be written ({page['error']}); try again: oj report", style="yellow")


def show_page(path: Path) -> None:
    """Where a page was written to."""
    console.print(f"Report: {_path(path)}")


def show_backtest(result: dict[str, Any], protocol: str | None) -> None:
    """The scores of a backtest, beside the published ones where it followed a published protocol."""
    console.print()
    title = f"{f'Protocol {protocol}' if protocol else 'Own folds'}: {result['folds']} folds, "
    console.print(title + f"{result['forecasts']:,} forecasts of {result['source']}", style="bold")
    table = Table(
        box=None,
        pad_edge=False,
        caption="MAPE of the mape point; WAPE, MASE, pinball of the median; bias of the mean; c: coverage, "
        "w: mean width over mean sales; ms: CPU milliseconds a series. All but MASE and ms in percent.",
        caption_justify="left",
    )
    table.add_column("model", overflow="fold", min_width=8, max_width=22)
    for name in ("MAPE", "WAPE", "bias", "MASE", "pinb", "c80", "c95", "w80", "w95", "ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in result["scores"]:
        percents = ("mape", "wape", "bias"), ("pinball", "coverage_80", "coverage_95", "width_80", "width_95")
        first, second = ([_percent(row[name]) for name in names] for names in percents)
        table.add_row(row["model"], *first, f"{row['mase']:.2f}", *second, f"{row['cpu_ms']:.2f}")
    for model, mape in sorted(PUBLISHED_MAPE.get(protocol or "", {}).items(), key=lambda item: item[1]):
        table.add_row(f"{model} (published)", f"{mape:.1f}", style="dim")
    console.print(table)
    if result["fallbacks"]:
        console.print(f"{result['fallbacks']:,} of the forecasts are fallbacks (column reason).")
    seconds = result["seconds"]
    console.print(f"{seconds['total']:.1f} s, cluster up and down and all", style="dim")


def show_status(lake: Lake) -> None:
    """Weeks, forecasts, last run, and what is waiting."""
    weeks, published = lake.weeks_of_sales(), lake.published_cutoffs()
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("lake", str(lake.root))
    facts.add_row("sales", f"{len(weeks)} weeks, {weeks[0]} to {weeks[-1]}" if weeks else "none yet: oj feed")
    facts.add_row("published", f"{len(published)} forecasts, the last of {published[-1]}" if published else "none yet")
    if lake.report_path.exists():
        facts.add_row("tables", f"{_path(lake.report_path.parent)} (docs/tables.md)")
    if last := lake.last_receipt():
        facts.add_row("last run", f"{last['started']}, week of {last['spec']['cutoff']}: {last['outcome']}")
        if "error" in last:
            facts.add_row("", Text(last["error"], style="red"))
    facts.add_row("waiting", _waiting(lake))
    console.print(facts)


def _percent(share: float) -> str:
    """A share in percent; beyond 1000 % the decimals would only push out the names."""
    return f"{100 * share:.0f}" if share >= 10 else f"{100 * share:.1f}"


def _waiting(lake: Lake) -> str:
    files = list_inbox(lake.inbox, lake.week_starts_on)
    by_week = pd.Series([str(file.week or "no week in the name") for file in files], dtype="str").value_counts()
    published = {str(cutoff) for cutoff in lake.published_cutoffs()}
    lines = [
        f"{week}: {count} files" + (" (late: the week is published already)" if week in published else "")
        for week, count in by_week.sort_index().items()
    ]
    return "\n".join(lines) or "nothing in the inbox"


def _collected(receipt: dict[str, Any]) -> str:
    ledger = receipt["ledger"]
    return (
        f"{len(ledger['received'])} of {len(ledger['expected'])} expected stores: {ledger['status']}\n"
        f"{receipt['rows_in']:,} rows = {receipt['rows_accepted']:,} accepted + "
        f"{receipt['rows_dropped']:,} duplicates + {receipt['rows_quarantined']:,} quarantined"
    )


def _gaps(ledger: dict[str, Any]) -> str:
    named = gaps_in_words(ledger["missing"], ledger["incomplete"])
    more = len(named) - MOST_GAPS_NAMED
    accepted = ledger["accepted"]
    reason = f"\naccepted by {accepted['by']}: {accepted['why']}" if accepted else ""
    return ", ".join(named[:MOST_GAPS_NAMED]) + (f" and {more} more" if more > 0 else "") + reason


def _forecast(receipt: dict[str, Any]) -> str:
    spec, fallbacks = receipt["spec"], receipt["fallbacks_by_reason"]
    how = f"{receipt['series']:,} series × {spec['horizon']} weeks by {spec['model']} ({spec['point']})"
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
    table.add_column("brand", overflow="ellipsis", no_wrap=True, max_width=24)
    for name in ("recent", "forecast", "80 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("plan", no_wrap=True)
    for row in movers.itertuples():
        table.add_row(
            str(row.store),
            Text(str(row.brand_name)),
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


def _path(path: Path | str) -> str:
    """A path as the user would type it."""
    absolute = Path(path).resolve()
    here = Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)
