"""A backtest: the weekly run's forecast, made at past cutoffs, and its scores."""

from pathlib import Path
from typing import Any

from prefect import flow

from flows.artifacts import explain_failure, show_progress
from flows.options import BacktestOptions, open_lake
from flows.parameters import takes
from flows.prefect_tasks import stage, stopwatch
from forecasting.clock import Stopwatch
from forecasting.compute import dask_cluster
from forecasting.pipeline import backtest as backtesting

load = stage(backtesting.load, name="load")
run_folds = stage(backtesting.run_folds, name="forecast the folds")
score = stage(backtesting.score, name="score")
keep = stage(backtesting.keep, name="keep the forecasts")


@flow(name="backtest", persist_result=False)
@explain_failure
@takes(BacktestOptions)
def backtest(options: BacktestOptions) -> dict[str, Any]:
    """Forecast past weeks as they would have been forecast then, and score the forecasts.

    Every fold is made by the function of the weekly run, on a cluster like its own. A series that a model
    cannot forecast counts with its fallback.

    Returns:
        `source` (where the data are from), `folds`, `forecasts` (how many were scored), `fallbacks`,
        `scores` (one record a model) and `seconds` by stage.

    Raises:
        forecasting.contracts.errors.ForecastingError: one sentence that names the cause and the remedy.
    """
    home = open_lake(options.lake)
    home.prepare()
    file = Path(options.out) if options.out else None
    backtesting.require_writable(file)
    folds = options.folds
    clock = Stopwatch()
    token = stopwatch.set(clock)
    try:
        with clock.stage("total"):
            source = load(home, of_benchmark=options.protocol is not None)
            with dask_cluster(options.cluster_spec, home, "a backtest") as cluster, show_progress("folds") as progress:
                rows, milliseconds = run_folds(
                    cluster, source, folds, options.models, options.point, options.batch_spec, progress
                )
            scores = score(source, rows, milliseconds)
            keep(rows, file)
    finally:
        stopwatch.reset(token)
    return {
        "source": source.name,
        "folds": len(folds.cutoffs),
        "forecasts": len(rows),
        "fallbacks": int(rows["reason"].notna().sum()),
        "scores": scores.reset_index().to_dict("records"),
        "seconds": clock.seconds,
    }
