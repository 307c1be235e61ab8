"""Monitoring in a lake: weeks replayed in this process by a cheap model, without a server or a cluster."""

import runpy
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from inspect import signature
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from prefect.events import Event

from flows.prefect_tasks import stopwatch
from forecasting.clock import Stopwatch, now
from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import RunError
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.core.drift import baseline_from_backtest
from forecasting.pipeline import batch as stages
from forecasting.pipeline import ingest as intake
from forecasting.pipeline import monitoring
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.monitoring import baseline_folds, best_effort, build_baseline, monitor, monitor_key
from forecasting.pipeline.simulation import shipped, simulate
from forecasting.storage.files import write_table
from forecasting.storage.lake import Lake
from tests.forecasting.core.test_drift import FIRST, backtest_rows

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
WEEKS = [dominicks_week(number) for number in range(136, 141)]
FEW = [2, 5, 8, 9]


def spec_of(cutoff: Any) -> ForecastSpec:
    return ForecastSpec(cutoff, model="mean")


def let_a_week_go_by(lake: Lake, source: Path) -> dict[str, Any]:
    """Collect the next week, monitor, forecast and publish."""
    week = simulate(lake, source=source).week
    arrived = intake.collect(lake, week)
    checked = intake.validate(lake, arrived)
    lake.sales.add(checked.sales)
    lake.promotions.add(checked.promotions)
    shutil.rmtree(lake.inbox)
    found = monitor(lake, spec_of(week))
    publish_week(lake, week)
    return found


def publish_week(lake: Lake, week: Any, factor: float = 1.0) -> None:
    sales = lake.sales.read(week)
    table = forecast(sales, lake.promotions.read(), spec_of(week))
    numbers = ["forecast", *(f"{side}_{level}" for side in ("lo", "hi") for level in schemas.LEVELS)]
    table[numbers] *= factor
    lake.forecasts.publish(table, table[schemas.SERIES].drop_duplicates(), spec_of(week), f"{int(factor * 10):016x}")


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, list[dict[str, Any]]]:
    """Five weeks of four stores, each published; not to be changed."""
    source, lake = tmp_path_factory.mktemp("few"), Lake(tmp_path_factory.mktemp("replayed") / "lake")
    for table in (orange_juice.STORES, orange_juice.PRODUCTS, schemas.SALES, orange_juice.PROMOTIONS):
        rows = shipped(table)
        if "week" in rows:
            rows = rows[rows["store"].isin(FEW) & (rows["week"] >= pd.Timestamp(dominicks_week(58)))]
        write_table(source / f"{table.name}.parquet", rows, table)
    return lake, [let_a_week_go_by(lake, source) for _ in WEEKS]


@pytest.fixture
def lake(replayed: tuple[Lake, list[dict[str, Any]]], tmp_path: Path) -> Lake:
    """A copy of that lake of one's own."""
    shutil.copytree(replayed[0].root, tmp_path / "lake")
    return Lake(tmp_path / "lake")


