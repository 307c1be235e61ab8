"""Monitoring in a lake: weeks replayed in this process by a cheap model, without a server or a cluster."""

import runpy
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasting.clock import now
from forecasting.contracts import schemas
from forecasting.contracts.spec import BatchSpec
from forecasting.core.drift import baseline_from_backtest
from forecasting.pipeline import monitoring, publication
from forecasting.pipeline.baseline import monitor_key
from forecasting.pipeline.batch import ForecastBatch
from forecasting.pipeline.monitoring import MonitoringResult, monitor
from forecasting.storage.lake import Lake
from tests.forecasting.core.test_drift import backtest_rows
from tests.forecasting.pipeline.replayed import WEEKS, publish_week, spec_of

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def lake(replayed_lake: Lake) -> Lake:
    return replayed_lake


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
