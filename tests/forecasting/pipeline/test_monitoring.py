"""Monitoring in a lake: weeks replayed in this process by a cheap model, without a server or a cluster."""

import runpy
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasting.clock import now
from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.core.drift import baseline_from_backtest
from forecasting.core.metrics import METRICS, score_rows
from forecasting.pipeline import monitoring, publication
from forecasting.pipeline.baseline import monitor_key
from forecasting.pipeline.batch import ForecastBatch
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.monitoring import MonitoringResult, monitor, score_published
from forecasting.pipeline.parts import PartitionReader
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
    compared, problems = differences(replayed[0].root.path)
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
    before = {path: path.stat().st_mtime_ns for path in Path(lake.root).glob("scores/*/*")}
    assert monitor(lake, spec_of(WEEKS[-1])).scored == 0
    assert {path: path.stat().st_mtime_ns for path in Path(lake.root).glob("scores/*/*")} == before


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
    assert len(list(Path(lake.root / "scores" / str(WEEKS[0])).iterdir())) == 2


def test_a_forecast_that_is_replaced_under_its_run_id_is_scored_anew(lake: Lake) -> None:
    """A lost worker's fallbacks give way to forecasts in the same run: the scores are those of what is published."""
    publish_week(lake, WEEKS[0], factor=2.0)
    monitor(lake, spec_of(WEEKS[-1]))
    before, run_id = lake.monitoring.scores(), lake.forecasts.run_id(WEEKS[0])
    table = lake.forecasts.read(WEEKS[0])
    table["forecast"] = table["lo_80"]
    lake.forecasts.publish([table], table[schemas.SERIES].drop_duplicates(), spec_of(WEEKS[0]), str(run_id))
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
    Path(file).unlink()  # one of two names
    file.write_bytes(
        damage((lake.forecasts.run_folder(WEEKS[0], "000000000000000a") / "forecast.parquet").read_bytes())
    )
    sales = lake.sales.read()
    lake.sales.add(sales[sales["week"] == pd.Timestamp(WEEKS[2])].assign(units=1))
    assert monitor(lake, spec_of(WEEKS[-1])).scored == 1
    assert publication.current_forecast(lake, WEEKS[0]) is None
    spec, run_id = spec_of(WEEKS[0]), "000000000000000a"
    reader = PartitionReader(lake.url, run_id, now(), spec)
    assert not publication.is_final(lake, ForecastBatch(run_id, now(), spec, BatchSpec(), [], reader))
    assert set(lake.forecasts.before(WEEKS[2], 2)["cutoff"].dt.date) == {WEEKS[1]}
    publish_week(lake, WEEKS[0])
    assert publication.current_forecast(lake, WEEKS[0]) is not None


