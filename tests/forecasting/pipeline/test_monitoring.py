"""Monitoring in a lake: weeks replayed in this process by a cheap model, without a server or a cluster."""

import runpy
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasting.best_effort import best_effort
from forecasting.clock import now
from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK, dominicks_week
from forecasting.contracts.errors import RunError
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.core.drift import baseline_from_backtest
from forecasting.pipeline import baseline as baselines
from forecasting.pipeline import ingest, monitoring, publication
from forecasting.pipeline.baseline import BaselineResult, build_baseline, folds_due, monitor_key
from forecasting.pipeline.batch import ForecastBatch
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.monitoring import MonitoringResult, monitor
from forecasting.pipeline.simulation import shipped, simulate
from forecasting.storage.files import write_table
from forecasting.storage.lake import Lake
from tests.forecasting.core.test_drift import FIRST, backtest_rows

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
WEEKS = [dominicks_week(number) for number in range(136, 141)]
FEW = [2, 5, 8, 9]


def spec_of(cutoff: Any) -> ForecastSpec:
    return ForecastSpec(cutoff, model="mean")


def let_a_week_go_by(lake: Lake, source: Path) -> MonitoringResult:
    """Collect the next week, monitor, forecast and publish."""
    week = simulate(lake, source=source).week
    arrived = ingest.collect(lake, week)
    checked = ingest.validate(lake, arrived)
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
def replayed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, list[MonitoringResult]]:
    """Five weeks of four stores, each published; not to be changed."""
    source, lake = tmp_path_factory.mktemp("few"), Lake(tmp_path_factory.mktemp("replayed") / "lake")
    for table in (schemas.STORES, schemas.PRODUCTS, schemas.SALES, schemas.PROMOTIONS):
        rows = shipped(table)
        if "week" in rows:
            rows = rows[rows["store"].isin(FEW) & (rows["week"] >= pd.Timestamp(dominicks_week(58)))]
        write_table(source / f"{table.name}.parquet", rows, table)
    return lake, [let_a_week_go_by(lake, source) for _ in WEEKS]


@pytest.fixture
def lake(replayed: tuple[Lake, list[MonitoringResult]], tmp_path: Path) -> Lake:
    """A copy of that lake of one's own."""
    shutil.copytree(replayed[0].root, tmp_path / "lake")
    return Lake(tmp_path / "lake")


def cut(content: bytes) -> bytes:
    return content[:100]


def flipped(content: bytes) -> bytes:
    """One bit of a page; the footer is whole."""
    return content[:100] + bytes([content[100] ^ 1]) + content[101:]


def test_the_scores_are_what_the_files_say(replayed: tuple[Lake, list[MonitoringResult]]) -> None:
    """Recomputed by DuckDB from the published files and the sales alone, every number is the same."""
    differences = runpy.run_path(str(BENCHMARKS / "scores_recomputed.py"))["differences"]
    compared, problems = differences(replayed[0].root)
    assert problems == []
    # Four cutoffs at step 1 and three at step 2; the total, 11 products, 4 stores and a model; 14 numbers each.
    assert compared == 7 * 17 * 14


def test_each_week_matures_when_it_is_collected(replayed: tuple[Lake, list[MonitoringResult]]) -> None:
    """Nothing in the first run, one step in the second, then both; an ordinary week scores two runs."""
    lake, found = replayed
    assert [each.scored for each in found] == [0, 1, 2, 2, 2]
    assert found[0].week is None
    assert [list(each.steps) for each in found[1:]] == [[1], [1, 2], [1, 2], [1, 2]]
    assert found[-1].week == WEEKS[-1]
    scores = lake.monitoring.scores()
    assert set(scores["cutoff"].dt.date) == set(WEEKS[:-1])
    assert (scores["week"] == scores["cutoff"] + pd.to_timedelta(scores["step"] * 7, unit="D")).all()
    of_week = scores[(scores["week"] == pd.Timestamp(WEEKS[-1])) & (scores["dimension"] == "total")]
    assert found[-1].steps[1].wape == round(of_week.set_index("step").loc[1, "wape"], 4)


def test_what_is_scored_is_not_scored_again(lake: Lake) -> None:
    """A run that finds nothing new writes nothing."""
    before = {path: path.stat().st_mtime_ns for path in lake.root.glob("scores/*/*")}
    assert monitor(lake, spec_of(WEEKS[-1])).scored == 0
    assert {path: path.stat().st_mtime_ns for path in lake.root.glob("scores/*/*")} == before


def test_a_corrected_week_is_scored_anew(lake: Lake) -> None:
    """Both runs that had forecast the week, and no other; the scores follow the correction."""
    before = lake.monitoring.scores()
    sales = lake.sales.read()
    of_week = sales[sales["week"] == pd.Timestamp(WEEKS[3])]
    lake.sales.add(of_week.assign(units=of_week["units"] + 1))
    assert monitor(lake, spec_of(WEEKS[-1])).scored == 2
    after = lake.monitoring.scores()
    changed = before["week"] == pd.Timestamp(WEEKS[3])
    total = after[changed & (after["dimension"] == "total")]
    assert (total["actual"] - before.loc[total.index, "actual"] == total["series"]).all()
    pd.testing.assert_frame_equal(after[~changed], before[~changed], check_exact=True)


