"""Tests of the model of a weekly run: kept or fitted anew, and replaced where it is broken, without a hand."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flows import notify as notifying
from flows import weekly_forecast as module
from flows.prefect_tasks import run_flow
from flows.weekly_forecast import weekly_forecast
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import OptionError, RunError
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import BatchSpec, ClusterSpec, ForecastSpec
from forecasting.core.fitted_model import FittedModel
from forecasting.pipeline import model_selection as choosing
from forecasting.pipeline import monitoring
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.model_selection import Choice, choose_model
from forecasting.pipeline.monitoring import monitor_key
from forecasting.pipeline.training import train
from forecasting.presentation.model_choice import describe_choice
from forecasting.storage.files import read_json, read_metadata, write_json
from forecasting.storage.lake import Lake
from forecasting.storage.model_registry import Origin, Version
from tests.small import compute_in_this_process, decide_in_this_process, small_lake

WEEK_NOW, TRAINED = dominicks_week(136), dominicks_week(129)
AT = datetime(2026, 1, 1, tzinfo=UTC)
SPEC = ForecastSpec(WEEK_NOW)
ONE_WORKER = ClusterSpec(max_concurrency_per_instance=1)
ALARM = {
    "week": str(WEEK_NOW),
    "statistic": "bias",
    "value": 1.1,
    "expected": 0.0,
    "since": str(TRAINED + WEEK),
    "sentence": "The forecasts are twice what was sold.",
}


def crowned(lake: Lake, fitted: FittedModel, by: str = "a tester") -> Version:
    """Keep a fitted model and put it in force, as of its cutoff."""
    origin = Origin(dominicks_week(60), fitted.spec.cutoff, 70, 44, "data", "code", AT, by)
    version = lake.models.register(fitted, origin, {"scores": {}, "contest": {}})
    lake.models.promote(version, week=fitted.spec.cutoff, by=by, why="put there by a test", at=AT)
    return version


def broken(fitted: FittedModel) -> FittedModel:
    """The same with slopes of zero and twice the level."""
    rows = fitted.parameters.copy()
    rows.loc[rows["name"].isin(["slope", "own_slope"]), "value"] = 0.0
    rows.loc[rows["name"].isin(["level", "lowest", "highest"]), "value"] += np.log(2)
    return replace(fitted, parameters=rows)


@pytest.fixture(autouse=True)
def few_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine folds: seven after the training of the champion, two before."""
    monkeypatch.setattr(choosing, "FOLDS", 9)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Four real stores up to week 136; not to be changed."""
    return small_lake(tmp_path_factory.mktemp("small") / "lake", dominicks_week(60), WEEK_NOW)


@pytest.fixture(scope="module")
def fitted(history: Lake) -> FittedModel:
    """The default model as it was trained seven weeks ago."""
    return train(history.sales.read(TRAINED), history.promotions.read(), replace(SPEC, cutoff=TRAINED))


@pytest.fixture
def lake(history: Lake, tmp_path: Path) -> Lake:
    """A lake of one's own."""
    shutil.copytree(history.root, tmp_path / "lake")
    return Lake(tmp_path / "lake")


def choose(lake: Lake, retrain: Any, asked: str | None = None, spec: ForecastSpec = SPEC) -> Choice:
    return choose_model(lake, spec, asked, retrain, BatchSpec(), ONE_WORKER)


