"""What the commands of the service print, for a terminal of 80 columns."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deployments.home import Home

if TYPE_CHECKING:
    from deployments.api import Api
    from deployments.doctor import Finding

RUNS_SHOWN = 3

# No markup: what is printed comes from data, folders and people.
console = Console(highlight=False, markup=False)


def say(sentence: str) -> None:
    """What is being done."""
    console.print(sentence, soft_wrap=False)


def show_up(home: Home, *, started: bool) -> None:
    """Where the service is, how to log in, and when it runs next."""
    from deployments.api import service_api

    with service_api(home) as api:
        service = api.service
        console.print()
        console.print(Text(f"{'Up' if started else 'Up already'}: {service.url}", style="bold green"))
        facts = _facts()
        facts.add_row("log in", f"with the line in {home.auth_path}")
        facts.add_row("lake", service.lake)
        facts.add_row("deployments", "\n".join(sorted(_names(api))))
        facts.add_row("next runs", "\n".join(_next_runs(api)))
        facts.add_row("logs", str(home.logs))
        console.print(facts)
        console.print("Next: oj trigger --watch   or wait for the schedule; oj doctor, oj down", style="dim")


def show_findings(findings: "list[Finding]") -> None:
    """What is fine and what is wrong, the wrong with its remedy."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(no_wrap=True)
    facts.add_column(overflow="fold")
    for finding in findings:
        facts.add_row(Text("ok", style="green") if finding.is_fine else Text("WRONG", style="bold red"), finding.what)
        if not finding.is_fine:
            facts.add_row("", f"→ {finding.remedy}")
    console.print(facts)


def _facts() -> Table:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    return facts


def _names(api: "Api") -> list[str]:
    flows = {flow.id: flow.name for flow in api.client.read_flows()}
    return [f"{flows[deployment.flow_id]}/{deployment.name}" for deployment in api.deployments()]


def _next_runs(api: "Api") -> list[str]:
    moments = api.scheduled(api.require_weekly())[:RUNS_SHOWN]
    return [f"{moment:%A %Y-%m-%d %H:%M %Z}" for moment in moments]