def test_a_replaced_run_keeps_its_scores(lake: Lake) -> None:
    """The current scores are those of the current run; the file of the one that it replaced stays."""
    publish_week(lake, WEEKS[0], factor=2.0)
    assert WEEKS[0] not in set(lake.monitoring.scores()["cutoff"].dt.date)
    assert monitor(lake, spec_of(WEEKS[-1])).scored == 1
    scores = lake.monitoring.scores()
    of_week = scores[scores["cutoff"] == pd.Timestamp(WEEKS[0])]
    assert set(of_week["run_id"]) == {lake.forecasts.run_id(WEEKS[0])}
    assert len(of_week) == 2 * 17
    assert len(list((lake.root / "scores" / str(WEEKS[0])).iterdir())) == 2


def test_a_forecast_that_is_replaced_under_its_run_id_is_scored_anew(lake: Lake) -> None:
    """A lost worker's fallbacks give way to forecasts in the same run: the scores are those of what is published."""
    publish_week(lake, WEEKS[0], factor=2.0)
    monitor(lake, spec_of(WEEKS[-1]))
    before, run_id = lake.monitoring.scores(), lake.forecasts.run_id(WEEKS[0])
    table = lake.forecasts.read(WEEKS[0])
    table["forecast"] = table["lo_80"]
    lake.forecasts.publish(table, table[schemas.SERIES].drop_duplicates(), spec_of(WEEKS[0]), str(run_id))
    assert monitor(lake, spec_of(WEEKS[-1])).scored == 1
    of_week = lake.monitoring.scores()["cutoff"] == pd.Timestamp(WEEKS[0])
    assert (lake.monitoring.scores().loc[of_week, "forecast"] < before.loc[of_week, "forecast"]).all()
    assert monitor(lake, spec_of(WEEKS[-1])).scored == 0


@pytest.mark.parametrize("damage", [cut, flipped])
def test_damaged_scores_are_written_anew(lake: Lake, damage: Callable[[bytes], bytes]) -> None:
    """A file that cannot be read is no reason to stop, nor to do without the others."""
    file = lake.monitoring.scores_path(WEEKS[0], str(lake.forecasts.run_id(WEEKS[0])))
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert len(lake.monitoring.scores()) == 7 * 17 - 2 * 17
    assert monitor(lake, spec_of(WEEKS[-1])).scored == 1
    assert file.read_bytes() == whole


@pytest.mark.parametrize("damage", [cut, flipped])
def test_a_damaged_forecast_costs_no_other_week_its_scores(
    lake: Lake, caplog: Any, damage: Callable[[bytes], bytes]
) -> None:
    """It has no current forecast until it is run again; the others are scored as ever."""
    file = lake.forecasts.path(WEEKS[0])
    file.unlink()  # one of two names
    file.write_bytes(
        damage((lake.forecasts.run_folder(WEEKS[0], "000000000000000a") / "forecast.parquet").read_bytes())
    )
    sales = lake.sales.read()
    lake.sales.add(sales[sales["week"] == pd.Timestamp(WEEKS[2])].assign(units=1))
    assert monitor(lake, spec_of(WEEKS[-1])).scored == 1
    assert publication.current_forecast(lake, WEEKS[0]) is None
    assert not publication.is_final(lake, ForecastBatch("000000000000000a", now(), spec_of(WEEKS[0]), BatchSpec(), []))
    assert set(lake.forecasts.before(WEEKS[2], 2)["cutoff"].dt.date) == {WEEKS[1]}
    publish_week(lake, WEEKS[0])
    assert publication.current_forecast(lake, WEEKS[0]) is not None


