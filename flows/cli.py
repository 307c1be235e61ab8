"""The command line `oj`. Commands import what they need themselves: `oj --help` answers at once."""

import time
from collections.abc import Iterable
from datetime import date
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows import parameters as p
from flows.options import BackfillOptions, BacktestOptions, LakeOptions, WeeklyOptions, takes
from flows.session import prefect, user_errors, warn
from flows.settings import lake_root
from forecasting.errors import OptionError
from forecasting.spec import ClusterSpec, ForecastSpec

if TYPE_CHECKING:
    from forecasting.adapters.lake import Lake

app = typer.Typer(
    help="Next week's sales for every store and product: a weekly batch forecast.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


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
        from flows import terminal

        terminal.say_starting()
        from flows.policy import run_flow
        from flows.weekly_forecast import weekly_forecast

        receipt = run_flow(weekly_forecast, vars(options), why_not(), warn)
        terminal.show_run(options.home.root, receipt, time.monotonic() - began)


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
        from flows import terminal

        terminal.say_starting()
        from flows.backfill import backfill as run_backfill
        from flows.policy import run_flow

        receipts = run_flow(run_backfill, vars(options), why_not(), warn)
        terminal.show_backfill(options.home.root, receipts, time.monotonic() - began)


@app.command()
def accept(
    week: Annotated[
        date,
        typer.Option(
            parser=date.fromisoformat, metavar="YYYY-MM-DD", help="First day of the week.", show_default=False
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why.", show_default=False)],
    store: Annotated[int | None, typer.Option(help="Store whose units are right.", min=1, show_default=False)] = None,
    brand: Annotated[int | None, typer.Option(help="Brand whose units are right.", min=1, show_default=False)] = None,
    by: Annotated[str | None, typer.Option(help="Who says so; empty: you.", show_default=False)] = None,
    lake: p.LakeRoot = None,
) -> None:
    """Let a week go on with its gaps, or one store's units in that are out of proportion; who and why is recorded."""
    with user_errors():
        from flows import accepting, stages, terminal
        from forecasting.adapters.clock import now

        home, who = LakeOptions(lake=lake).home, by or getuser()
        ForecastSpec(week, week_starts_on=home.week_starts_on)
        home.prepare()
        if store is None and brand is None:
            terminal.show_acceptance(week, stages.accept(home, week, reason, who, now()))
        elif store is None or brand is None:
            raise OptionError("--store and --brand", "name one series together", "give both, or neither for the gaps")
        else:
            terminal.show_unusual(*accepting.accept_unusual(home, week, store, brand, reason, who, now()))


@app.command()
@takes(BacktestOptions)
def backtest(options: BacktestOptions) -> None:
    """Forecast past weeks as they would have been forecast then, and print the scores."""
    with user_errors(), prefect() as why_not:
        folds = options.folds
        _require_usable(options.home, [] if options.protocol else folds.cutoffs, options.models)
        _require_cluster(options.cluster_spec)
        from flows import terminal

        terminal.say_starting()
        from flows.backtest import backtest as run_backtest
        from flows.policy import run_flow

        terminal.show_backtest(run_flow(run_backtest, vars(options), why_not(), warn), options.protocol)


@app.command()
def feed(
    lake: p.LakeRoot = None,
    history_until: Annotated[
        date | None,
        typer.Option(
            parser=date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="Last week of the history that an empty lake is filled with.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Play the world: let one real week go by, and drop its files into the inbox."""
    with user_errors():
        from flows import terminal
        from forecasting.adapters.feed import FIRST_HISTORY_UNTIL
        from forecasting.adapters.feed import feed as let_a_week_go_by
        from forecasting.adapters.lake import Lake

        home = Lake(lake_root(lake))
        terminal.show_feed(home, let_a_week_go_by(home, history_until=history_until or FIRST_HISTORY_UNTIL))


@app.command("import")
def import_panel(
    files: Annotated[list[Path], typer.Argument(help="CSV or Parquet files of one layout.", show_default=False)],
    store: Annotated[str, typer.Option(help="Column of the store, a number or a name.")] = "store",
    brand: Annotated[str, typer.Option(help="Column of the brand or product, a number or a name.")] = "brand",
    week: Annotated[str, typer.Option(help="Column of the first day of the week.")] = "week",
    units: Annotated[str, typer.Option(help="Column of the units sold; empty in weeks ahead.")] = "units",
    price: Annotated[str | None, typer.Option(help="Column of the price, where there is one.")] = None,
    deal: Annotated[str | None, typer.Option(help="Column of a deal, 0 or 1, where there is one.")] = None,
    feat: Annotated[str | None, typer.Option(help="Column of the advert, 0 to 1, where there is one.")] = None,
    lake: p.LakeRoot = None,
) -> None:
    """Fill a new lake with the history of a panel that someone else laid out."""
    with user_errors():
        from flows import terminal
        from forecasting.adapters.foreign import Layout
        from forecasting.adapters.foreign import import_panel as read_panel
        from forecasting.adapters.lake import Lake

        home = Lake(lake_root(lake))
        terminal.show_import(home, read_panel(home, files, Layout(store, brand, week, units, price, deal, feat)))


@app.command()
def status(lake: p.LakeRoot = None) -> None:
    """What is in the lake: weeks, forecasts, the last run, and what is waiting in the inbox."""
    with user_errors():
        from flows import terminal
        from forecasting.adapters.lake import Lake

        terminal.show_status(Lake(lake_root(lake)))


@app.command()
def notify(text: Annotated[str, typer.Argument(help="What to tell.", show_default=False)] = "It works.") -> None:
    """Send a line to those who are told of trouble, to see that it arrives."""
    with user_errors():
        from forecasting.adapters.connections import connections_path
        from forecasting.adapters.notify import CONNECTION
        from forecasting.adapters.notify import notify as tell

        delivery = tell("Orange juice forecast: a test", text)
        delivery.require_all()
        if not delivery.targets:
            raise OptionError(
                str(connections_path()),
                "names nobody to notify",
                f'write {CONNECTION} = "mailto://..." into it, as docs/operations.md tells',
            )
        typer.echo(f"Told: {delivery.reached} of {delivery.targets}.")


clusters = typer.Typer(help="Clusters that would outlive their run: list them, or end those whose run is gone.")
app.add_typer(clusters, name="clusters")


@clusters.callback(invoke_without_command=True)
def list_clusters(context: typer.Context, lake: p.LakeRoot = None) -> None:
    """List the clusters that runs have started on other machines, with their age and cost so far."""
    if context.invoked_subcommand:
        return
    with user_errors():
        from flows import terminal_clusters
        from forecasting.adapters.lake import Lake

        terminal_clusters.show_clusters(Lake(lake_root(lake)))


@clusters.command()
def reap(lake: p.LakeRoot = None) -> None:
    """End the clusters whose run is gone; those of living runs are left alone."""
    with user_errors():
        from flows import terminal_clusters
        from forecasting.adapters.cluster.reap import reap_orphans
        from forecasting.adapters.lake import Lake

        terminal_clusters.show_reaped(reap_orphans(Lake(lake_root(lake))))


def _require_usable(lake: "Lake", cutoffs: Iterable[date], models: Iterable[str]) -> None:
    """Refuse what no run could use before Prefect is started for it."""
    from forecasting.models.registry import get_model

    for model in models:
        _ = get_model(model).forecast  # imported here, so that a missing library is told at once
    for cutoff in cutoffs:
        ForecastSpec(cutoff, week_starts_on=lake.week_starts_on)


def _require_cluster(spec: ClusterSpec) -> None:
    """Refuse a cluster that cannot be had, also before Prefect is started; a local one needs no look."""
    if spec.kind != "local":
        from forecasting.adapters.cluster.life import require_possible

        require_possible(spec)
