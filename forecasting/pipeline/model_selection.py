"""The choice of model of a weekly run: fitted in the run itself, or kept, and replaced where it no longer holds."""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date
from getpass import getuser
from typing import Any

from flows.artifacts import show_progress
from forecasting.clock import now
from forecasting.compute import dask_cluster
from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import FOLDS, BatchSpec, ClusterSpec, ForecastSpec, Retrain
from forecasting.core.fitted_model import FittedModel
from forecasting.models import get_model
from forecasting.pipeline.backtest import of_lake
from forecasting.pipeline.challengers import choose_folds, evaluate_challengers, train_and_keep
from forecasting.pipeline.monitoring import best_effort, monitor_key
from forecasting.storage.lake import Lake
from forecasting.storage.model_registry import Champion

ROBUST = "mean"  # asks nothing of the data but history, and cannot be led astray by prices
WEEKS_OF_AN_ALARM = 8  # for so long an alarm that nothing could answer is tried to be answered
BY = "the weekly run"


@dataclass(frozen=True)
class Choice:
    """By what a week is forecast.

    spec: with the chosen model.
    fitted, version: the kept model; None where the run fits its own.
    record: plain values for the receipt.
    """

    spec: ForecastSpec
    fitted: FittedModel | None
    version: str | None
    record: dict[str, Any]


def of_family(lake: Lake, spec: ForecastSpec, asked: str | None) -> ForecastSpec:
    """The spec with the model that a run goes by until an alarm is answered: the one asked for, or the champion's."""
    if asked:
        return replace(spec, model=asked)
    champion = lake.models.champion_at(spec.cutoff)
    return replace(spec, model=champion.model) if champion else spec


def choose_model(
    lake: Lake, spec: ForecastSpec, asked: str | None, retrain: Retrain, batch: BatchSpec, cluster_spec: ClusterSpec
) -> Choice:
    """Choose the model of a week; train one where `retrain` and an alarm ask for it.

    - `always`: the run fits the model anew. After an alarm the champion's family has to defend itself against
      `ROBUST` and the default, unless a model was asked for by name. A contest that fails is recorded as `error`.
    - `when_drifted`: the champion as it was trained. After an alarm its own family, trained anew, and the others
      are challengers. Where there is no champion yet, one is trained.
    - `never`: the champion as it was trained.

    An alarm is answered once in a week, however often that week is run.

    Args:
        asked: the model that the user named, if any.

    Raises:
        OptionError: the champion is of another family than was asked for, or there is none.
        RunError: the champion is damaged.
    """
    spec = of_family(lake, spec, asked)
    if asked and retrain == "always":
        return Choice(spec, None, None, {"retrain": retrain})
    champion = lake.models.champion_at(spec.cutoff)
    if retrain != "always":
        get_model(spec.model).require_trainable()
        _require_champion(lake, spec, champion, asked, retrain)
    record: dict[str, Any] = {"retrain": retrain}
    alarm = _alarm(lake, spec, champion)
    if alarm:
        record["alarm"] = alarm.get("sentence", str(alarm.get("statistic")))
    missing = retrain == "when_drifted" and champion is None
    if missing or (alarm and retrain != "never" and not _is_tried(lake, spec.cutoff, record)):
        can_do_without = best_effort("The contest after an alarm could not be held", record)
        with can_do_without if retrain == "always" else nullcontext():
            record["contest"] = _answer(lake, spec, champion, asked, retrain, batch, cluster_spec)
        champion, spec = lake.models.champion_at(spec.cutoff), of_family(lake, spec, asked)
    if retrain == "always":
        return Choice(spec, None, None, record)
    # For a past week one may have been trained that is not the champion of later ones.
    version = champion.version if champion else record["contest"]["version"]
    _, fitted = lake.models.load(version)
    fitted.require_fit_for(spec)
    kept = {"version": version, "model": fitted.spec.model, "trained_until": str(fitted.spec.cutoff)}
    return Choice(replace(spec, model=fitted.spec.model), fitted, version, record | kept)


def _require_champion(
    lake: Lake, spec: ForecastSpec, champion: Champion | None, asked: str | None, retrain: Retrain
) -> None:
    if champion and asked and champion.model != asked:
        raise OptionError(
            f"model={asked}",
            f"is asked for, and the champion that retrain={retrain} goes by is a {champion.model}",
            f"leave the option out, or train a challenger by `oj train --model {asked}`",
        )
    if champion is None and retrain == "never":
        raise OptionError(
            "retrain=never",
            f"needs a model that was trained on weeks up to {spec.cutoff}, and {lake.root} has none",
            f"train one first: oj train --cutoff {spec.cutoff}",
        )


def _alarm(lake: Lake, spec: ForecastSpec, champion: Champion | None) -> dict[str, Any] | None:
    """The newest alarm of this model that came after the champion and may still be answered."""
    settled = max(spec.cutoff - WEEK * WEEKS_OF_AN_ALARM, champion.week if champion else date.min)
    alarms = lake.monitoring.alarms(spec.cutoff, monitor_key(spec.as_dict()))
    new = [alarm for alarm in alarms if date.fromisoformat(str(alarm["week"])) > settled]
    return new[-1] if new else None


def _is_tried(lake: Lake, cutoff: date, record: dict[str, Any]) -> bool:
    """Whether a run of this week has tried to answer this alarm already."""
    earlier = [record.get("training", {}) for record in lake.runs.of_week(cutoff)]
    same = [each for each in earlier if all(each.get(name) == record[name] for name in ("retrain", "alarm"))]
    return any("contest" in each or "error" in each for each in same)


def _answer(
    lake: Lake,
    spec: ForecastSpec,
    champion: Champion | None,
    asked: str | None,
    retrain: Retrain,
    batch: BatchSpec,
    cluster_spec: ClusterSpec,
) -> dict[str, Any]:
    """Hold a contest, and put the best of it in force where it is better."""
    frozen = retrain == "when_drifted"
    default = ForecastSpec(spec.cutoff, definition=spec.definition).model
    others = [] if asked or (frozen and champion is None) else [default, ROBUST]
    models = [model for model in dict.fromkeys([spec.model, *others]) if frozen or model != spec.model]
    incumbent: FittedModel | None = None
    if champion and frozen:
        _, incumbent = lake.models.load(champion.version)
    elif not frozen:
        incumbent = FittedModel(spec, schemas.PARAMETERS.empty())
    source = of_lake(lake, spec.cutoff)
    folds = choose_folds(lake, spec, FOLDS)
    with dask_cluster(cluster_spec, lake, "training") as cluster, show_progress("folds") as progress:
        contest = evaluate_challengers(cluster, source, folds, models, incumbent, batch, progress, frozen=frozen)
    _, decision = train_and_keep(lake, spec, contest, champion, by=f"{BY} ({getuser()})", at=now())
    return decision