def run(lake: Lake, **options: Any) -> dict[str, Any]:
    """A weekly run without Prefect."""
    parameters = {"lake": str(lake.root), "cutoff": WEEK_NOW, "max_concurrency_per_instance": 1, **options}
    return run_flow(weekly_forecast, parameters, why_not="no Prefect is needed", warn=lambda _: None)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contests and weekly runs without Dask and Prefect."""
    decide_in_this_process(monkeypatch, choosing)
    compute_in_this_process(monkeypatch, module)


@pytest.mark.usefixtures("in_this_process")
def test_a_broken_model_is_noticed_and_replaced_without_a_hand(lake: Lake, fitted: FittedModel) -> None:
    """Its parameters are broken on purpose, an alarm says so, and the next run goes by one that is better."""
    old = crowned(lake, broken(fitted))
    write_json(lake.root / "alarms" / f"{WEEK_NOW}.json", {"alarms": [ALARM]})

    record = run(lake, retrain="when_drifted")

    contest = record["training"]["contest"]
    assert contest["promoted"]
    assert contest["entries"]["price_response"]["is_better"]
    # Before its own training the champion is not asked: it has seen those weeks.
    assert contest["champion_frozen_at"] == [str(TRAINED + k * WEEK) for k in range(7)]
    assert contest["champion_refitted_at"][-1] == str(TRAINED - WEEK)
    now = lake.models.champion()
    assert now is not None
    assert now.version == contest["version"] == record["training"]["version"] != old.version
    assert lake.models.describe(now.version).record["contest"]["against"] == old.version
    assert now.by.startswith("the weekly run")
    # What is published is what the new one forecasts, and says so.
    new, found = lake.models.load(now.version)[1], lake.forecasts.read(WEEK_NOW)
    expected = forecast(lake.sales.read(), lake.promotions.read(), replace(new.spec, cutoff=WEEK_NOW), new)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert read_metadata(lake.forecasts.path(WEEK_NOW))["model_version"] == now.version
    manifest = lake.forecasts.run_folder(WEEK_NOW, record["run_id"]) / "manifest.json"
    assert read_json(manifest)["model_version"] == now.version
    assert now.version in lake.reports.page_path(WEEK_NOW).read_text(encoding="utf-8")

    again = run(lake, retrain="when_drifted")

    assert again["outcome"] == "unchanged"
    assert "contest" not in again["training"]


def test_a_kept_model_goes_on_as_it_was_trained(lake: Lake, fitted: FittedModel) -> None:
    """With `never` and, without an alarm, with `when_drifted`; the version is part of the choice."""
    version = crowned(lake, fitted)
    for retrain in ("never", "when_drifted"):
        choice = choose(lake, retrain)
        assert (choice.version, choice.spec) == (version.version, SPEC)
        assert choice.record["trained_until"] == str(TRAINED)
    settled = ALARM | {"week": str(TRAINED)}
    write_json(lake.root / "alarms" / f"{TRAINED}.json", {"alarms": [settled]})
    assert "alarm" not in choose(lake, "when_drifted").record


def test_always_fits_anew_by_the_family_of_the_champion(lake: Lake, fitted: FittedModel) -> None:
    """Without a champion the default; with one its family, unless another was asked for."""
    assert choose(lake, "always") == Choice(SPEC, None, None, {"retrain": "always"})
    crowned(lake, train(lake.sales.read(TRAINED), lake.promotions.read(), replace(SPEC, cutoff=TRAINED, model="mean")))
    assert choose(lake, "always").spec.model == "mean"
    assert choose(lake, "always", "naive").spec.model == "naive"


def test_never_without_a_model_is_refused_with_the_remedy(lake: Lake, fitted: FittedModel) -> None:
    """Also for a week before the champion's own: it has seen the sales that are to be forecast."""
    with pytest.raises(OptionError, match=f"retrain=never needs a model.*oj train --cutoff {WEEK_NOW}"):
        choose(lake, "never")
    crowned(lake, fitted)
    earlier = replace(SPEC, cutoff=TRAINED - WEEK)
    with pytest.raises(OptionError, match=f"oj train --cutoff {TRAINED - WEEK}"):
        choose(lake, "never", spec=earlier)


@pytest.mark.parametrize("retrain", ["never", "when_drifted"])
def test_another_model_than_the_champion_is_refused(retrain: str, lake: Lake, fitted: FittedModel) -> None:
    """Nobody is to believe that a run went by the model that was asked for; one that cannot be kept says so."""
    crowned(lake, fitted)
    with pytest.raises(OptionError, match=f"the champion that retrain={retrain} goes by is a price_response"):
        choose(lake, retrain, "mean")
    with pytest.raises(OptionError, match="model=ensemble cannot be trained apart"):
        choose(lake, retrain, "ensemble")


@pytest.mark.usefixtures("in_this_process")
def test_a_family_that_fails_is_replaced_though_every_run_fits_it_anew(lake: Lake) -> None:
    """With `always`, an alarm and no name asked for: the naive forecast loses its place to a better family."""
    naive = train(lake.sales.read(TRAINED), lake.promotions.read(), replace(SPEC, cutoff=TRAINED, model="naive"))
    crowned(lake, naive)
    write_json(lake.root / "alarms" / f"{WEEK_NOW}.json", {"alarms": [ALARM]})
    asked = choose(lake, "always", "naive")
    assert "contest" not in asked.record

    choice = choose(lake, "always")

    assert choice.record["contest"]["promoted"]
    assert set(choice.record["contest"]["entries"]) == {"price_response", "mean"}
    assert choice.spec.model == choice.record["contest"]["model"] != "naive"
    assert choice.version is None


