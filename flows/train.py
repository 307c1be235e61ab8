"""Training on demand: a challenger is fitted and compared with the champion."""

from getpass import getuser

from prefect import flow

from flows.options import TrainOptions, open_lake
from flows.parameters import takes
from flows.prefect_page import explain_failure, with_progress
from flows.prefect_tasks import stage
from forecasting.clock import now
from forecasting.compute import dask_cluster
from forecasting.models import get_model
from forecasting.pipeline import challengers
from forecasting.pipeline.backtest import of_lake
from forecasting.pipeline.challengers import Evaluation, evaluation_folds, last_week

evaluate_challengers = stage(with_progress(challengers.evaluate_challengers, "folds"), name="forecast the folds")
train_and_register = stage(challengers.train_and_register, name="train")


@flow(name="train", persist_result=False)
@explain_failure
@takes(TrainOptions)
def train(options: TrainOptions) -> Evaluation:
    """Fit a challenger, and promote it where it forecasts past weeks better than the champion, beyond chance.

    Without a model it is the champion's model, fitted to what was sold since. The first model of a lake becomes the
    champion without a comparison.

    Raises:
        forecasting.contracts.errors.ForecastingError: one sentence that names the cause and the remedy.
    """
    lake = open_lake(options.lake)
    lake.prepare()
    cutoff = options.cutoff or last_week(lake)
    champion = lake.models.champion_at(cutoff)
    spec = options.spec(lake, cutoff, champion.model if champion else None)
    get_model(spec.model).require_trainable()
    incumbent = lake.models.load(champion.version)[1] if champion else None
    folds = evaluation_folds(lake, spec, options.folds)
    source = of_lake(lake, cutoff)
    with dask_cluster(options.cluster_spec, lake, "training") as cluster:
        found = evaluate_challengers(cluster, source, folds, [spec.model], incumbent, options.batch_spec)
    return train_and_register(lake, spec, found, champion, by=getuser(), at=now())
