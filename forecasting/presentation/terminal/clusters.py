"""What `oj clusters` prints."""

from datetime import timedelta

from rich.table import Table
from rich.text import Text

from forecasting.clock import now
from forecasting.compute.register import Entry, Reaped, entries
from forecasting.presentation.terminal.console import console
from forecasting.storage.lake import Lake


def show_clusters(lake: Lake) -> None:
    """One block a cluster: its run, age and cost so far, and whether that run still lives."""
    found, at = entries(lake), now()
    if not found:
        console.print("No cluster is alive beyond this machine.")
        return
    for entry in found:
        facts = Table.grid(padding=(0, 2))
        facts.add_column(style="dim", no_wrap=True)
        facts.add_column(overflow="fold")
        state = Text("orphan: its run is gone", style="red") if entry.is_orphan else Text(f"held by {entry.driver}")
        facts.add_row("cluster", f"{entry.cluster_id}, {entry.kind}")
        facts.add_row("run", entry.run or "unnamed")
        facts.add_row("state", state)
        facts.add_row("scheduler", entry.scheduler or "none yet")
        facts.add_row("age", f"{_age(entry.hours(at))}, {entry.instances} instances")
        facts.add_row("cost so far", f"{entry.cost(at):,.2f} at {entry.price_per_instance_hour:g} an instance-hour")
        console.print(facts)
        console.print()
    if any(entry.is_orphan for entry in found):
        console.print("Next: oj clusters reap", style="dim")


def show_reaped(reaped: list[Reaped]) -> None:
    """What was ended, and what had ended by itself."""
    if not reaped:
        console.print("No orphans.")
    for each in reaped:
        how = "ended" if each.was_alive else "did not answer any more; removed from the list"
        console.print(f"{_name(each.entry)}: {how}.")


def _name(entry: Entry) -> str:
    return f"{entry.cluster_id}, {entry.kind} of {entry.run or 'an unnamed run'}"


def _age(hours: float) -> str:
    return str(timedelta(seconds=round(hours * 3600)))
