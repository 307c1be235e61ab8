"""A backtest: the weekly run's forecast, made at past cutoffs, and its scores."""

from pathlib import Path
from typing import Any

from prefect import flow

from flows import backtesting
from flows import parameters as p
from flows.artifacts import show_progress
from flows.policy import stage, stopwatch
from flows.settings import lake_root
from forecasting.adapters.clock import Stopwatch
from forecasting.adapters.cluster import dask_cluster
from forecasting.adapters.lake import Lake
from forecasting.folds import choose_folds
from forecasting.spec import BatchSpec, ClusterSpec

load = stage(backtesting.load, name="load")
run_folds = stage(backtesting.run_folds, name="forecast the folds")
score = stage(backtesting.score, name="score")
keep = stage(backtesting.keep, name="keep the forecasts")


@flow(name="backtest", persist_result=False)
def backtest(
    lake: p.LakeRoot = None,
    protocol: p.Protocol = None,
    first_cutoff: p.FoldCutoff = None,
    last_cutoff: p.FoldCutoff = None,
    every: p.Every = 1,
    horizon: p.Horizon = p.FORECAST.horizon,
    gap: p.Gap = p.FORECAST.gap,
    models: p.Models = p.DEFAULT_MODELS,
    point: p.Point = "mape",
    out: p.Out = None,
    mini_batch_size: p.MiniBatchSize = p.BATCH.mini_batch_size,
    timeout: p.Timeout = p.BATCH.timeout,
    instance_count: p.InstanceCount = p.CLUSTER.instance_count,
    max_concurrency_per_instance: p.MaxConcurrency = p.CLUSTER.max_concurrency_per_instance,
) -> dict[str, Any]:
    """Forecast past weeks as they would have been forecast then, and score the forecasts.

    Every fold is made by the function of the weekly run, on a cluster like its own. A series that a model
    cannot forecast counts with its fallback.

    Returns:
        `source` (where the data are from), `folds`, `forecasts` (how many were scored), `fallbacks`,
        `scores` (one record a model) and `seconds` by stage.

    Raises:
        forecasting.errors.ForecastingError: one sentence that names the cause and the remedy.
    """
    home = Lake(lake_root(lake))
    home.prepare()
    file = Path(out) if out else None
    backtesting.require_writable(file)
    folds = choose_folds(protocol, first_cutoff, last_cutoff, every, horizon, gap)
    batch = BatchSpec(mini_batch_size, timeout=timeout, error_threshold=-1)
    clock = Stopwatch()
    token = stopwatch.set(clock)
    try:
        with clock.stage("total"):
            source = load(home, of_benchmark=protocol is not None)
            workers = ClusterSpec(instance_count, max_concurrency_per_instance)
            with dask_cluster(workers, home.scratch()) as cluster, show_progress("folds") as progress:
                rows, milliseconds = run_folds(cluster, source, folds, list(models), point, batch, progress)
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
