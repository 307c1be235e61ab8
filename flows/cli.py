"""The command line `oj`. Commands import what they need themselves: `oj --help` answers at once."""

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
from flows.settings import lake_root
from forecasting.errors import ForecastingError
from forecasting.spec import ForecastSpec

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
    with user_errors():
        _require_usable(options.home, [options.cutoff] if options.cutoff else [], [options.model])
        _quiet_prefect()
        from flows import terminal

        terminal.say_starting()
        from flows.weekly_forecast import weekly_forecast

        receipt = weekly_forecast(**vars(options))
        terminal.show_run(options.home.root, receipt, time.monotonic() - began)


@app.command()
@p.takes(p.BacktestOptions)
def backtest(options: p.BacktestOptions) -> None:
    """Forecast past weeks as they would have been forecast then, and print the scores."""
    with user_errors():
        folds = options.folds
        _require_usable(options.home, [] if options.protocol else folds.cutoffs, options.models)
        _quiet_prefect()
        from flows import terminal

        terminal.say_starting()
        from flows.backtest import backtest as run_backtest

        terminal.show_backtest(run_backtest(**vars(options)), options.protocol)


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


@contextmanager
def user_errors() -> Iterator[None]:
    """A mistake of the user's, and a stop by a signal, end in one sentence, never in a traceback."""
    signals: list[int] = []

    def stop(number: int, _frame: object) -> None:
        # An exception, so that the cluster and Prefect's embedded server are taken down on the way out.
        signals.append(number)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        yield
    except ForecastingError as error:
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        sys.exit(1)
    except BaseException:
        # Prefect may answer a stop by an error of its own, as its embedded server was stopped with it.
        if not signals:
            raise
        typer.secho("Stopped. What was published stays in force; run again to go on.", fg=typer.colors.RED, err=True)
        sys.exit(128 + signals[0])


def _quiet_prefect() -> None:
    """The errors that matter are printed here, in one sentence; Prefect's log keeps the rest."""
    if "PREFECT_API_URL" not in os.environ:
        # The embedded server answers, or it was stopped together with the run: do not wait for it.
        os.environ.setdefault("PREFECT_CLIENT_MAX_RETRIES", "1")
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")


def _require_usable(lake: "Lake", cutoffs: Iterable[date], models: Iterable[str]) -> None:
    """Refuse what no run could use before Prefect is started for it."""
    from forecasting.models.registry import get_model

    for model in models:
        _ = get_model(model).forecast  # imported here, so that a missing library is told at once
    for cutoff in cutoffs:
        ForecastSpec(cutoff, week_starts_on=lake.week_starts_on)