def test_trouble_costs_no_forecast(lake: Lake, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """Whatever is raised ends in the result and the log."""

    def broken(*_: Any) -> None:
        raise KeyError("units")

    monkeypatch.setattr(monitoring, "mature_forecasts", broken)
    assert monitor(lake, spec_of(WEEKS[-1])) == MonitoringResult(error="KeyError: 'units'")
    assert "could not be monitored" in caplog.text


def test_a_baseline_that_cannot_be_built_costs_no_forecast(caplog: Any) -> None:
    """A cluster that does not start, for instance; but a person's stop is a stop."""
    with best_effort("The baseline could not be built"):
        raise OSError("no ports")
    assert "The baseline could not be built: OSError: no ports" in caplog.text
    with pytest.raises(KeyboardInterrupt), best_effort("The baseline could not be built"):
        raise KeyboardInterrupt


def test_the_baseline_is_due_once_four_weeks_have_matured(lake: Lake) -> None:
    """Fifty-two folds of one step, the last of which ends before the first week that has matured."""
    folds = folds_due(lake, spec_of(WEEKS[-1]), 1.0)
    assert folds is not None
    assert (folds.horizon, folds.gap, len(folds.cutoffs)) == (1, 0, 52)
    assert folds.cutoffs[-1] + 2 * WEEK == WEEKS[1]
    assert folds_due(lake, ForecastSpec(WEEKS[-1], model="naive"), 1.0) is None
    slow = folds_due(lake, spec_of(WEEKS[-1]), 600 / 30)
    assert slow is not None
    assert (len(slow.cutoffs), slow.cutoffs[-1]) == (30, folds.cutoffs[-1])
    assert folds_due(lake, spec_of(WEEKS[-1]), 600 / 20) is None
    assert folds_due(lake, spec_of(WEEKS[-1]), None) is None


class NoCluster:
    """Runs what it is given here and now."""

    class record:  # noqa: N801 - an attribute of a cluster
        seconds_cpu = 0.0


def test_a_baseline_is_built_from_the_models_own_backtest(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds the folds' weeks by total and product, and is not made twice."""
    folds = folds_due(lake, spec_of(WEEKS[-1]), 1.0)
    assert folds is not None
    asked: list[Any] = []

    def run_folds(
        cluster: Any, source: Any, folds: Any, models: Any, point: Any, batch: Any, *, on_progress: Any
    ) -> Any:
        asked.append((folds.cutoffs, models, point, batch.error_threshold))
        return backtest_rows(1, seed=1, first=pd.Timestamp(folds.cutoffs[0]) + WEEK), {}

    monkeypatch.setattr(baselines, "run_folds", run_folds)
    spec = spec_of(WEEKS[-1])
    seen: list[tuple[int, int]] = []
    made = build_baseline(NoCluster(), lake, spec, BatchSpec(), folds, on_progress=lambda *done: seen.append(done))  # type: ignore[arg-type]
    assert made == BaselineResult(52)
    assert asked == [((cutoff,), ["mean"], "median", -1) for cutoff in reversed(folds.cutoffs)]
    assert (seen[0], seen[-1]) == ((0, 52), (52, 52))
    baseline = lake.monitoring.baseline(monitor_key(spec))
    assert len(baseline) == 52 * 7
    assert folds_due(lake, spec, 1.0) is None
    assert monitor(lake, spec).is_monitored

    # A second model, for which there is no time: one fold is begun, and it is tried once only.
    monkeypatch.setattr(baselines, "BASELINE_SECONDS", -1.0)
    naive = replace(spec, model="naive")
    with pytest.raises(RunError, match="Only 1 past weeks could be forecast by naive"):
        build_baseline(NoCluster(), lake, naive, BatchSpec(), folds, on_progress=lambda *_: None)  # type: ignore[arg-type]
    assert asked[52:] == [((folds.cutoffs[-1],), ["naive"], "median", -1)]
    assert not lake.monitoring.baseline(monitor_key(naive)).empty
    assert not monitor(lake, naive).is_monitored


def test_broken_forecasts_raise_an_alarm(lake: Lake) -> None:
    """Ten times too high, against a baseline of the same model: a file, and new once only."""
    spec = spec_of(WEEKS[-1])
    good = backtest_rows(40, seed=1, first=pd.Timestamp(WEEKS[0]) - pd.Timedelta(weeks=41))
    assert good["week"].max() < pd.Timestamp(WEEKS[0])
    lake.monitoring.write_baseline(monitor_key(spec), baseline_from_backtest(good), {})
    for week in WEEKS[:-1]:
        publish_week(lake, week, factor=10.0)
    found = monitor(lake, spec)
    assert found.is_monitored
    alarms = lake.monitoring.alarms(WEEKS[-1])
    assert {alarm.statistic for alarm in alarms} >= {"bias", "accuracy"}
    assert all(alarm.since <= alarm.week <= WEEKS[-1] for alarm in alarms)
    assert found.alarms == tuple(alarms)
    assert list(found.new_alarm_weeks) == sorted({alarm.week for alarm in alarms})
    assert lake.monitoring.alarms(WEEKS[1] - timedelta(days=7)) == []
    again = monitor(lake, spec)
    assert again.alarms == tuple(alarm for alarm in alarms if alarm.week == WEEKS[-1])
    assert again.new_alarm_weeks == ()


def test_the_key_of_a_monitor_is_a_name_of_a_file() -> None:
    """Own models have names with colons, or worse; another point is another baseline, another cutoff is not."""
    assert monitor_key(spec_of(WEEKS[0])) == monitor_key(spec_of(WEEKS[1]))
    keys = {monitor_key(replace(spec_of(WEEKS[0]), model=model)) for model in ("a:b", "a-b", "../../a", "ä" * 99)}
    assert len(keys) == 4
    assert all(key.replace("-", "").isalnum() and key.isascii() and len(key) < 60 for key in keys)
    assert monitor_key(replace(spec_of(WEEKS[0]), point="mape")) != monitor_key(spec_of(WEEKS[0]))
    assert FIRST.day_name() == "Thursday"
