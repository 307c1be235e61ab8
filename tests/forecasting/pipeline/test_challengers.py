"""Challenger evaluation: who forecasts which folds, who is registered, and who is champion after it."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import DataError, RunError
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.core.comparison import ComparisonResult
from forecasting.core.fitted_model import FittedModel
from forecasting.pipeline import challengers
from forecasting.pipeline.backtest import of_lake
from forecasting.pipeline.challengers import (
    FEWEST_WEEKS,
    Candidate,
    ChallengerEvaluation,
    Evaluation,
    evaluate_challengers,
    evaluation_folds,
    last_week,
    rollback,
    train_and_register,
)
from forecasting.pipeline.forecast import train
from forecasting.storage.lake import Lake
from forecasting.storage.model_registry import Champion
from tests.small import InThisProcess, small_lake

FIRST, LAST = dominicks_week(110), dominicks_week(130)
AT = datetime(2026, 1, 1, tzinfo=UTC)
SPEC = ForecastSpec(LAST, model="mean")
FOLDS = 4


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """21 weeks of four real stores; not to be changed."""
    return small_lake(tmp_path_factory.mktemp("small") / "lake", FIRST, LAST)


@pytest.fixture
def lake(history: Lake, tmp_path: Path) -> Lake:
    """A lake of one's own."""
    shutil.copytree(history.root, tmp_path / "lake")
    return Lake(tmp_path / "lake")


def fitted_at(lake: Lake, cutoff: date, model: str = "mean") -> FittedModel:
    return train(lake.sales.read(cutoff), lake.promotions.read(), replace(SPEC, cutoff=cutoff, model=model))


def evaluated(
    lake: Lake, models: list[str], incumbent: FittedModel | None = None, *, frozen: bool = True
) -> tuple[ChallengerEvaluation, list[tuple[int, int]]]:
    """Return the evaluation, and the progress that was reported."""
    reported: list[tuple[int, int]] = []
    found = evaluate_challengers(
        InThisProcess(),  # type: ignore[arg-type]  # it does what a cluster does
        of_lake(lake, LAST),
        evaluation_folds(lake, SPEC, FOLDS),
        models,
        incumbent,
        BatchSpec(),
        on_progress=lambda done, total: reported.append((done, total)),
        frozen=frozen,
    )
    return found, reported


def registered(lake: Lake, model: str, against: Champion | None = None) -> Evaluation:
    """Train one model and register it; it is compared with the champion, where there is one."""
    incumbent = lake.models.load(against.version)[1] if against else None
    return train_and_register(lake, SPEC, evaluated(lake, [model], incumbent)[0], against, by="Ada", at=AT)


def champion(lake: Lake) -> Champion:
    found = lake.models.champion()
    assert found
    return found


def test_the_last_week_is_that_of_the_sales(lake: Lake, tmp_path: Path) -> None:
    """A lake without any names the remedy."""
    assert last_week(lake) == LAST
    with pytest.raises(DataError, match="has no sales to learn from; fill it first: oj simulate"):
        last_week(Lake(tmp_path / "empty"))


def test_folds_are_the_last_weeks_whose_forecast_can_be_compared(lake: Lake) -> None:
    """A gap moves them back; each has enough history before it, however many are asked for."""
    assert evaluation_folds(lake, SPEC, 2).cutoffs == (LAST - 2 * WEEK, LAST - WEEK)
    assert evaluation_folds(lake, replace(SPEC, gap=2), 2).cutoffs == (LAST - 4 * WEEK, LAST - 3 * WEEK)
    weeks = lake.sales.weeks()
    assert evaluation_folds(lake, SPEC, 999).cutoffs == tuple(weeks[FEWEST_WEEKS:-1])
    early = replace(SPEC, cutoff=weeks[FEWEST_WEEKS])
    with pytest.raises(DataError, match=f"let {FEWEST_WEEKS + 2} weeks be collected first"):
        evaluation_folds(lake, early, 2)


