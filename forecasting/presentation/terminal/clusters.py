"""What `oj clusters` prints."""

from datetime import timedelta

from forecasting.clock import now
from forecasting.compute.register import Entry, Reaped, entries
from forecasting.presentation import words
from forecasting.presentation.facts import Fact, Tone
from forecasting.presentation.terminal.console import console, print_facts
from forecasting.storage.lake import Lake


def show_clusters(lake: Lake) -> None:
    """Print one block a cluster: its run, age and cost so far, and whether that run still lives."""
    found, at = entries(lake), now()
    if not found:
        console.print("No cluster is alive beyond this machine.")
        return
    for entry in found:
        alive = Fact("state", f"held by {entry.driver}")
        print_facts(
            [
                Fact("cluster", f"{entry.cluster_id}, {entry.kind}"),
                Fact("run", entry.run or "unnamed"),
                Fact("state", "orphan: its run is gone", Tone.ALARM) if entry.is_orphan else alive,
                Fact("scheduler", entry.scheduler or "none yet"),
                Fact("age", f"{_age(entry.hours(at))}, {words.count(entry.instances, 'instance')}"),
                Fact("cost so far", f"{entry.cost(at):,.2f} at {entry.price_per_instance_hour:g} an instance-hour"),
            ]
        )
        console.print()
    if any(entry.is_orphan for entry in found):
        console.print("Next: oj clusters reap", style="dim")


def show_reaped(reaped: list[Reaped]) -> None:
    """Print which orphans were ended, and which had ended by themselves."""
    if not reaped:
        console.print("No orphans.")
    for each in reaped:
        how = "ended" if each.was_alive else "did not answer; removed from the list"
        console.print(f"{_name(each.entry)}: {how}.")


def _name(entry: Entry) -> str:
    return f"{entry.cluster_id}, {entry.kind} of {entry.run or 'an unnamed run'}"


def _age(hours: float) -> str:
    return str(timedelta(seconds=round(hours * 3600)))
