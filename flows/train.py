"""Training on demand: a challenger is fitted and held against the champion."""

from getpass import getuser
from typing import Any

from prefect import flow

from flows import training
from flows.artifacts import show_progress, tells_what_to_do
from flows.backtesting import of_lake
from flows.options import TrainOptions, takes
from flows.policy import stage, stopwatch
from forecasting.adapters.champion import champion_at
from forecasting.adapters.clock import Stopwatch, now
from forecasting.adapters.cluster import dask_cluster
from forecasting.adapters.model_store import load
from forecasting.models import get_model

hold_contest = stage(training.hold_contest, name="forecast the folds")
train_and_keep = stage(training.train_and_keep, name="train")


@flow(name="train", persist_result=False)
@tells_what_to_do
@takes(TrainOptions)
def train(options: TrainOptions) -> dict[str, Any]:
    """Fit a challenger, and put it in force where it forecasts past weeks better than the champion, beyond chance.

    Without a model it is the champion's family, fitted to what was sold since; the first model ever becomes the
    champion without a contest.

    Returns:
        `version`, `model`, `promoted`, `why`, `scores`, and by what each fold was forecast.

    Raises:
        forecasting.errors.ForecastingError: one sentence that names the cause and the remedy.
    """
    home = options.home
    home.prepare()
    cutoff = options.cutoff or training.last_week(home)
    champion = champion_at(home, cutoff)
    spec = options.spec(cutoff, champion.model if champion else None)
    get_model(spec.model).require_trainable()
    incumbent = load(home, champion.version)[1] if champion else None
    folds = training.choose_folds(home, spec, options.folds)
    source = of_lake(home, cutoff)
    token = stopwatch.set(Stopwatch())
    try:
        with dask_cluster(options.cluster_spec, home, "training") as cluster, show_progress("folds") as progress:
            contest = hold_contest(cluster, source, folds, [spec.model], incumbent, options.batch_spec, progress)
        _, decision = train_and_keep(home, spec, contest, champion, by=getuser(), at=now())
    finally:
        stopwatch.reset(token)
    return decision
