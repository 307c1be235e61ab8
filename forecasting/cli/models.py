"""The commands of fitted models: `oj train`, `oj models` and `oj models rollback`."""

import time
from typing import Annotated

import typer

from flows.options import LakeRoot, TrainOptions, existing_lake
from flows.parameters import takes
from forecasting.cli.app import MODELS, app, as_command, command
from forecasting.cli.session import prefect, warn
from forecasting.contracts.spec import Option


@command(MODELS)
@takes(TrainOptions)
def train(options: TrainOptions) -> None:
    """Fit and register a model; promote it if it beats the champion by more than chance."""
    began = time.monotonic()
    with prefect() as why_not:
        from forecasting.compute.cluster import require_possible
        from forecasting.models import get_model

        if options.model:
            get_model(options.model).require_trainable()
        require_possible(options.cluster_spec)
        from forecasting.presentation.terminal.console import say_starting

        say_starting()
        from flows.prefect_tasks import run_flow
        from flows.train import train as run_train
        from forecasting.presentation.terminal.models import show_training

        decision = run_flow(run_train, vars(options), why_not(), warn)
        show_training(decision, time.monotonic() - began)


models = typer.Typer(help="List the registered models with their scores, or roll back to one.")
app.add_typer(models, name="models", rich_help_panel=MODELS)


@models.callback(invoke_without_command=True)
@as_command
def list_models(context: typer.Context, lake: LakeRoot = None) -> None:
    """List the registered models with their scores and the champion, or roll back to one."""
    if context.invoked_subcommand:
        return
    from forecasting.presentation.terminal.models import show_models

    show_models(existing_lake(lake))


@models.command()
@as_command
def rollback(
    to: Annotated[
        str | None, Option("Version to make the champion; default: the one before it.", metavar="VERSION")
    ] = None,
    lake: LakeRoot = None,
) -> None:
    """Make an earlier model, or any registered one, the champion."""
    from getpass import getuser

    from forecasting.clock import now
    from forecasting.pipeline.challengers import rollback
    from forecasting.presentation.terminal.models import show_champion

    show_champion(rollback(existing_lake(lake), to, by=getuser(), at=now()))