def test_a_contest_that_fails_costs_no_forecast_and_is_not_held_again_in_its_week(
    lake: Lake, fitted: FittedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `always` the run can do without; another week tries anew, and with `when_drifted` it is an error."""
    tries = []

    def no_cluster(*_: Any, **__: Any) -> Any:
        tries.append(1)
        raise RunError("No worker came", "look")

    monkeypatch.setattr(choosing, "dask_cluster", no_cluster)
    crowned(lake, fitted)
    write_json(lake.root / "alarms" / f"{WEEK_NOW}.json", {"alarms": [ALARM]})
    choice = choose(lake, "always")
    assert (choice.spec, choice.version) == (SPEC, None)
    assert choice.record["error"] == "RunError: No worker came; look."
    lake.runs.write(WEEK_NOW, AT, {"outcome": "published", "training": choice.record})
    assert "error" not in choose(lake, "always").record
    assert len(tries) == 1
    assert "error" in choose(lake, "always", spec=replace(SPEC, cutoff=WEEK_NOW + WEEK)).record
    with pytest.raises(RunError, match="No worker came"):
        choose(lake, "when_drifted")
    assert len(tries) == 3


def test_an_alarm_of_another_model_is_not_answered(lake: Lake, fitted: FittedModel) -> None:
    """Someone tries a model in the same lake, and it drifts: the champion has nothing to defend."""
    crowned(lake, fitted)
    lake.monitoring.add_alarms(WEEK_NOW, monitor_key(replace(SPEC, model="mean").as_dict()), [ALARM])
    assert "alarm" not in choose(lake, "when_drifted").record
    lake.monitoring.add_alarms(WEEK_NOW, monitor_key(SPEC.as_dict()), [ALARM])
    assert choose(lake, "never").record["alarm"] == ALARM["sentence"]


def test_a_damaged_champion_stops_no_run_that_does_without_it(
    lake: Lake, fitted: FittedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `always` and a model asked for; else the run fails as any other: people are told, and it has a receipt."""
    crowned(lake, fitted)
    lake.models.champion_path.write_text("{")
    assert choose(lake, "always", "mean").spec.model == "mean"
    told: list[Any] = []
    monkeypatch.setattr(notifying, "tell", lambda lake, notice: told.append(notice))
    with pytest.raises(RunError, match="The record of the champion .* is damaged"):
        run(lake)
    assert [notice.title for notice in told] == [f"Week of {WEEK_NOW}: the run failed"]
    assert (lake.runs.last() or {})["outcome"] == "failed"


def test_drift_is_told_though_the_run_then_fails(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """No later run raises the alarm again, so this one tells of it before anything else can go wrong."""
    told: list[Any] = []
    monkeypatch.setattr(notifying, "tell", lambda lake, notice: told.append(notice))
    monkeypatch.setattr(monitoring, "mature_forecasts", lambda lake: 0)
    monkeypatch.setattr(monitoring, "keep_watch", lambda *_: {"expected": True, "alarms": [ALARM]})
    with pytest.raises(OptionError, match="retrain=never needs a model"):
        run(lake, retrain="never")
    titles = [notice.title for notice in told]
    assert titles == [
        f"Week of {WEEK_NOW}: {what}" for what in ("the forecasts are not what was promised", "the run failed")
    ]


@pytest.mark.usefixtures("in_this_process")
def test_without_a_champion_one_is_trained_and_a_past_week_gets_one_of_its_own(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `when_drifted`; the one that answers for a past week has seen no later one, and is not put in force."""
    monkeypatch.setattr(choosing, "FOLDS", 2)
    choice = choose(lake, "when_drifted", "mean")
    current = lake.models.champion()
    assert current is not None
    assert (current.version, current.trained_until) == (choice.version, WEEK_NOW)
    assert choice.record["contest"]["why"] == "the first fitted model of this lake"
    past = choose(lake, "when_drifted", "mean", replace(SPEC, cutoff=TRAINED))
    assert describe_choice(past.record).endswith(
        "mean is kept, and not put in force: trained for a past week, for which there was none"
    )
    assert past.record["trained_until"] == str(TRAINED)
    assert past.version != current.version
    assert lake.models.champion() == current


@pytest.mark.usefixtures("in_this_process")
def test_of_two_first_trainings_at_once_one_is_the_first(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other finds a champion when its own fit is done: it is kept, and its record says which came before."""
    monkeypatch.setattr(choosing, "FOLDS", 2)

    def train_slowly(sales: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> FittedModel:
        crowned(lake, train(sales, promotions, replace(spec, cutoff=TRAINED)))
        return train(sales, promotions, spec)

    monkeypatch.setattr("forecasting.pipeline.challengers.train", train_slowly)
    choice = choose(lake, "when_drifted", "mean")
    first, contest = lake.models.champion(), lake.models.describe(choice.record["contest"]["version"]).record["contest"]
    assert first is not None
    assert first.by == "a tester"
    assert contest["why"] == f"{first.version} was put in force while it was trained, as the first of this lake"
    assert not contest["promoted"]
