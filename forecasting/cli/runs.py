"""The commands that forecast, and the one that lets a week go on: `oj run`, `backfill`, `accept` and `backtest`."""

import time
from collections.abc import Iterable
from datetime import date
from getpass import getuser
from typing import TYPE_CHECKING, Annotated

import typer

from flows import parameters as p
from flows.options import BackfillOptions, BacktestOptions, LakeOptions, WeeklyOptions, takes
from forecasting.cli.app import app
from forecasting.cli.session import prefect, user_errors, warn
from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import ClusterSpec, ForecastSpec

if TYPE_CHECKING:
    from forecasting.storage.lake import Lake


@app.command()
@takes(WeeklyOptions)
def run(options: WeeklyOptions) -> None:
    """Collect the next week, forecast every series on a Dask cluster, publish and report."""
    began = time.monotonic()
    with user_errors(), prefect() as why_not:
        _require_usable(
            options.home, [options.cutoff] if options.cutoff else [], [options.model] if options.model else []
        )
        _require_cluster(options.cluster_spec)
        from forecasting.presentation.terminal.console import say_starting

        say_starting()
        from flows.prefect_tasks import run_flow
        from flows.weekly_forecast import weekly_forecast
        from forecasting.presentation.terminal.run import show_run

        record = run_flow(weekly_forecast, vars(options), why_not(), warn)
        show_run(options.home.root, record, time.monotonic() - began)


@app.command()
@takes(BackfillOptions)
def backfill(options: BackfillOptions) -> None:
    """Forecast many past weeks, oldest first; go on where an interrupted backfill stopped."""
    began = time.monotonic()
    with user_errors(), prefect() as why_not:
        _require_usable(
            options.home,
            [options.first, *([options.last] if options.last else [])],
            [options.model] if options.model else [],
        )
        _require_cluster(options.cluster_spec)
        from forecasting.presentation.terminal.console import say_starting

        say_starting()
        from flows.backfill import backfill as run_backfill
        from flows.prefect_tasks import run_flow
        from forecasting.presentation.terminal.run import show_backfill

        run_records = run_flow(run_backfill, vars(options), why_not(), warn)
        show_backfill(options.home.root, run_records, time.monotonic() - began)


@app.command()
def accept(
    week: Annotated[
        date,
        typer.Option(**p.A_WEEK, help="First day of the week.", show_default=False),
    ],
    reason: Annotated[str, typer.Option(help="Why.", show_default=False)],
    store: Annotated[int | None, typer.Option(help="Store whose units are right.", min=1, show_default=False)] = None,
    product: Annotated[
        int | None, typer.Option(help="Product whose units are right.", min=1, show_default=False)
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who says so; empty: you.", show_default=False)] = None,
    lake: p.LakeRoot = None,
) -> None:
    """Let a week go on with its gaps, or one store's units in that are out of proportion; who and why is recorded."""
    with user_errors():
        from forecasting.clock import now
        from forecasting.pipeline import ingest as intake
        from forecasting.pipeline import overrides as accepting
        from forecasting.presentation.terminal.lake import show_acceptance, show_override

        home, who = LakeOptions(lake=lake).home, by or getuser()
        ForecastSpec(week, definition=home.reference.definition)
        home.prepare()
        if store is None and product is None:
            show_acceptance(week, intake.accept(home, week, reason, who, now()))
        elif store is None or product is None:
            raise OptionError("--store and --product", "name one series together", "give both, or neither for the gaps")
        else:
            show_override(*accepting.accept_override(home, week, store, product, reason, who, now()))


@app.command()
@takes(BacktestOptions)
def backtest(options: BacktestOptions) -> None:
    """Forecast past weeks as they would have been forecast then, and print the scores."""
    with user_errors(), prefect() as why_not:
        folds = options.folds
        _require_usable(options.home, [] if options.protocol else folds.cutoffs, options.models)
        _require_cluster(options.cluster_spec)
        from forecasting.presentation.terminal.console import say_starting

        say_starting()
        from flows.backtest import backtest as run_backtest
        from flows.prefect_tasks import run_flow
        from forecasting.presentation.terminal.backtest import show_backtest

        show_backtest(run_flow(run_backtest, vars(options), why_not(), warn), options.protocol)


def _require_usable(lake: "Lake", cutoffs: Iterable[date], models: Iterable[str]) -> None:
    """Refuse what no run could use before Prefect is started for it."""
    from forecasting.models.registry import get_model

    for model in models:
        get_model(model)  # imported here, so that a missing library is told at once
    for cutoff in cutoffs:
        ForecastSpec(cutoff, definition=lake.reference.definition)


def _require_cluster(spec: ClusterSpec) -> None:
    """Refuse a cluster that cannot be had, also before Prefect is started; a local one needs no look."""
    if spec.kind != "local":
        from forecasting.compute.cluster import require_possible

        require_possible(spec)