@pytest.fixture
def clock() -> Any:
    """The stopwatch of a run, whose forecast took a second."""
    clock = Stopwatch()
    clock.seconds["forecast"] = 1.0
    token = stopwatch.set(clock)
    yield clock
    stopwatch.reset(token)


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would have been told to Prefect."""
    events: list[dict[str, Any]] = []

    def told(call: Callable[..., Any], **event: Any) -> None:
        signature(call).bind(**event)
        Event(**event)  # as Prefect would have it
        events.append(event)

    monkeypatch.setattr(monitoring, "tell", told)
    return events


def cut(content: bytes) -> bytes:
    return content[:100]


def flipped(content: bytes) -> bytes:
    """One bit of a page; the footer is whole."""
    return content[:100] + bytes([content[100] ^ 1]) + content[101:]


def test_the_scores_are_what_the_files_say(replayed: tuple[Lake, list[dict[str, Any]]]) -> None:
    """Recomputed by DuckDB from the published files and the sales alone, every number is the same."""
    differences = runpy.run_path(str(BENCHMARKS / "scores_recomputed.py"))["differences"]
    compared, problems = differences(replayed[0].root)
    assert problems == []
    # Four cutoffs at step 1 and three at step 2; the total, 11 products, 4 stores and a model; 14 numbers each.
    assert compared == 7 * 17 * 14


def test_each_week_matures_when_it_is_collected(replayed: tuple[Lake, list[dict[str, Any]]]) -> None:
    """Nothing in the first run, one step in the second, then both; an ordinary week scores two runs."""
    lake, found = replayed
    assert [each["scored"] for each in found] == [0, 1, 2, 2, 2]
    assert "week" not in found[0]
    assert [list(each["steps"]) for each in found[1:]] == [["1"], ["1", "2"], ["1", "2"], ["1", "2"]]
    assert found[-1]["week"] == str(WEEKS[-1])
    scores = lake.monitoring.scores()
    assert set(scores["cutoff"].dt.date) == set(WEEKS[:-1])
    assert (scores["week"] == scores["cutoff"] + pd.to_timedelta(scores["step"] * 7, unit="D")).all()
    of_week = scores[(scores["week"] == pd.Timestamp(WEEKS[-1])) & (scores["dimension"] == "total")]
    assert found[-1]["steps"]["1"]["wape"] == round(of_week.set_index("step").loc[1, "wape"], 4)


def test_what_is_scored_is_not_scored_again(lake: Lake) -> None:
    """A run that finds nothing new writes nothing."""
    before = {path: path.stat().st_mtime_ns for path in lake.root.glob("scores/*/*")}
    assert monitor(lake, spec_of(WEEKS[-1]))["scored"] == 0
    assert {path: path.stat().st_mtime_ns for path in lake.root.glob("scores/*/*")} == before


def test_a_corrected_week_is_scored_anew(lake: Lake) -> None:
    """Both runs that had forecast the week, and no other; the scores follow the correction."""
    before = lake.monitoring.scores()
    sales = lake.sales.read()
    of_week = sales[sales["week"] == pd.Timestamp(WEEKS[3])]
    lake.sales.add(of_week.assign(units=of_week["units"] + 1))
    assert monitor(lake, spec_of(WEEKS[-1]))["scored"] == 2
    after = lake.monitoring.scores()
    changed = before["week"] == pd.Timestamp(WEEKS[3])
    total = after[changed & (after["dimension"] == "total")]
    assert (total["actual"] - before.loc[total.index, "actual"] == total["series"]).all()
    pd.testing.assert_frame_equal(after[~changed], before[~changed], check_exact=True)


def test_a_replaced_run_keeps_its_scores(lake: Lake) -> None:
    """The scores in force are those of the run in force; the file of the one that it replaced stays."""
    publish_week(lake, WEEKS[0], factor=2.0)
    assert WEEKS[0] not in set(lake.monitoring.scores()["cutoff"].dt.date)
    assert monitor(lake, spec_of(WEEKS[-1]))["scored"] == 1
    scores = lake.monitoring.scores()
    of_week = scores[scores["cutoff"] == pd.Timestamp(WEEKS[0])]
    assert set(of_week["run_id"]) == {lake.forecasts.run_id(WEEKS[0])}
    assert len(of_week) == 2 * 17
    assert len(list((lake.root / "scores" / str(WEEKS[0])).iterdir())) == 2


def test_a_forecast_that_is_replaced_under_its_run_id_is_scored_anew(lake: Lake) -> None:
    """A lost worker's fallbacks give way to forecasts in the same run: the scores are those of what is in force."""
    publish_week(lake, WEEKS[0], factor=2.0)
    monitor(lake, spec_of(WEEKS[-1]))
    before, run_id = lake.monitoring.scores(), lake.forecasts.run_id(WEEKS[0])
    table = lake.forecasts.read(WEEKS[0])
    table["forecast"] = table["lo_80"]
    lake.forecasts.publish(table, table[schemas.SERIES].drop_duplicates(), spec_of(WEEKS[0]), str(run_id))
    assert monitor(lake, spec_of(WEEKS[-1]))["scored"] == 1
    of_week = lake.monitoring.scores()["cutoff"] == pd.Timestamp(WEEKS[0])
    assert (lake.monitoring.scores().loc[of_week, "forecast"] < before.loc[of_week, "forecast"]).all()
    assert monitor(lake, spec_of(WEEKS[-1]))["scored"] == 0


