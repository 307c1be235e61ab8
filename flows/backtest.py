"""A backtest: the weekly run's forecast, made at past cutoffs, and its scores."""

from pathlib import Path

from prefect import flow

from flows.options import BacktestOptions, open_lake
from flows.parameters import takes
from flows.prefect_page import explain_failure, with_progress
from flows.prefect_tasks import Timed, stage, stages_of
from forecasting.compute import dask_cluster
from forecasting.pipeline import backtest as backtesting
from forecasting.pipeline.backtest import BacktestResult

load = stage(backtesting.load, name="load")
run_folds = stage(with_progress(backtesting.run_folds, "folds"), name="forecast the folds")
score = stage(backtesting.score, name="score")
write_rows = stage(backtesting.write_rows, name="write the forecasts")


@flow(name="backtest", persist_result=False)
@explain_failure
@takes(BacktestOptions)
def backtest(options: BacktestOptions) -> BacktestResult:
    """Forecast past weeks as they would have been forecast then, and score the forecasts.

    Every fold is made by the function of the weekly run, on a cluster like its own. A series that a model cannot
    forecast counts with its fallback.

    Raises:
        forecasting.contracts.errors.ForecastingError: one sentence that names the cause and the remedy.
    """
    lake = open_lake(options.lake)
    lake.prepare()
    file = Path(options.out) if options.out else None
    backtesting.require_writable(file)
    folds = options.folds
    with stages_of(Timed()) as timed:
        source = load(lake, of_benchmark=options.protocol is not None)
        with dask_cluster(options.cluster_spec, lake, "a backtest") as cluster:
            rows, milliseconds = run_folds(cluster, source, folds, options.models, options.point, options.batch_spec)
        scores = score(source, rows, milliseconds)
        write_rows(rows, file, source.definition)
    return BacktestResult(
        source=source.name,
        folds=len(folds.cutoffs),
        forecasts=len(rows),
        fallbacks=int(rows["reason"].notna().sum()),
        scores={str(model): dict(found) for model, found in scores.to_dict("index").items()},
        seconds_by_stage=timed.clock.seconds,
    )
