"""The commands of fitted models: `oj train`, `oj models` and `oj models rollback`."""

import time
from typing import Annotated

import typer

from flows import parameters as p
from flows.options import LakeOptions, TrainOptions, takes
from forecasting.cli.app import app
from forecasting.cli.session import prefect, user_errors, warn


@app.command()
@takes(TrainOptions)
def train(options: TrainOptions) -> None:
    """Fit a model and keep it; put it in force where it is better than the champion, beyond chance."""
    began = time.monotonic()
    with user_errors(), prefect() as why_not:
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


models = typer.Typer(help="Fitted models: list them, or go back to an earlier one.")
app.add_typer(models, name="models")


@models.callback(invoke_without_command=True)
def list_models(context: typer.Context, lake: p.LakeRoot = None) -> None:
    """List the fitted models of the lake, with their scores, and which is the champion."""
    if context.invoked_subcommand:
        return
    with user_errors():
        from forecasting.presentation.terminal.models import show_models

        show_models(LakeOptions(lake=lake).home)


@models.command()
def rollback(
    to: Annotated[
        str | None,
        typer.Option(help="Version to put in force; empty: the one before the champion.", show_default=False),
    ] = None,
    lake: p.LakeRoot = None,
) -> None:
    """Put an earlier model in force again, or any that is kept."""
    with user_errors():
        from getpass import getuser

        from forecasting.clock import now
        from forecasting.pipeline.challengers import rollback
        from forecasting.presentation.terminal.models import show_champion

        show_champion(rollback(LakeOptions(lake=lake).home, to, by=getuser(), at=now()))