@pytest.mark.parametrize("damage", [cut, flipped])
def test_damaged_scores_are_written_anew(lake: Lake, damage: Callable[[bytes], bytes]) -> None:
    """A file that cannot be read is no reason to stop, nor to do without the others."""
    file = lake.monitoring.scores_path(WEEKS[0], str(lake.forecasts.run_id(WEEKS[0])))
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert len(lake.monitoring.scores()) == 7 * 17 - 2 * 17
    assert monitor(lake, spec_of(WEEKS[-1]))["scored"] == 1
    assert file.read_bytes() == whole


@pytest.mark.parametrize("damage", [cut, flipped])
def test_a_damaged_forecast_costs_no_other_week_its_scores(
    lake: Lake, caplog: Any, damage: Callable[[bytes], bytes]
) -> None:
    """It has no forecast in force until it is run again; the others are scored as ever."""
    file = lake.forecasts.path(WEEKS[0])
    file.unlink()  # one of two names
    file.write_bytes(
        damage((lake.forecasts.run_folder(WEEKS[0], "000000000000000a") / "forecast.parquet").read_bytes())
    )
    sales = lake.sales.read()
    lake.sales.add(sales[sales["week"] == pd.Timestamp(WEEKS[2])].assign(units=1))
    assert monitor(lake, spec_of(WEEKS[-1]))["scored"] == 1
    assert stages.current_forecast(lake, WEEKS[0]) is None
    assert not stages.is_final(lake, WEEKS[0], stages.ForecastBatch("000000000000000a", [], now()))
    assert set(lake.forecasts.before(WEEKS[2], 2)["cutoff"].dt.date) == {WEEKS[1]}
    publish_week(lake, WEEKS[0])
    assert stages.current_forecast(lake, WEEKS[0]) is not None


