"""Tests of the model of a weekly run: registered or fitted anew, and replaced where it is broken, without a hand."""

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
from forecasting.contracts.run_record import Outcome, RunRecord
from forecasting.contracts.spec import BatchSpec, ClusterSpec, ForecastSpec
from forecasting.core.drift import Alarm
from forecasting.core.fitted_model import FittedModel
from forecasting.pipeline import model_selection as choosing
from forecasting.pipeline import monitoring
from forecasting.pipeline.baseline import monitor_key
from forecasting.pipeline.forecast import forecast, train
from forecasting.pipeline.model_selection import ModelChoice, choose_model, current_model
from forecasting.storage.files import read_json, read_metadata
from forecasting.storage.lake import Lake
from forecasting.storage.model_registry import Origin, Version
from tests.small import compute_in_this_process, small_lake

WEEK_NOW, TRAINED = dominicks_week(136), dominicks_week(129)
AT = datetime(2026, 1, 1, tzinfo=UTC)
SPEC = ForecastSpec(WEEK_NOW)
ONE_WORKER = ClusterSpec(max_concurrency_per_instance=1)
ALARM = Alarm(WEEK_NOW, "bias", 1.1, 0.0, TRAINED + WEEK, "The forecasts are twice what was sold.")


def promoted(lake: Lake, fitted: FittedModel, by: str = "a tester") -> Version:
    """Register a fitted model and promote it, as of its cutoff."""
    origin = Origin(dominicks_week(60), fitted.spec.cutoff, 70, 44, "data", "code", AT, by)
    version = lake.models.register(fitted, origin, {"scores": {}, "evaluation": {}})
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


def choose(lake: Lake, retrain: Any, asked: str | None = None, spec: ForecastSpec = SPEC) -> ModelChoice:
    current = current_model(lake, spec, asked, retrain)
    return choose_model(lake, current, BatchSpec(), ONE_WORKER, on_progress=lambda *_: None)


def raise_alarm(lake: Lake, alarm: Alarm, model: str) -> None:
    lake.monitoring.add_alarms(alarm.week, monitor_key(replace(SPEC, model=model)), [alarm])


def run(lake: Lake, **options: Any) -> RunRecord:
    """A weekly run without Prefect."""
    parameters = {"lake": str(lake.root), "cutoff": WEEK_NOW, "max_concurrency_per_instance": 1, **options}
    return run_flow(weekly_forecast, parameters, why_not="no Prefect is needed", warn=lambda _: None)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluations and weekly runs without Dask."""
    compute_in_this_process(monkeypatch, choosing)
    compute_in_this_process(monkeypatch, module)


@pytest.mark.usefixtures("in_this_process")
def test_a_broken_model_is_noticed_and_replaced_without_a_hand(lake: Lake, fitted: FittedModel) -> None:
    """Its parameters are broken on purpose, an alarm says so, and the next run uses a better one."""
    old = promoted(lake, broken(fitted))
    raise_alarm(lake, ALARM, "price_response")

    record = run(lake, retrain="when_drifted")

    choice = record.result(ModelChoice)
    assert choice
    evaluation = choice.evaluation
    assert evaluation
    assert evaluation.promoted
    assert evaluation.candidates["price_response"].is_better
    # Before its own training the champion is not asked: it has seen those weeks.
    assert evaluation.champion_frozen_at == tuple(TRAINED + k * WEEK for k in range(7))
    assert evaluation.champion_refitted_at[-1] == TRAINED - WEEK
    now = lake.models.champion()
    assert now is not None
    assert now.version == evaluation.version == choice.version != old.version
    assert lake.models.describe(now.version).record["evaluation"]["against"] == old.version
    assert now.by.startswith("the weekly run")
    # What is published is what the new one forecasts, and says so.
    new, found = lake.models.load(now.version)[1], lake.forecasts.read(WEEK_NOW)
    expected = forecast(lake.sales.read(), lake.promotions.read(), replace(new.spec, cutoff=WEEK_NOW), new)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert read_metadata(lake.forecasts.path(WEEK_NOW))["model_version"] == now.version
    manifest = lake.forecasts.run_folder(WEEK_NOW, str(record.run_id)) / "manifest.json"
    assert read_json(manifest)["model_version"] == now.version
    assert now.version in lake.reports.page_path(WEEK_NOW).read_text()

    again = run(lake, retrain="when_drifted")

    assert again.outcome is Outcome.UNCHANGED
    repeated = again.result(ModelChoice)
    assert repeated
    assert repeated.evaluation is None


def test_a_registered_model_goes_on_as_it_was_trained(lake: Lake, fitted: FittedModel) -> None:
    """With `never` and, without an alarm, with `when_drifted`; the version is part of the choice."""
    version = promoted(lake, fitted)
    for retrain in ("never", "when_drifted"):
        choice = choose(lake, retrain)
        assert (choice.version, choice.model) == (version.version, SPEC.model)
        assert choice.trained_until == TRAINED
    raise_alarm(lake, replace(ALARM, week=TRAINED), "price_response")
    assert choose(lake, "when_drifted").alarm is None


def test_always_fits_the_model_of_the_champion_anew(lake: Lake, fitted: FittedModel) -> None:
    """Without a champion the default; with one its model, unless another was asked for."""
    assert choose(lake, "always") == ModelChoice(SPEC.model, "always")
    promoted(lake, train(lake.sales.read(TRAINED), lake.promotions.read(), replace(SPEC, cutoff=TRAINED, model="mean")))
    assert choose(lake, "always").model == "mean"
    assert choose(lake, "always", "naive").model == "naive"


def test_never_without_a_model_is_refused_with_the_remedy(lake: Lake, fitted: FittedModel) -> None:
    """Also for a week before the champion's own: it has seen the sales that are to be forecast."""
    with pytest.raises(OptionError, match=f"retrain=never needs a model.*oj train --cutoff {WEEK_NOW}"):
        choose(lake, "never")
    promoted(lake, fitted)
    earlier = replace(SPEC, cutoff=TRAINED - WEEK)
    with pytest.raises(OptionError, match=f"oj train --cutoff {TRAINED - WEEK}"):
        choose(lake, "never", spec=earlier)


