"""The stages of training, as plain functions: a challenger is fitted, held against the champion, and may replace it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import pandas as pd

from forecasting.compute import Cluster
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import DataError
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.core.backtest import score_models
from forecasting.core.comparison import LEVEL, ComparisonResult, compare
from forecasting.core.completeness import active_series
from forecasting.core.fitted_model import FittedModel
from forecasting.core.folds import Folds
from forecasting.core.run_identity import hash_of_input
from forecasting.pipeline.backtest import Source, run_folds
from forecasting.pipeline.training import train
from forecasting.storage.fingerprint import code_fingerprint
from forecasting.storage.lake import Lake
from forecasting.storage.locks import waiting_lock
from forecasting.storage.model_registry import Champion, Origin, Version

FEWEST_WEEKS = 8  # of history before a fold

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Entry:
    """A family that takes part in a contest: its forecasts at the folds, and how it did against the champion."""

    model: str
    rows: pd.DataFrame
    verdict: ComparisonResult | None


@dataclass(frozen=True)
class ChallengerEvaluation:
    """What is decided by folds: the entries, and by what the champion forecast each fold."""

    entries: list[Entry]
    frozen: list[date]
    refitted: list[date]

    @property
    def best(self) -> Entry:
        """The entry with the least loss in proportion to the champion's over the same forecasts."""

        def share_of_loss(entry: Entry) -> float:
            verdict = entry.verdict
            return verdict.challenger / verdict.champion if verdict and verdict.champion else 1.0

        return min(self.entries, key=share_of_loss)


def last_week(lake: Lake) -> date:
    """The last week of which the lake has sales.

    Raises:
        DataError: there is none.
    """
    weeks = lake.sales.weeks()
    if not weeks:
        raise DataError(f"The lake {lake.root} has no sales to learn from", "fill it first: oj simulate, then oj run")
    return weeks[-1]


def choose_folds(lake: Lake, spec: ForecastSpec, count: int) -> Folds:
    """The last `count` cutoffs of which at least the first forecast week has been sold by the cutoff of `spec`.

    Raises:
        DataError: there is not one with enough history before it.
    """
    weeks = [week for week in lake.sales.weeks() if week <= spec.cutoff]
    latest = spec.cutoff - WEEK * spec.steps[0]
    cutoffs = [week for week in weeks[FEWEST_WEEKS:] if week <= latest][-count:]
    if not cutoffs:
        raise DataError(
            f"The lake {lake.root} has too little history up to {spec.cutoff} for a contest",
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
    on_progress: Progress,
    *,
    frozen: bool = True,
) -> ChallengerEvaluation:
    """Let families forecast the folds, and the champion with them, each fold as it would have been forecast then.

    The champion forecasts by what it has learnt where it has seen no week after the fold; before that, and always
    where it is not kept `frozen`, its family is fitted anew at the fold, as the challengers are everywhere.

    Args:
        source: sales up to the cutoff alone.
        incumbent: what the champion has learnt; None where there is none to be held against.
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
            lambda now, _: on_progress(min(done + now, total), total),
            fitted=fitted,
        )
        done += len(cutoffs)
        return rows

    refits = {family: forecast(family, cutoffs) for family, cutoffs in needed.items() if cutoffs}
    if incumbent is None:
        return ChallengerEvaluation([Entry(model, refits[model], None) for model in models], [], early)
    mine = refits.get(incumbent.spec.model)
    parts = [] if mine is None else [mine[mine["cutoff"].isin(pd.DatetimeIndex(early))]]
    if late:
        parts.append(forecast(incumbent.spec.model, late, incumbent))
    of_champion = pd.concat(parts, ignore_index=True)
    lags, level = folds.gap + folds.horizon, LEVEL / len(models)
    entries = [
        Entry(model, refits[model], compare(of_champion, refits[model], lags=lags, level=level)) for model in models
    ]
    return ChallengerEvaluation(entries, late, early)


def train_and_keep(
    lake: Lake, spec: ForecastSpec, contest: ChallengerEvaluation, against: Champion | None, *, by: str, at: datetime
) -> tuple[Version, dict[str, Any]]:
    """Fit the best entry up to the cutoff, keep it, and put it in force where it is better, or where none is yet.

    Returns:
        The version, and plain values that say what was decided and why.
    """
    best = contest.best
    spec = replace(spec, model=best.model)
    sales, promotions = lake.sales.read(spec.cutoff), lake.promotions.read(spec.cutoff)
    fitted = train(sales, promotions, spec)
    decision: dict[str, Any] = {
        "model": best.model,
        "cutoff": str(spec.cutoff),
        "against": against.version if against else None,
        "entries": {
            entry.model: vars(entry.verdict) | {"is_better": entry.verdict.is_better}
            for entry in contest.entries
            if entry.verdict
        },
        "champion_frozen_at": [str(cutoff) for cutoff in contest.frozen],
        "champion_refitted_at": [str(cutoff) for cutoff in contest.refitted] if against else [],
    }
    scores = score_models(best.rows, sales).reset_index().to_dict("records")[0]
    weeks = sales["week"]
    origin = Origin(
        weeks.min().date(),
        weeks.max().date(),
        weeks.nunique(),
        len(active_series(sales, spec.cutoff)),
        hash_of_input(sales, promotions, spec),
        code_fingerprint(spec.model),
        at,
        by,
    )
    with waiting_lock(lake.lock_path("models")):
        current = lake.models.champion()
        # One that answers for a past week does not replace what later weeks go by.
        is_its_successor = current is None or (against is not None and against.version == current.version)
        decision["promoted"] = is_its_successor and (best.verdict is None or best.verdict.is_better)
        decision["why"] = str(best.verdict or _uncontested(current, spec.cutoff))
        version = lake.models.register(fitted, origin, {"scores": scores, "contest": decision}, best.rows)
        if decision["promoted"] and (current is None or version.version != current.version):
            lake.models.promote(version, week=spec.cutoff, by=by, why=decision["why"], at=at)
    return version, decision | {"version": version.version, "scores": scores}


def _uncontested(current: Champion | None, cutoff: date) -> str:
    """Why there was no contest, in words."""
    if current is None:
        return "the first fitted model of this lake"
    if current.trained_until > cutoff:
        return "trained for a past week, for which there was none"
    return f"{current.version} was put in force while it was trained, as the first of this lake"


def rollback(lake: Lake, to: str | None, *, by: str, at: datetime) -> Champion:
    """Put the version `to` in force, or the one that was champion before; it must be whole.

    Raises:
        RunError: there is none, or it is damaged.
        DataError: the lake has no sales.
    """
    week = last_week(lake)
    with waiting_lock(lake.lock_path("models")):
        current = lake.models.champion()
        version, _ = lake.models.load(to or lake.models.predecessor().version)
        why = f"rolled back from {current.version}" if current and not to else "named by hand"
        return lake.models.promote(version, week=week, by=by, why=why, at=at)