def test_trouble_costs_no_forecast(lake: Lake, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """Whatever is raised ends in the receipt and the log."""

    def broken(*_: Any) -> None:
        raise KeyError("units")

    monkeypatch.setattr(monitoring, "mature_forecasts", broken)
    assert monitor(lake, spec_of(WEEKS[-1])) == {"error": "KeyError: 'units'"}
    assert "could not be monitored" in caplog.text


def test_a_promise_that_cannot_be_made_costs_no_forecast(caplog: Any) -> None:
    """A cluster that does not start, for instance; but a person's stop is a stop."""
    with best_effort("The promise could not be made"):
        raise OSError("no ports")
    assert "The promise could not be made (OSError): no ports" in caplog.text
    with pytest.raises(KeyboardInterrupt), best_effort("The promise could not be made"):
        raise KeyboardInterrupt


def test_the_promise_is_due_once_four_weeks_have_matured(lake: Lake, clock: Stopwatch) -> None:
    """Fifty-two folds of one step, the last of which ends before the first week that has matured."""
    folds = baseline_folds(lake, spec_of(WEEKS[-1]))
    assert folds is not None
    assert (folds.horizon, folds.gap, len(folds.cutoffs)) == (1, 0, 52)
    assert folds.cutoffs[-1] + 2 * WEEK == WEEKS[1]
    assert baseline_folds(lake, ForecastSpec(WEEKS[-1], model="naive")) is None
    clock.seconds["forecast"] = 600 / 30
    slow = baseline_folds(lake, spec_of(WEEKS[-1]))
    assert slow is not None
    assert (len(slow.cutoffs), slow.cutoffs[-1]) == (30, folds.cutoffs[-1])
    clock.seconds["forecast"] = 600 / 20
    assert baseline_folds(lake, spec_of(WEEKS[-1])) is None
    del clock.seconds["forecast"]
    assert baseline_folds(lake, spec_of(WEEKS[-1])) is None


class NoCluster:
    """Runs what it is given here and now."""

    class record:  # noqa: N801 - an attribute of a cluster
        seconds_cpu = 0.0


def test_a_promise_is_made_of_the_models_own_backtest(
    lake: Lake, clock: Stopwatch, emitted: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the folds' weeks by total and product, and is not made twice."""
    folds = baseline_folds(lake, spec_of(WEEKS[-1]))
    assert folds is not None
    asked: list[Any] = []

    def run_folds(cluster: Any, source: Any, folds: Any, models: Any, point: Any, batch: Any, progress: Any) -> Any:
        asked.append((folds.cutoffs, models, point, batch.error_threshold))
        return backtest_rows(1, seed=1, first=pd.Timestamp(folds.cutoffs[0]) + WEEK), {}

    monkeypatch.setattr(monitoring, "run_folds", run_folds)
    spec = spec_of(WEEKS[-1])
    seen: list[tuple[int, int]] = []
    made = build_baseline(NoCluster(), lake, spec, BatchSpec(), folds, lambda *done: seen.append(done))  # type: ignore[arg-type]
    assert made == 52
    assert asked == [((cutoff,), ["mean"], "median", -1) for cutoff in reversed(folds.cutoffs)]
    assert (seen[0], seen[-1]) == ((0, 52), (52, 52))
    baseline = lake.monitoring.baseline(monitor_key(spec.as_dict()))
    assert len(baseline) == 52 * 7
    assert baseline_folds(lake, spec) is None
    assert monitor(lake, spec)["expected"]

    # A second model, for which there is no time: one fold is begun, and it is tried once only.
    monkeypatch.setattr(monitoring, "BASELINE_SECONDS", -1.0)
    naive = replace(spec, model="naive")
    with pytest.raises(RunError, match="Only 1 past weeks could be forecast by naive"):
        build_baseline(NoCluster(), lake, naive, BatchSpec(), folds, lambda *_: None)  # type: ignore[arg-type]
    assert asked[52:] == [((folds.cutoffs[-1],), ["naive"], "median", -1)]
    assert not lake.monitoring.baseline(monitor_key(naive.as_dict())).empty
    assert not monitor(lake, naive)["expected"]


def test_broken_forecasts_raise_an_alarm(lake: Lake, emitted: list[dict[str, Any]]) -> None:
    """Ten times too high, against a promise of the same model: an event, a file, and once only."""
    spec = spec_of(WEEKS[-1])
    good = backtest_rows(40, seed=1, first=pd.Timestamp(WEEKS[0]) - pd.Timedelta(weeks=41))
    assert good["week"].max() < pd.Timestamp(WEEKS[0])
    lake.monitoring.write_baseline(monitor_key(spec.as_dict()), baseline_from_backtest(good), {})
    for week in WEEKS[:-1]:
        publish_week(lake, week, factor=10.0)
    found = monitor(lake, spec)
    assert found["expected"]
    alarms = lake.monitoring.alarms(WEEKS[-1])
    assert {alarm["statistic"] for alarm in alarms} >= {"bias", "accuracy"}
    assert all(alarm["since"] <= alarm["week"] <= str(WEEKS[-1]) for alarm in alarms)
    assert found["alarms"] == alarms
    weeks = sorted({alarm["week"] for alarm in alarms})
    assert [event["payload"]["week"] for event in emitted] == weeks
    assert {event["event"] for event in emitted} == {"oj.model.drifted"}
    assert lake.monitoring.alarms(WEEKS[1] - timedelta(days=7)) == []
    again = monitor(lake, spec)
    assert again["alarms"] == [alarm for alarm in alarms if alarm["week"] == str(WEEKS[-1])]
    assert len(emitted) == len(weeks)


def test_the_key_of_a_promise_is_a_name_of_a_file() -> None:
    """Own models have names with colons, or worse; another point is another promise, another cutoff is not."""
    assert monitor_key(spec_of(WEEKS[0]).as_dict()) == monitor_key(spec_of(WEEKS[1]).as_dict())
    keys = {monitor_key({"model": model, "point": "median", "gap": 0}) for model in ("a:b", "a-b", "../../a", "ä" * 99)}
    assert len(keys) == 4
    assert all(key.replace("-", "").isalnum() and key.isascii() and len(key) < 60 for key in keys)
    assert monitor_key({"model": "mean", "point": "mape", "gap": 0}) != monitor_key(spec_of(WEEKS[0]).as_dict())
    assert FIRST.day_name() == "Thursday"
