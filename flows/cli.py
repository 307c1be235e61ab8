"""The command line `oj`. Commands import what they need themselves: `oj --help` answers at once."""

import logging
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows import parameters as p
from flows.embedded import Waiting, embedded_server, is_delivered
from flows.settings import lake_root
from forecasting.errors import ForecastingError
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
@p.takes(p.WeeklyOptions)
def run(options: p.WeeklyOptions) -> None:
    """Collect the next week, forecast every series on a Dask cluster, publish and report."""
    began = time.monotonic()
    with _user_errors(), _prefect() as why_not:
        _require_usable(options.home, [options.cutoff] if options.cutoff else [], [options.model])
        _require_cluster(options.cluster_spec)
        from flows import terminal

        terminal.say_starting()
        from flows.policy import run_flow
        from flows.weekly_forecast import weekly_forecast

        receipt = run_flow(weekly_forecast, vars(options), why_not(), _warn)
        terminal.show_run(options.home.root, receipt, time.monotonic() - began)


@app.command()
@p.takes(p.BacktestOptions)
def backtest(options: p.BacktestOptions) -> None:
    """Forecast past weeks as they would have been forecast then, and print the scores."""
    with _user_errors(), _prefect() as why_not:
        folds = options.folds
        _require_usable(options.home, [] if options.protocol else folds.cutoffs, options.models)
        _require_cluster(options.cluster_spec)
        from flows import terminal

        terminal.say_starting()
        from flows.backtest import backtest as run_backtest
        from flows.policy import run_flow

        terminal.show_backtest(run_flow(run_backtest, vars(options), why_not(), _warn), options.protocol)


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
    with _user_errors():
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
    with _user_errors():
        from flows import terminal
        from forecasting.adapters.foreign import Layout
        from forecasting.adapters.foreign import import_panel as read_panel
        from forecasting.adapters.lake import Lake

        home = Lake(lake_root(lake))
        terminal.show_import(home, read_panel(home, files, Layout(store, brand, week, units, price, deal, feat)))


@app.command()
def status(lake: p.LakeRoot = None) -> None:
    """What is in the lake: weeks, forecasts, the last run, and what is waiting in the inbox."""
    with _user_errors():
        from flows import terminal
        from forecasting.adapters.lake import Lake

        terminal.show_status(Lake(lake_root(lake)))


clusters = typer.Typer(help="Clusters that would outlive their run: list them, or end those whose run is gone.")
app.add_typer(clusters, name="clusters")


@clusters.callback(invoke_without_command=True)
def list_clusters(context: typer.Context, lake: p.LakeRoot = None) -> None:
    """List the clusters that runs have started on other machines, with their age and cost so far."""
    if context.invoked_subcommand:
        return
    with _user_errors():
        from flows import terminal_clusters
        from forecasting.adapters.lake import Lake

        terminal_clusters.show_clusters(Lake(lake_root(lake)))


@clusters.command()
def reap(lake: p.LakeRoot = None) -> None:
    """End the clusters whose run is gone; those of living runs are left alone."""
    with _user_errors():
        from flows import terminal_clusters
        from forecasting.adapters.cluster.reap import reap_orphans
        from forecasting.adapters.lake import Lake

        terminal_clusters.show_reaped(reap_orphans(Lake(lake_root(lake))))


def main() -> None:
    """Run a command, and end when it has ended, whether or not Prefect's API took up its last events."""
    try:
        app()
    except SystemExit as end:
        if not is_delivered():
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code if isinstance(end.code, int) else 0)
        raise


@contextmanager
def _user_errors() -> Iterator[None]:
    """A mistake of the user's, and a stop by a signal, end in one sentence, never in a traceback."""
    stops: list[int] = []

    def stop(number: int, _frame: object) -> None:
        if not stops:
            stops.append(number)
            # An exception, so that cluster and server are taken down on the way out.
            raise KeyboardInterrupt
        if number == signal.SIGINT:
            # Whoever cannot wait: what runs beside this process ends by itself.
            os.write(sys.stderr.fileno(), b"Stopped at once.\n")
            os._exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, stop)
    try:
        yield
    except ForecastingError as error:
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        sys.exit(1)
    except BaseException:
        # Prefect may answer a stop by an error of its own.
        if not stops:
            raise
        typer.secho("Stopped. What was published stays in force; run again to go on.", fg=typer.colors.RED, err=True)
        sys.exit(128 + stops[0])


@contextmanager
def _prefect() -> Iterator[Waiting]:
    """Prefect for one run, its server on the way; gives what waits for it, and tells why it does not answer."""
    # The errors that matter are printed here, in one sentence; Prefect's log keeps the rest.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL")
    logging.raiseExceptions = False  # a log that Prefect's API does not take
    with embedded_server() as why_not:
        yield why_not


def _warn(sentence: str) -> None:
    typer.secho(sentence, fg=typer.colors.YELLOW, err=True)


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
