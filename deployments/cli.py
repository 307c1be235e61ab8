"""The commands of the service: `oj up`, `down`, `trigger`, `doctor` and `watch`."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deployments.home import Home, service_home
from deployments.trigger import TriggerOptions
from flows.options import LakeRoot, open_lake
from flows.parameters import takes
from forecasting.cli import app
from forecasting.cli.app import SERVICE, command
from forecasting.cli.session import run_to_its_end
from forecasting.contracts.spec import Option

if TYPE_CHECKING:
    from deployments.api import Api
    from deployments.doctor import Finding

RUNS_SHOWN = 3

# No markup: what is printed comes from data, folders and people.
console = Console(highlight=False, markup=False)


def main() -> None:
    """Run a command."""
    run_to_its_end(app)


@command(SERVICE)
def up(
    lake: LakeRoot = None,
    port: Annotated[int | None, Option("Port of the UI; at first 4200.", 1024, 65535)] = None,
    database: Annotated[
        str | None,
        Option(
            "PostgreSQL database of the server, by its name in connections.toml; sqlite: the file in the home.",
            metavar="NAME",
        ),
    ] = None,
) -> None:
    """Start the service: server, worker, watcher, deployments, schedule. Options not given stay as before."""
    from deployments import service

    home = service_home()
    started = service.bring_up(home, service.UpOptions(lake, port, database), say)
    show_up(home, started=started)


@command(SERVICE)
def down(
    now: Annotated[bool, Option("Cancel the runs under way instead of waiting for them.", flag="--now")] = False,
) -> None:
    """Stop the service, once the runs under way have ended."""
    from deployments.service import take_down

    home = service_home()
    was_up = take_down(home, say, now=now)
    say("The service is down; nothing of it is left running." if was_up else f"No service of {home.root} is up.")


@command(SERVICE)
@takes(TriggerOptions)
def trigger(options: TriggerOptions) -> None:
    """Start a run of the weekly deployment; options not given are the deployment's."""
    from deployments.trigger import trigger as start

    if not start(service_home(), options, say):
        raise typer.Exit(1)


@command(SERVICE)
def doctor(lake: LakeRoot = None) -> None:
    """Show what is fine, what is wrong and how to mend it; exit with 1 where something is wrong."""
    from deployments.doctor import examine

    home = service_home()
    findings = examine(home, open_lake(home.lake_root(lake)))
    show_findings(findings)
    if not all(finding.is_fine for finding in findings):
        raise typer.Exit(1)


@command(SERVICE)
def watch(lake: LakeRoot = None) -> None:
    """Watch the inbox; report to the server when a week is whole or late. The service runs it."""
    from deployments.watch import watch as watch_inbox

    home = service_home()
    watch_inbox(home, open_lake(home.lake_root(lake)), say)


def say(sentence: str) -> None:
    """Print what is being done."""
    console.print(sentence, soft_wrap=False)


def show_up(home: Home, *, started: bool) -> None:
    """Print where the service is, how to log in, and when it runs next."""
    from deployments.api import service_api
    from forecasting.presentation.facts import Fact
    from forecasting.presentation.terminal.console import print_facts

    with service_api(home) as api:
        service = api.service
        console.print()
        console.print(Text(f"{'Up' if started else 'Up already'}: {service.url}", style="bold green"))
        print_facts(
            [
                Fact("log in", f"with the line in {home.auth_path}"),
                Fact("lake", service.lake),
                Fact("deployments", "\n".join(sorted(_names(api)))),
                Fact("next runs", "\n".join(_next_runs(api))),
                Fact("logs", str(home.logs)),
            ]
        )
        console.print("Next: oj trigger --watch   or wait for the schedule; oj doctor, oj down", style="dim")


def show_findings(findings: "list[Finding]") -> None:
    """Print what is fine, and what is wrong with its remedy."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(no_wrap=True)
    facts.add_column(overflow="fold")
    for finding in findings:
        facts.add_row(Text("ok", style="green") if finding.is_fine else Text("WRONG", style="bold red"), finding.what)
        if not finding.is_fine:
            facts.add_row("", f"→ {finding.remedy}")
    console.print(facts)


def _names(api: "Api") -> list[str]:
    flows = {flow.id: flow.name for flow in api.client.read_flows()}
    return [f"{flows[deployment.flow_id]}/{deployment.name}" for deployment in api.deployments()]


def _next_runs(api: "Api") -> list[str]:
    moments = api.scheduled(api.require_weekly())[:RUNS_SHOWN]
    return [f"{moment:%A %Y-%m-%d %H:%M %Z}" for moment in moments]
