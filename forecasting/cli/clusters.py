"""The commands of clusters that would outlive their run: `oj clusters` and `oj clusters reap`."""

import typer

from flows import parameters as p
from flows.options import LakeOptions
from forecasting.cli.app import app
from forecasting.cli.session import user_errors

clusters = typer.Typer(help="Clusters that would outlive their run: list them, or end those whose run is gone.")
app.add_typer(clusters, name="clusters")


@clusters.callback(invoke_without_command=True)
def list_clusters(context: typer.Context, lake: p.LakeRoot = None) -> None:
    """List the clusters that runs have started on other machines, with their age and cost so far."""
    if context.invoked_subcommand:
        return
    with user_errors():
        from forecasting.presentation.terminal.clusters import show_clusters

        show_clusters(LakeOptions(lake=lake).home)


@clusters.command()
def reap(lake: p.LakeRoot = None) -> None:
    """End the clusters whose run is gone; those of living runs are left alone."""
    with user_errors():
        from forecasting.compute.register import reap_orphans
        from forecasting.presentation.terminal.clusters import show_reaped

        show_reaped(reap_orphans(LakeOptions(lake=lake).home))
