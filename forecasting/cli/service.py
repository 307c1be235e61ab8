"""The commands for operators that need no service: `oj notify`, `oj clusters` and `oj clusters reap`."""

from typing import Annotated

import typer

from flows.options import LakeRoot, existing_lake
from forecasting.cli.app import SERVICE, app, as_command, command
from forecasting.contracts.errors import OptionError


@command(SERVICE)
def notify(text: Annotated[str, typer.Argument(help="The message.", show_default=False)] = "It works.") -> None:
    """Send a test message to everyone who is notified of failures."""
    from forecasting.pipeline.delivery import CONNECTION
    from forecasting.pipeline.delivery import notify as send
    from forecasting.storage.connections import connections_path

    delivery = send("Orange juice forecast: a test", text)
    delivery.require_all()
    if not delivery.targets:
        raise OptionError(
            str(connections_path()),
            "names nobody to notify",
            f'write {CONNECTION} = "mailto://..." into it (docs/operations.md)',
        )
    typer.echo(f"Notified: {delivery.reached} of {delivery.targets}.")


clusters = typer.Typer(help="List the clusters that runs have started on other machines, or end orphans.")
app.add_typer(clusters, name="clusters", rich_help_panel=SERVICE)


@clusters.callback(invoke_without_command=True)
@as_command
def list_clusters(context: typer.Context, lake: LakeRoot = None) -> None:
    """List the clusters that runs have started on other machines, with age and cost, or end orphans."""
    if context.invoked_subcommand:
        return
    from forecasting.presentation.terminal.clusters import show_clusters

    show_clusters(existing_lake(lake))


@clusters.command()
@as_command
def reap(lake: LakeRoot = None) -> None:
    """End the clusters whose run has ended; clusters of running runs go on."""
    from forecasting.compute.register import reap_orphans
    from forecasting.presentation.terminal.clusters import show_reaped

    show_reaped(reap_orphans(existing_lake(lake)))