def test_the_champion_forecasts_as_trained_the_weeks_it_has_not_seen(history: Lake) -> None:
    """Before its training its model is fitted anew; where it is not to be frozen, at every fold."""
    incumbent = fitted_at(history, LAST - 2 * WEEK)
    folds = [LAST - k * WEEK for k in (4, 3, 2, 1)]

    found, reported = evaluated(history, ["naive"], incumbent)
    refitted, _ = evaluated(history, ["naive"], incumbent, frozen=False)

    assert (found.frozen, found.refitted) == (folds[2:], folds[:2])
    assert (refitted.frozen, refitted.refitted) == ([], folds)
    (candidate,) = found.candidates
    assert (candidate.model, set(candidate.rows["cutoff"].dt.date)) == ("naive", set(folds))
    assert reported[-1] == (FOLDS + 2 + 2, FOLDS + 2 + 2)


def test_a_model_is_not_better_than_itself(history: Lake) -> None:
    """The candidate of the champion's own model, fitted anew at every fold as the champion is."""
    found, _ = evaluated(history, ["mean"], fitted_at(history, LAST), frozen=False)
    (candidate,) = found.candidates
    assert candidate.comparison
    assert (candidate.comparison.weeks, candidate.comparison.is_better) == (0, False)


def test_the_best_candidate_has_the_least_loss_in_proportion() -> None:
    """To that of the champion over the same forecasts; without a comparison the first one."""

    def of(model: str, champion: float, challenger: float) -> Candidate:
        return Candidate(model, pd.DataFrame(), ComparisonResult(9, champion, challenger, 0.5))

    candidates = [of("naive", 10, 11), of("mean", 20, 16), of("ets", 5, 4.5), of("theta", 0, 0)]
    assert ChallengerEvaluation(candidates, [], []).best.model == "mean"
    alone = [Candidate("naive", pd.DataFrame(), None), Candidate("mean", pd.DataFrame(), None)]
    assert ChallengerEvaluation(alone, [], []).best.model == "naive"


def test_the_first_model_becomes_champion_and_the_next_only_where_it_is_better(lake: Lake) -> None:
    """Both are registered, with their scores and the comparison that decided."""
    first = registered(lake, "mean")
    assert (first.promoted, first.why, first.candidates) == (True, "the first fitted model of this lake", {})
    second = registered(lake, "naive", champion(lake))
    comparison = second.candidates["naive"]
    assert (second.promoted, second.why) == (comparison.is_better, str(comparison))
    assert lake.models.versions() == sorted([first.version, second.version])
    assert champion(lake).version == (second if second.promoted else first).version
    record = lake.models.describe(second.version).record
    assert record["evaluation"]["against"] == first.version
    assert record["scores"] == second.scores


def test_of_two_first_trainings_at_once_one_is_the_first(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other finds a champion when its own fit is done: it is registered, and says which came before."""

    def train_slowly(sales: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> FittedModel:
        monkeypatch.setattr(challengers, "train", train)
        registered(lake, "naive")
        return train(sales, promotions, spec)

    monkeypatch.setattr(challengers, "train", train_slowly)
    evaluation = registered(lake, "mean")
    first, recorded = champion(lake), lake.models.describe(evaluation.version).record["evaluation"]
    assert first.model == "naive"
    assert recorded["why"] == f"{first.version} was promoted while it was trained, as the first of this lake"
    assert not recorded["promoted"]


def test_a_rollback_promotes_the_champion_before_or_the_version_that_is_named(lake: Lake) -> None:
    """Back and forth; one that is damaged is named, and the champion stays."""
    with pytest.raises(RunError, match="There is no champion yet"):
        rollback(lake, None, by="Ada", at=AT)
    first, second = registered(lake, "mean").version, registered(lake, "naive").version
    assert rollback(lake, second, by="Ada", at=AT).why == "named by hand"
    back = rollback(lake, None, by="Ada", at=AT)
    assert (back.version, back.why, back.week) == (first, f"rolled back from {second}", LAST)
    assert rollback(lake, None, by="Ada", at=AT).version == second
    (lake.models.folder(first) / "parameters.parquet").write_bytes(b"no")
    before = champion(lake)
    with pytest.raises(RunError, match=f"The fitted model {first} is damaged"):
        rollback(lake, None, by="Ada", at=AT)
    assert champion(lake) == before
