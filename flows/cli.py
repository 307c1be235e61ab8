"""The command line `oj`. Commands import what they need themselves: `oj --help` answers at once."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated

import typer

from flows import parameters as p
from flows.settings import lake_root
from forecasting.errors import ForecastingError
from forecasting.spec import ForecastSpec, Point

app = typer.Typer(
    help="Next week's sales for every store and product: a weekly batch forecast.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


@app.command()
def run(
    lake: p.LakeRoot = None,
    cutoff: p.Cutoff = None,
    horizon: p.Horizon = p.FORECAST.horizon,
    gap: p.Gap = p.FORECAST.gap,
    model: p.ModelName = p.FORECAST.model,
    point: p.Point = p.FORECAST.point,
    min_reporting: p.MinReporting = p.MIN_REPORTING,
    accept_gaps: p.AcceptGaps = None,
    mini_batch_size: p.MiniBatchSize = p.BATCH.mini_batch_size,
    max_retries: p.MaxRetries = p.BATCH.max_retries,
    timeout: p.Timeout = p.BATCH.timeout,
    error_threshold: p.ErrorThreshold = p.BATCH.error_threshold,
    instance_count: p.InstanceCount = p.CLUSTER.instance_count,
    max_concurrency_per_instance: p.MaxConcurrency = p.CLUSTER.max_concurrency_per_instance,
) -> None:
    """Collect the next week, forecast every series on a Dask cluster, publish and report."""
    options = dict(locals())
    began = time.monotonic()
    with _user_errors():
        _require_usable(cutoff, horizon, gap, model, point)
        # The errors that matter are printed here, in one sentence; Prefect's log keeps the rest.
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
        from flows import terminal

        terminal.say_starting()
        from flows.weekly_forecast import weekly_forecast

        receipt = weekly_forecast(**options)
        terminal.show_run(lake_root(lake), receipt, time.monotonic() - began)


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


@app.command()
def status(lake: p.LakeRoot = None) -> None:
    """What is in the lake: weeks, forecasts, the last run, and what is waiting in the inbox."""
    with _user_errors():
        from flows import terminal
        from forecasting.adapters.lake import Lake

        terminal.show_status(Lake(lake_root(lake)))


@contextmanager
def _user_errors() -> Iterator[None]:
    """A mistake of the user's ends in one sentence and exit code 1, never in a traceback."""
    try:
        yield
    except ForecastingError as error:
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        sys.exit(1)


def _require_usable(cutoff: date | None, horizon: int, gap: int, model: str, point: Point) -> None:
    """Refuse what no run could use before Prefect is started for it."""
    from forecasting.models.registry import get_model

    ForecastSpec(cutoff or p.FORECAST.cutoff, horizon, gap, model, point)
    get_model(model)
