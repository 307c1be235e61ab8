"""The commands that forecast: `oj run`, `backfill` and `backtest`."""

import time
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from flows.options import BackfillOptions, BacktestOptions, WeeklyOptions, open_lake
from flows.parameters import takes
from forecasting.cli.app import MODELS, WEEKLY, command
from forecasting.cli.session import prefect, warn
from forecasting.contracts.spec import ClusterSpec, ForecastSpec

if TYPE_CHECKING:
    from forecasting.storage.lake import Lake


@command(WEEKLY)
@takes(WeeklyOptions)
def run(options: WeeklyOptions) -> None:
    """Collect the next week, forecast every series on a Dask cluster, publish and report."""
    began = time.monotonic()
    lake = open_lake(options.lake)
    with prefect() as why_not:
        _require_usable(lake, [options.cutoff], [options.model])
        _require_cluster(options.cluster_spec)
        from forecasting.presentation.terminal.console import say_starting

        say_starting()
        from flows.prefect_tasks import run_flow
        from flows.weekly_forecast import weekly_forecast
        from forecasting.presentation.terminal.run import show_run
        from forecasting.presentation.view import run_view

        record = run_flow(weekly_forecast, vars(options), why_not(), warn)
        show_run(run_view(lake, record), time.monotonic() - began)


@command(MODELS)
@takes(BackfillOptions)
def backfill(options: BackfillOptions) -> None:
    """Forecast many past weeks, oldest first. An interrupted backfill goes on where it stopped."""
    began = time.monotonic()
    lake = open_lake(options.lake)
    with prefect() as why_not:
        _require_usable(lake, [options.first, options.last], [options.model])
        _require_cluster(options.cluster_spec)
        from forecasting.presentation.terminal.console import say_starting

        say_starting()
        from flows.backfill import backfill as run_backfill
        from flows.prefect_tasks import run_flow
        from forecasting.presentation.terminal.run import show_backfill

        run_records = run_flow(run_backfill, vars(options), why_not(), warn)
        show_backfill(lake.root, run_records, time.monotonic() - began)


@command(MODELS)
@takes(BacktestOptions)
def backtest(options: BacktestOptions) -> None:
    """Forecast past weeks as of then, and print the scores of one or more models."""
    with prefect() as why_not:
        folds = options.folds
        _require_usable(open_lake(options.lake), [] if options.protocol else folds.cutoffs, options.models)
        _require_cluster(options.cluster_spec)
        from forecasting.presentation.terminal.console import say_starting

        say_starting()
        from flows.backtest import backtest as run_backtest
        from flows.prefect_tasks import run_flow
        from forecasting.presentation.terminal.models import show_backtest

        show_backtest(run_flow(run_backtest, vars(options), why_not(), warn), options.protocol)


def _require_usable(lake: "Lake", cutoffs: Iterable[date | None], models: Iterable[str | None]) -> None:
    """Refuse, before Prefect is started, a model that is not there and a cutoff that opens no week."""
    from forecasting.models.registry import get_model

    for model in filter(None, models):
        get_model(model)  # imports the model, so that a missing library is reported at once
    for cutoff in filter(None, cutoffs):
        ForecastSpec(cutoff, definition=lake.reference.definition)


def _require_cluster(spec: ClusterSpec) -> None:
    """Refuse, before Prefect is started, a cluster that cannot be had; a local one always can."""
    if spec.kind != "local":
        from forecasting.compute.cluster import require_possible

        require_possible(spec)
