"""The commands of the service: `oj up`, `down`, `trigger`, `doctor` and `watch`."""

from typing import Annotated

import typer

from deployments.home import service_home
from deployments.trigger import TriggerOptions
from flows import parameters as p
from flows.options import takes
from forecasting.cli import app
from forecasting.cli.session import run_to_its_end, user_errors


def main() -> None:
    """Run a command."""
    run_to_its_end(app)


@app.command()
def up(
    lake: p.LakeRoot = None,
    port: Annotated[
        int | None, typer.Option(min=1024, max=65535, help="Port of the UI; 4200 at first.", show_default=False)
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            help="PostgreSQL for the server, by its name in connections.toml; sqlite: back to the file in the home.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Bring the service up: server, worker, watcher, deployments, schedule. What is not given stays as it was."""
    with user_errors():
        from deployments import up as service
        from deployments.terminal import say, show_up

        home = service_home()
        started = service.bring_up(home, service.Asked(lake, port, database), say)
        show_up(home, started=started)


@app.command()
def down(
    now: Annotated[bool, typer.Option("--now", help="Cancel the runs under way instead of waiting for them.")] = False,
) -> None:
    """Take the service down, once the runs under way have ended."""
    with user_errors():
        from deployments.down import take_down
        from deployments.terminal import say

        home = service_home()
        was_up = take_down(home, say, now=now)
        say("The service is down; nothing of it is left running." if was_up else f"No service of {home.root} is up.")


@app.command()
@takes(TriggerOptions)
def trigger(options: TriggerOptions) -> None:
    """Start a run of the weekly deployment; what is not given is taken from the deployment."""
    with user_errors():
        from deployments.terminal import say
        from deployments.trigger import trigger as start

        completed = start(service_home(), options, say)
    if not completed:
        raise typer.Exit(1)


@app.command()
def doctor(lake: p.LakeRoot = None) -> None:
    """Tell what is fine, what is wrong, and the remedy; the exit code is 1 where something is wrong."""
    with user_errors():
        from deployments.doctor import examine
        from deployments.terminal import show_findings
        from forecasting.storage.lake import Lake

        home = service_home()
        findings = examine(home, Lake(home.lake_root(lake)))
        show_findings(findings)
    if not all(finding.is_fine for finding in findings):
        raise typer.Exit(1)


@app.command()
def watch(lake: p.LakeRoot = None) -> None:
    """Watch the inbox, and tell the server when a week is whole or late. The service runs it; Ctrl-C ends it."""
    with user_errors():
        from deployments.terminal import say
        from deployments.watch import watch as watch_inbox
        from forecasting.storage.lake import Lake

        home = service_home()
        watch_inbox(home, Lake(home.lake_root(lake)), say)