def test_trouble_costs_no_forecast(lake: Lake, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """Whatever is raised ends in the result and the log."""

    def broken(*_: Any) -> None:
        raise KeyError("units")

    monkeypatch.setattr(monitoring, "mature_forecasts", broken)
    assert monitor(lake, spec_of(WEEKS[-1])) == MonitoringResult("mean", error="KeyError: 'units'")
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


CUTOFF = dominicks_week(136)
RUN = "0123456789abcdef"


@pytest.fixture(scope="module")
def published(real_sales: pd.DataFrame, real_promotions: pd.DataFrame) -> pd.DataFrame:
    """A cheap model's forecast of four stores."""
    few = real_sales["store"].isin([2, 5, 8, 9])
    return forecast(real_sales[few], real_promotions, ForecastSpec(CUTOFF, model="mean"))


def sold_until(sales: pd.DataFrame, week: object) -> pd.DataFrame:
    return sales[sales["week"] <= pd.Timestamp(week)]


def test_two_series_by_hand() -> None:
    """10 and 30 forecast as 8 and 33; last week they sold 20 and 30: every sum and share of the total and a product."""
    weeks = [pd.Timestamp(CUTOFF), pd.Timestamp(CUTOFF + WEEK)]
    sold = [(2, 1, weeks[0], 20), (2, 1, weeks[1], 10), (2, 4, weeks[0], 30), (2, 4, weeks[1], 30)]
    sales = orange_juice.SALES.cast(pd.DataFrame(sold, columns=orange_juice.SALES.columns))
    ends = {"lo_80": [6.0, 31.0], "hi_80": [12.0, 36.0], "lo_95": [5.0, 29.0], "hi_95": [14.0, 40.0]}
    rows = pd.DataFrame({"store": 2, "product": [1, 4], "forecast": [8.0, 33.0], **ends})
    of_run = {"cutoff": weeks[0], "week": weeks[1], "step": 1, "model": ["mean", "naive"], "reason": None}
    published = orange_juice.FORECAST.cast(rows.assign(**of_run, promotion_known=True))

    found = score_published(published, RUN, sales, ORANGE_JUICE).set_index(["dimension", "member"])

    total = found.loc["total", ""]
    assert (total["series"], total["actual"], total["forecast"]) == (2, 40, 41)
    assert (total["absolute_error"], total["naive_absolute_error"]) == (5, 10)
    assert (total["wape"], total["naive_wape"], total["bias"]) == (5 / 40, 10 / 40, 41 / 40 - 1)
    assert (total["within_80"], total["within_95"], total["coverage_80"]) == (1, 2, 0.5)
    # Of 10: 0.5·2, 0.1·4, 0.1·2, 0.025·5, 0.025·4. Of 30: 0.5·3, 0.9·1, 0.1·6, 0.025·1, 0.025·10.
    assert total["pinball"] == pytest.approx((1 + 0.4 + 0.2 + 0.125 + 0.1) / 5 + (1.5 + 0.9 + 0.6 + 0.025 + 0.25) / 5)
    # One week-to-week change in the past is none: without any, the naive forecast is a point.
    assert total["naive_pinball"] == pytest.approx(10 / 2)
    assert found.loc[("product", "1"), "absolute_error"] == 2
    assert found.loc[("store", "2"), "series"] == 2
    assert found.loc[("model", "naive"), "absolute_error"] == 3
    assert set(found.reset_index()["run_id"]) == {RUN}


def test_only_weeks_that_have_been_collected_are_scored(published: pd.DataFrame, real_sales: pd.DataFrame) -> None:
    """None at the cutoff, the first step a week later, both after two weeks; the first step's scores stay."""
    none, one, both = (
        score_published(published, RUN, sold_until(real_sales, CUTOFF + WEEK * weeks), ORANGE_JUICE)
        for weeks in range(3)
    )
    assert none.empty
    assert set(one["step"]) == {1}
    assert set(both["step"]) == {1, 2}
    pd.testing.assert_frame_equal(both[both["step"] == 1].reset_index(drop=True), one)


def test_a_series_without_an_actual_does_not_count(published: pd.DataFrame, real_sales: pd.DataFrame) -> None:
    """A store that did not report is left out of every sum."""
    sales = sold_until(real_sales, CUTOFF + WEEK)
    gone = sales[(sales["store"] != 5) | (sales["week"] <= pd.Timestamp(CUTOFF))]
    found = score_published(published, RUN, gone, ORANGE_JUICE).set_index(["dimension", "member"])
    assert found.loc["total", ""]["series"] == 33
    assert ("store", "5") not in found.index


def test_there_is_one_definition_of_a_score(
    published: pd.DataFrame, real_sales: pd.DataFrame, real_promotions: pd.DataFrame
) -> None:
    """WAPE, bias, pinball and coverage are those of `METRICS`; the naive forecast that of the model."""
    rows = published.merge(real_sales.rename(columns={"units": "actual"}), on=schemas.CELL)
    rows = rows[rows["step"] == 2]
    found = score_published(published, RUN, real_sales, ORANGE_JUICE)
    total = found[(found["dimension"] == "total") & (found["step"] == 2)].iloc[0]
    assert total["wape"] == pytest.approx(METRICS["wape"](rows))
    assert total["bias"] == pytest.approx(METRICS["bias"](rows))
    assert total["pinball"] / total["actual"] == pytest.approx(METRICS["pinball"](rows))
    assert total["coverage_80"] == METRICS["coverage_80"](rows)
    naive = forecast(sold_until(real_sales, CUTOFF), real_promotions, ForecastSpec(CUTOFF, model="naive"))
    last = rows.drop(columns="forecast").merge(naive[["store", "product", "step", "forecast"]])
    assert total["naive_wape"] == pytest.approx(METRICS["wape"](last))


def test_parts_add_up_and_their_order_does_not_matter(published: pd.DataFrame, real_sales: pd.DataFrame) -> None:
    """Products, stores and models each sum to the total, and shuffled rows give the same numbers to the last bit."""
    rows = published.merge(real_sales.rename(columns={"units": "actual"}), on=schemas.CELL)
    found = score_rows(rows)
    sums = found.groupby(["step", "dimension"])[["series", "actual", "forecast", "pinball", "within_80"]].sum()
    for step in (1, 2):
        of_step = sums.loc[step]
        assert of_step.to_numpy() == pytest.approx(of_step.loc[["total"]].to_numpy().repeat(4, axis=0))
    shuffled = score_rows(rows.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(shuffled, found, check_exact=True)


def test_nothing_sold_has_sums_but_no_shares(published: pd.DataFrame, real_sales: pd.DataFrame) -> None:
    """A product of which not one carton was sold has an absolute error, and no WAPE."""
    rows = published.merge(real_sales.rename(columns={"units": "actual"}), on=schemas.CELL)
    found = score_rows(rows.assign(actual=0), ("product",))
    assert (found["absolute_error"] > 0).all()
    assert found[["wape", "bias"]].isna().all(axis=None)
