"""Training on demand: a challenger is fitted and held against the champion."""

from getpass import getuser
from typing import Any

from prefect import flow

from flows.artifacts import explain_failure, show_progress
from flows.options import TrainOptions, open_lake
from flows.parameters import takes
from flows.prefect_tasks import stage, stopwatch
from forecasting.clock import Stopwatch, now
from forecasting.compute import dask_cluster
from forecasting.models import get_model
from forecasting.pipeline import challengers as training
from forecasting.pipeline.backtest import of_lake

evaluate_challengers = stage(training.evaluate_challengers, name="forecast the folds")
train_and_keep = stage(training.train_and_keep, name="train")


@flow(name="train", persist_result=False)
@explain_failure
@takes(TrainOptions)
def train(options: TrainOptions) -> dict[str, Any]:
    """Fit a challenger, and put it in force where it forecasts past weeks better than the champion, beyond chance.

    Without a model it is the champion's family, fitted to what was sold since; the first model ever becomes the
    champion without a contest.

    Returns:
        `version`, `model`, `promoted`, `why`, `scores`, and by what each fold was forecast.

    Raises:
        forecasting.contracts.errors.ForecastingError: one sentence that names the cause and the remedy.
    """
    home = open_lake(options.lake)
    home.prepare()
    cutoff = options.cutoff or training.last_week(home)
    champion = home.models.champion_at(cutoff)
    spec = options.spec(home, cutoff, champion.model if champion else None)
    get_model(spec.model).require_trainable()
    incumbent = home.models.load(champion.version)[1] if champion else None
    folds = training.choose_folds(home, spec, options.folds)
    source = of_lake(home, cutoff)
    token = stopwatch.set(Stopwatch())
    try:
        with dask_cluster(options.cluster_spec, home, "training") as cluster, show_progress("folds") as progress:
            contest = evaluate_challengers(
                cluster, source, folds, [spec.model], incumbent, options.batch_spec, progress
            )
        _, decision = train_and_keep(home, spec, contest, champion, by=getuser(), at=now())
    finally:
        stopwatch.reset(token)
    return decision