@pytest.mark.parametrize("retrain", ["never", "when_drifted"])
def test_another_model_than_the_champion_is_refused(retrain: str, lake: Lake, fitted: FittedModel) -> None:
    """A run does not pretend to use the model that was asked for; one that cannot be trained apart is refused too."""
    promoted(lake, fitted)
    with pytest.raises(OptionError, match=f"the champion that retrain={retrain} goes by is a price_response"):
        choose(lake, retrain, "mean")
    with pytest.raises(OptionError, match="model=ensemble cannot be trained apart from forecasting"):
        choose(lake, retrain, "ensemble")


@pytest.mark.usefixtures("in_this_process")
def test_a_model_that_fails_is_replaced_though_every_run_fits_it_anew(lake: Lake) -> None:
    """With `always`, an alarm and no model asked for: the naive forecast is replaced by a better one."""
    naive = train(lake.sales.read(TRAINED), lake.promotions.read(), replace(SPEC, cutoff=TRAINED, model="naive"))
    promoted(lake, naive)
    raise_alarm(lake, ALARM, "naive")
    assert choose(lake, "always", "naive").evaluation is None

    choice = choose(lake, "always")

    assert choice.evaluation
    assert choice.evaluation.promoted
    assert set(choice.evaluation.candidates) == {"price_response", "mean"}
    assert choice.model == choice.evaluation.model != "naive"
    assert choice.version is None


def test_an_evaluation_that_fails_costs_no_forecast_and_is_not_repeated_in_its_week(
    lake: Lake, fitted: FittedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `always` the run can do without; another week tries anew, and with `when_drifted` it is an error."""
    tries = []

    def no_cluster(*_: Any, **__: Any) -> Any:
        tries.append(1)
        raise RunError("No worker came", "look")

    monkeypatch.setattr(choosing, "dask_cluster", no_cluster)
    promoted(lake, fitted)
    raise_alarm(lake, ALARM, "price_response")
    choice = choose(lake, "always")
    assert (choice.model, choice.version) == (SPEC.model, None)
    assert choice.error == "No worker came; look."
    lake.runs.write(RunRecord(SPEC, AT, Outcome.PUBLISHED).with_result(choice))
    assert choose(lake, "always").error is None
    assert len(tries) == 1
    assert choose(lake, "always", spec=replace(SPEC, cutoff=WEEK_NOW + WEEK)).error
    with pytest.raises(RunError, match="No worker came"):
        choose(lake, "when_drifted")
    assert len(tries) == 3


def test_an_alarm_of_another_model_is_not_answered(lake: Lake, fitted: FittedModel) -> None:
    """Someone tries a model in the same lake, and it drifts: the champion is not evaluated."""
    promoted(lake, fitted)
    raise_alarm(lake, ALARM, "mean")
    assert choose(lake, "when_drifted").alarm is None
    raise_alarm(lake, ALARM, SPEC.model)
    assert choose(lake, "never").alarm == ALARM.sentence


def test_a_damaged_champion_stops_no_run_that_does_without_it(
    lake: Lake, fitted: FittedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `always` and a model asked for; else the run fails, people are notified, and it has a record."""
    promoted(lake, fitted)
    lake.models.champion_path.write_text("{")
    assert choose(lake, "always", "mean").model == "mean"
    sent: list[Any] = []
    monkeypatch.setattr(notifying, "send", lambda lake, notification: sent.append(notification))
    with pytest.raises(RunError, match="The record of the champion .* is damaged"):
        run(lake)
    assert [notification.title for notification in sent] == [f"Week of {WEEK_NOW}: the run failed"]
    record = lake.runs.last()
    assert record
    assert record.outcome is Outcome.FAILED


def test_drift_is_notified_though_the_run_then_fails(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """No later run raises the alarm again, so this one notifies people before anything else can go wrong."""
    sent: list[Any] = []
    monkeypatch.setattr(notifying, "send", lambda lake, notification: sent.append(notification))
    monkeypatch.setattr(monitoring, "mature_forecasts", lambda lake: 0)
    monkeypatch.setattr(monitoring, "update_alerts", lambda *_: (True, (ALARM,), (WEEK_NOW,)))
    with pytest.raises(OptionError, match="retrain=never needs a model"):
        run(lake, retrain="never")
    titles = [notification.title for notification in sent]
    assert titles == [f"Week of {WEEK_NOW}: {what}" for what in ("the forecasts have drifted", "the run failed")]


@pytest.mark.usefixtures("in_this_process")
def test_without_a_champion_one_is_trained_and_a_past_week_gets_one_of_its_own(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `when_drifted`; the one for a past week has seen no later one, and is not promoted."""
    monkeypatch.setattr(choosing, "FOLDS", 2)
    choice = choose(lake, "when_drifted", "mean")
    current = lake.models.champion()
    assert current is not None
    assert (current.version, current.trained_until) == (choice.version, WEEK_NOW)
    assert choice.evaluation
    assert choice.evaluation.why == "the first fitted model of this lake"
    past = choose(lake, "when_drifted", "mean", replace(SPEC, cutoff=TRAINED))
    assert past.evaluation
    assert not past.evaluation.promoted
    assert past.evaluation.why == "trained for a past week, for which there was none"
    assert past.trained_until == TRAINED
    assert past.version != current.version
    assert lake.models.champion() == current
