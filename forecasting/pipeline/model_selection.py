"""The choice of the model of a week: fitted by the run itself, or registered, and replaced after an alarm."""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date
from getpass import getuser

from forecasting.best_effort import best_effort, sentence_of
from forecasting.clock import now
from forecasting.compute import dask_cluster
from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import FOLDS, BatchSpec, ClusterSpec, ForecastSpec, Retrain
from forecasting.core.fitted_model import FittedModel
from forecasting.models import get_model
from forecasting.pipeline.backtest import of_lake
from forecasting.pipeline.baseline import monitor_key
from forecasting.pipeline.batch import Progress
from forecasting.pipeline.challengers import Evaluation, evaluate_challengers, evaluation_folds, train_and_register
from forecasting.storage.lake import Lake
from forecasting.storage.model_registry import Champion

ROBUST = "mean"  # needs nothing but history, and prices cannot mislead it
WEEKS_OF_AN_ALARM = 8  # for so long an alarm without an outcome is answered again
BY = "the weekly run"


@dataclass(frozen=True)
class CurrentModel:
    """The model that a week would be forecast with if no alarm had been raised.

    asked: the model that the user named, if any.
    champion: the newest one that has seen no week after the cutoff; not read where the run fits the model asked for.
    spec: with this model.
    """

    asked: str | None
    retrain: Retrain
    champion: Champion | None
    spec: ForecastSpec


@dataclass(frozen=True)
class ModelChoice:
    """The model that forecasts the week, and how it was chosen.

    version, trained_until: of a registered model; None where the run fits its own.
    alarm: the sentence of the alarm that a challenger evaluation answers.
    error: why that evaluation could not be held.
    """

    model: str
    retrain: Retrain
    version: str | None = None
    trained_until: date | None = None
    alarm: str | None = None
    evaluation: Evaluation | None = None
    error: str | None = None


def current_model(lake: Lake, spec: ForecastSpec, asked: str | None, retrain: Retrain) -> CurrentModel:
    """Return the model asked for, else that of the champion, else that of `spec`.

    Raises:
        RunError: the record of the champion is damaged.
    """
    if asked and retrain == "always":
        return CurrentModel(asked, retrain, None, replace(spec, model=asked))
    champion = lake.models.champion_at(spec.cutoff)
    model = asked or (champion.model if champion else spec.model)
    return CurrentModel(asked, retrain, champion, replace(spec, model=model))


def choose_model(
    lake: Lake, current: CurrentModel, batch: BatchSpec, cluster_spec: ClusterSpec, *, on_progress: Progress
) -> ModelChoice:
    """Choose the model of a week; train one where `retrain` and an alarm ask for it.

    - `always`: the run fits the model anew. After an alarm the champion's model is compared with `ROBUST` and the
      default, unless a model was asked for by name. An evaluation that fails is recorded as `error`.
    - `when_drifted`: the champion as it was trained. After an alarm its own model, trained anew, and the others are
      candidates. Where there is no champion yet, one is trained.
    - `never`: the champion as it was trained.

    An alarm is answered once in a week, however often that week is run.

    Raises:
        OptionError: the champion is another model than was asked for, or there is none.
        RunError: the champion is damaged.
    """
    retrain, champion, spec = current.retrain, current.champion, current.spec
    choice = ModelChoice(spec.model, retrain)
    if current.asked and retrain == "always":
        return choice
    if retrain != "always":
        get_model(spec.model).require_trainable()
        _require_champion(lake, current)
    choice = replace(choice, alarm=_alarm(lake, current))
    is_missing = retrain == "when_drifted" and champion is None
    if is_missing or (choice.alarm and retrain != "never" and not _is_tried(lake, spec.cutoff, choice)):
        trouble = "The challenger evaluation after an alarm failed"
        # A run that fits its own model can do without the evaluation.
        with best_effort(trouble) if retrain == "always" else nullcontext() as tried:
            choice = replace(choice, evaluation=_evaluate(lake, current, batch, cluster_spec, on_progress))
        if tried and tried.error:
            choice = replace(choice, error=sentence_of(tried.error))
        current = current_model(lake, spec, current.asked, retrain)  # the champion may be another now
        champion = current.champion
    if retrain == "always":
        return replace(choice, model=current.spec.model)
    if champion:
        return replace(choice, model=champion.model, version=champion.version, trained_until=champion.trained_until)
    # A model that was trained for a past week is not the champion of later ones.
    found = choice.evaluation
    return replace(choice, model=found.model, version=found.version, trained_until=found.cutoff) if found else choice


def _require_champion(lake: Lake, current: CurrentModel) -> None:
    champion, asked, retrain, cutoff = current.champion, current.asked, current.retrain, current.spec.cutoff
    if champion and asked and champion.model != asked:
        raise OptionError(
            f"model={asked}",
            f"is asked for, and the champion that retrain={retrain} goes by is a {champion.model}",
            f"leave the option out, or train a challenger by `oj train --model {asked}`",
        )
    if champion is None and retrain == "never":
        raise OptionError(
            "retrain=never",
            f"needs a model that was trained on weeks up to {cutoff}, and {lake.root} has none",
            f"train one first: oj train --cutoff {cutoff}",
        )


def _alarm(lake: Lake, current: CurrentModel) -> str | None:
    """Return the newest alarm of this model that is newer than the champion and may still be answered."""
    spec, champion = current.spec, current.champion
    settled = max(spec.cutoff - WEEK * WEEKS_OF_AN_ALARM, champion.week if champion else date.min)
    alarms = lake.monitoring.alarms(spec.cutoff, monitor_key(spec))
    new = [alarm for alarm in alarms if alarm.week > settled]
    return new[-1].sentence if new else None


def _is_tried(lake: Lake, cutoff: date, choice: ModelChoice) -> bool:
    """Return whether a run of this week has answered this alarm already, or has failed to."""
    earlier = filter(None, (record.result(ModelChoice) for record in lake.runs.of_week(cutoff)))
    same = [each for each in earlier if (each.retrain, each.alarm) == (choice.retrain, choice.alarm)]
    return any(each.evaluation or each.error for each in same)


def _evaluate(
    lake: Lake, current: CurrentModel, batch: BatchSpec, cluster_spec: ClusterSpec, on_progress: Progress
) -> Evaluation:
    """Evaluate the challengers, and promote the best of them where it is better."""
    spec, champion, is_frozen = current.spec, current.champion, current.retrain == "when_drifted"
    default = ForecastSpec(spec.cutoff, definition=spec.definition).model
    others = [] if current.asked or (is_frozen and champion is None) else [default, ROBUST]
    models = [model for model in dict.fromkeys([spec.model, *others]) if is_frozen or model != spec.model]
    incumbent: FittedModel | None = None
    if champion and is_frozen:
        _, incumbent = lake.models.load(champion.version)
    elif not is_frozen:
        incumbent = FittedModel(spec, schemas.parameters(spec.definition).empty())
    source = of_lake(lake, spec.cutoff)
    folds = evaluation_folds(lake, spec, FOLDS)
    with dask_cluster(cluster_spec, lake, "training") as cluster:
        found = evaluate_challengers(
            cluster, source, folds, models, incumbent, batch, on_progress=on_progress, frozen=is_frozen
        )
    return train_and_register(lake, spec, found, champion, by=f"{BY} ({getuser()})", at=now())
