"""Challenger evaluation: candidate models and the champion forecast past weeks, and a better candidate is promoted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import pandas as pd

from forecasting.compute import Cluster
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import DataError
from forecasting.contracts.run_record import adapter
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.core.backtest import score_models
from forecasting.core.comparison import LEVEL, ComparisonResult, compare
from forecasting.core.completeness import active_series
from forecasting.core.fitted_model import FittedModel
from forecasting.core.folds import Folds
from forecasting.core.run_identity import hash_of_input
from forecasting.pipeline.backtest import Source, run_folds
from forecasting.pipeline.batch import Progress
from forecasting.pipeline.forecast import train
from forecasting.storage.fingerprint import code_fingerprint
from forecasting.storage.lake import Lake
from forecasting.storage.leases import waiting_lease
from forecasting.storage.model_registry import Champion, Origin

FEWEST_WEEKS = 8  # of history before a fold


@dataclass(frozen=True)
class Candidate:
    """A model that takes part in an evaluation: its forecasts at the folds, and its comparison with the champion."""

    model: str
    rows: pd.DataFrame
    comparison: ComparisonResult | None


@dataclass(frozen=True)
class ChallengerEvaluation:
    """Forecasts of the folds by each candidate.

    frozen: folds that the champion forecast as it was trained.
    refitted: folds at which its model was fitted anew.
    """

    candidates: list[Candidate]
    frozen: list[date]
    refitted: list[date]

    @property
    def best(self) -> Candidate:
        """The candidate with the least loss in proportion to that of the champion over the same forecasts."""

        def share_of_loss(candidate: Candidate) -> float:
            found = candidate.comparison
            return found.challenger / found.champion if found and found.champion else 1.0

        return min(self.candidates, key=share_of_loss)


@dataclass(frozen=True)
class Evaluation:
    """The outcome of a challenger evaluation.

    model, version: the best candidate, and the version under which it was registered.
    promoted: whether it is the champion now. why: in words.
    against: the version of the champion that it was compared with.
    candidates: each against the champion; empty where there was no champion.
    champion_frozen_at: folds that the champion forecast as it was trained.
    champion_refitted_at: folds at which its model was fitted anew, as the champion had seen later weeks.
    scores: of the best candidate over the folds, by name.
    """

    model: str
    version: str
    cutoff: date
    promoted: bool
    why: str
    against: str | None = None
    candidates: Mapping[str, ComparisonResult] = field(default_factory=dict)
    champion_frozen_at: tuple[date, ...] = ()
    champion_refitted_at: tuple[date, ...] = ()
    scores: Mapping[str, float | None] = field(default_factory=dict)


def last_week(lake: Lake) -> date:
    """Return the last week of which the lake has sales.

    Raises:
        DataError: there is none.
    """
    weeks = lake.sales.weeks()
    if not weeks:
        raise DataError(f"The lake {lake.root} has no sales to learn from", "fill it first: oj simulate, then oj run")
    return weeks[-1]


def evaluation_folds(lake: Lake, spec: ForecastSpec, count: int) -> Folds:
    """Return the last `count` cutoffs of which at least the first forecast week has been sold by the cutoff of `spec`.

    Raises:
        DataError: there is not one with enough history before it.
    """
    weeks = [week for week in lake.sales.weeks() if week <= spec.cutoff]
    latest = spec.cutoff - WEEK * spec.steps[0]
    cutoffs = [week for week in weeks[FEWEST_WEEKS:] if week <= latest][-count:]
    if not cutoffs:
        raise DataError(
            f"The lake {lake.root} has too little history up to {spec.cutoff} for a challenger evaluation",
            f"let {FEWEST_WEEKS + spec.steps[0] + 1} weeks be collected first",
        )
    return Folds(tuple(cutoffs), spec.horizon, spec.gap)


def evaluate_challengers(
    cluster: Cluster,
    source: Source,
    folds: Folds,
    models: list[str],
    incumbent: FittedModel | None,
    batch: BatchSpec,
    *,
    on_progress: Progress,
    frozen: bool = True,
) -> ChallengerEvaluation:
    """Let the candidates and the champion forecast the folds, each as it would have been forecast then.

    The champion forecasts as it was trained where it has seen no week after the fold. Before that, and always where it
    is not `frozen`, its model is fitted anew at the fold, as the candidates are at every fold.

    Args:
        source: sales up to the cutoff alone.
        incumbent: the fitted champion; None where there is none to compare with.
    """
    batch = replace(batch, error_threshold=-1)
    families = list(dict.fromkeys([*models, *([incumbent.spec.model] if incumbent else [])]))
    late = [cutoff for cutoff in folds.cutoffs if incumbent and frozen and cutoff >= incumbent.spec.cutoff]
    early = [cutoff for cutoff in folds.cutoffs if cutoff not in late]
    needed = {family: list(folds.cutoffs) if family in models else early for family in families}
    total, done = sum(map(len, needed.values())) + len(late), 0

    def forecast(model: str, cutoffs: list[date], fitted: FittedModel | None = None) -> pd.DataFrame:
        nonlocal done
        horizon = fitted.spec.horizon if fitted else folds.horizon
        of_model = Folds(tuple(cutoffs), horizon, fitted.spec.gap if fitted else folds.gap)
        rows, _ = run_folds(
            cluster,
            source,
            of_model,
            [model],
            "median",
            batch,
            on_progress=lambda now, _: on_progress(min(done + now, total), total),
            fitted=fitted,
        )
        done += len(cutoffs)
        return rows

    refits = {family: forecast(family, cutoffs) for family, cutoffs in needed.items() if cutoffs}
    if incumbent is None:
        return ChallengerEvaluation([Candidate(model, refits[model], None) for model in models], [], early)
    mine = refits.get(incumbent.spec.model)
    parts = [] if mine is None else [mine[mine["cutoff"].isin(pd.DatetimeIndex(early))]]
    if late:
        parts.append(forecast(incumbent.spec.model, late, incumbent))
    of_champion = pd.concat(parts, ignore_index=True)
    lags, level = folds.gap + folds.horizon, LEVEL / len(models)
    candidates = [
        Candidate(model, refits[model], compare(of_champion, refits[model], lags=lags, level=level)) for model in models
    ]
    return ChallengerEvaluation(candidates, late, early)


def train_and_register(
    lake: Lake,
    spec: ForecastSpec,
    evaluation: ChallengerEvaluation,
    against: Champion | None,
    *,
    by: str,
    at: datetime,
) -> Evaluation:
    """Fit the best candidate up to the cutoff, register it, and promote it where it is better or the first of its lake.

    Args:
        against: the champion that the candidates were compared with.
        by, at: who promotes it, and when.
    """
    best = evaluation.best
    spec = replace(spec, model=best.model)
    sales, promotions = lake.sales.read(spec.cutoff), lake.promotions.read(spec.cutoff)
    fitted = train(sales, promotions, spec)
    weeks = sales["week"]
    origin = Origin(
        weeks.min().date(),
        weeks.max().date(),
        weeks.nunique(),
        len(active_series(sales, spec.cutoff, spec.definition.unsold)),
        hash_of_input(lake.digests(spec.cutoff, lake.last_collected())),
        code_fingerprint(spec.model),
        at,
        by,
    )
    with waiting_lease(lake.lock("models")):
        current = lake.models.champion()
        # A model for a past week does not replace the champion of later weeks.
        is_its_successor = current is None or (against is not None and against.version == current.version)
        outcome = Evaluation(
            model=best.model,
            version="",
            cutoff=spec.cutoff,
            promoted=is_its_successor and (best.comparison is None or best.comparison.is_better),
            why=str(best.comparison or _without_comparison(current, spec.cutoff)),
            against=against.version if against else None,
            candidates={each.model: each.comparison for each in evaluation.candidates if each.comparison},
            champion_frozen_at=tuple(evaluation.frozen),
            champion_refitted_at=tuple(evaluation.refitted) if against else (),
            scores=_scores(best.rows, sales),
        )
        plain = adapter(Evaluation).dump_python(outcome, mode="json", exclude={"version", "scores"})
        record = {"scores": outcome.scores, "evaluation": plain}
        version = lake.models.register(fitted, origin, record, best.rows)
        if outcome.promoted and (current is None or version.version != current.version):
            lake.models.promote(version, week=spec.cutoff, by=by, why=outcome.why, at=at)
    return replace(outcome, version=version.version)


def _scores(rows: pd.DataFrame, sales: pd.DataFrame) -> dict[str, float | None]:
    """Return the scores of one model over its folds, by name."""
    scores = score_models(rows, sales).iloc[0]
    return {str(name): None if pd.isna(value) else float(value) for name, value in scores.items()}


def _without_comparison(current: Champion | None, cutoff: date) -> str:
    """Return why the candidates were compared with no champion."""
    if current is None:
        return "the first fitted model of this lake"
    if current.trained_until > cutoff:
        return "trained for a past week, for which there was none"
    return f"{current.version} was promoted while it was trained, as the first of this lake"


def rollback(lake: Lake, to: str | None, *, by: str, at: datetime) -> Champion:
    """Promote the version `to`, or the one that was champion before; it must not be damaged.

    Raises:
        RunError: there is none, or it is damaged.
        DataError: the lake has no sales.
    """
    week = last_week(lake)
    with waiting_lease(lake.lock("models")):
        current = lake.models.champion()
        version, _ = lake.models.load(to or lake.models.predecessor().version)
        why = f"rolled back from {current.version}" if current and not to else "named by hand"
        return lake.models.promote(version, week=week, by=by, why=why, at=at)
