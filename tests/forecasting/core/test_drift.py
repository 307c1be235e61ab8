"""Drift: quiet weeks raise no alarm, a break raises one within three weeks, and its sentence says what broke."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import ORANGE_JUICE, Key
from forecasting.core import drift
from forecasting.core.drift import Charts, baseline_from_backtest, detect_drift, weekly_statistics
from forecasting.core.metrics import score_rows

FIRST = pd.Timestamp("1990-01-04")
PRODUCTS, STORES = 6, 10
Break = Callable[[pd.DataFrame], pd.DataFrame]
ENDS = ["forecast", "lo_80", "hi_80", "lo_95", "hi_95"]

PRODUCT = ORANGE_JUICE.product


def backtest_rows(weeks: int, seed: int, first: pd.Timestamp = FIRST) -> pd.DataFrame:
    """Forecasts of 60 series whose intervals are right; each product has a mood of its own every week."""
    rng = np.random.default_rng(seed)
    cells = pd.MultiIndex.from_product(
        [first + pd.to_timedelta(np.arange(weeks) * 7, unit="D"), range(1, STORES + 1), range(1, PRODUCTS + 1)],
        names=["week", "store", "product"],
    ).to_frame(index=False)
    mood = rng.normal(0, 0.15, (weeks, 1, PRODUCTS)) + rng.normal(0, 0.25, (weeks, STORES, PRODUCTS))
    spread = np.hypot(0.15, 0.25)
    ends = {
        f"{side}_{level}": 100 * np.exp(sign * z * spread)
        for level, z in ((80, 1.2816), (95, 1.96))
        for side, sign in (("lo", -1), ("hi", 1))
    }
    return cells.assign(
        cutoff=cells["week"] - pd.Timedelta(weeks=1),
        step=1,
        model="made",
        forecast=100.0,
        **ends,
        actual=np.round(100 * np.exp(mood)).ravel().astype(int),
    )


def live_scores(rows: pd.DataFrame) -> pd.DataFrame:
    return score_rows(rows, ("total", "product")).assign(run_id="made")


@pytest.fixture(scope="module")
def baseline() -> pd.DataFrame:
    """Fifty-two quiet weeks."""
    rows = backtest_rows(52, seed=1)
    return schemas.BASELINE.cast(score_rows(rows, ("total", "product")))


def after(rows: int, seed: int) -> pd.DataFrame:
    return backtest_rows(rows, seed, FIRST + pd.Timedelta(weeks=52))


def too_high(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(**{name: rows[name] * 1.5 for name in ENDS})


def too_narrow(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(**{name: (rows["forecast"] + rows[name]) / 2 for name in ENDS[1:]})


def one_product_broken(rows: pd.DataFrame) -> pd.DataFrame:
    share = np.where(rows["product"] == 3, 1 / 3, 1.0)
    return rows.assign(**{name: rows[name] * share for name in ENDS})


def test_quiet_weeks_raise_no_more_alarms_than_expected(baseline: pd.DataFrame) -> None:
    """In ten times 100 weeks like those of the baseline ten alarms are expected; a test of one per cent allows 18."""
    alarms = [detect_drift(live_scores(after(100, seed)), baseline, PRODUCT) for seed in range(100, 110)]
    assert sum(len({alarm.week for alarm in of_run}) for of_run in alarms) <= 18


@pytest.mark.parametrize(
    ("broken", "statistic", "words"),
    [
        (too_high, "bias", "The forecasts are too high"),
        (too_narrow, "coverage_80", "The 80 % intervals miss too often"),
        (one_product_broken, "coverage_95 of product 3", "The 95 % intervals of brand 3 miss too often"),
    ],
)
def test_a_break_raises_an_alarm_soon(baseline: pd.DataFrame, broken: Break, statistic: str, words: str) -> None:
    """Ten quiet weeks, then the break: one of the first three weeks after it names what broke, and since when."""
    rows = after(20, seed=7)
    since = rows["week"].unique()[10]
    alarms = detect_drift(
        live_scores(pd.concat([rows[rows["week"] < since], broken(rows[rows["week"] >= since])])), baseline, PRODUCT
    )
    assert not [alarm for alarm in alarms if pd.Timestamp(alarm.week) < since]
    (found,) = [alarm for alarm in alarms if alarm.statistic == statistic][:1]
    assert pd.Timestamp(found.week) <= since + pd.Timedelta(weeks=2)
    assert abs(pd.Timestamp(found.since) - since) <= pd.Timedelta(weeks=2)
    assert found.sentence.startswith(words)


def test_a_break_that_lasts_raises_an_alarm_again(baseline: pd.DataFrame) -> None:
    """After an alarm the sum begins anew, and reaches its limit again."""
    alarms = detect_drift(live_scores(too_high(after(12, seed=7))), baseline, PRODUCT)
    assert len([alarm for alarm in alarms if alarm.statistic == "bias"]) >= 3


def test_one_terrible_week_is_no_drift(baseline: pd.DataFrame) -> None:
    """A price war makes forecasts ten times too low for a week; what a single week may count is bounded."""
    rows = after(10, seed=7)
    worst = rows["week"] == rows["week"].unique()[5]
    war = rows.assign(actual=rows["actual"].where(~worst | (rows["product"] > 2), rows["actual"] * 10))
    assert not [alarm for alarm in detect_drift(live_scores(war), baseline, PRODUCT) if "product" in alarm.statistic]


def test_the_values_of_an_alarm_are_shares(baseline: pd.DataFrame) -> None:
    """Forecasts 1.5 times too high: a bias of about one half, where the baseline has about none."""
    alarms = detect_drift(live_scores(too_high(after(6, seed=7))), baseline, PRODUCT)
    alarm = next(alarm for alarm in alarms if alarm.statistic == "bias")
    assert alarm.value == pytest.approx(0.5, abs=0.1)
    assert alarm.expected == pytest.approx(0.0, abs=0.05)
    assert f"{alarm.value:+.0%}" in alarm.sentence


def test_nothing_is_monitored_without_a_baseline_of_enough_weeks(baseline: pd.DataFrame) -> None:
    """Twenty-five weeks are too few to estimate how noisy quiet weeks are."""
    short = baseline[baseline["week"] < FIRST + pd.Timedelta(weeks=25)]
    live = live_scores(too_high(after(6, seed=7)))
    assert detect_drift(live, short, PRODUCT) == detect_drift(live, schemas.BASELINE.empty(), PRODUCT) == []
    assert detect_drift(live.head(0), baseline, PRODUCT) == []


def test_weeks_of_the_baseline_itself_raise_nothing(baseline: pd.DataFrame) -> None:
    """The baseline is not compared with itself."""
    assert detect_drift(live_scores(too_high(backtest_rows(52, seed=1))), baseline, PRODUCT) == []


def test_a_missing_week_leaves_the_sums_as_they_are() -> None:
    """Neither does silence count as good, nor as bad."""
    sums = np.array([0.5, 2.0])
    assert drift.added(sums, np.array([np.nan, 1.25])).tolist() == [0.5, 2.0]
    assert drift.added(sums, np.array([4.0, -4.0])).tolist() == [3.25, 0.0]


def test_of_many_products_the_biggest_are_monitored(baseline: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are more than the limit, the products that sell least are monitored in the total only."""
    monkeypatch.setattr(drift, "MOST_PRODUCTS_MONITORED", 2)
    rows = backtest_rows(30, seed=3)
    rows.loc[rows["product"].isin([2, 5]), "actual"] *= 2
    seen: list[list[str]] = []

    def charts_seen(expected: pd.DataFrame, product: Key) -> Charts:
        seen.append(list(expected))
        return Charts(expected, product)

    monkeypatch.setattr(drift, "Charts", charts_seen)
    detect_drift(live_scores(after(2, seed=4)), baseline_from_backtest(rows), PRODUCT)
    assert [name for name in seen[0] if "product" in name] == ["coverage_95 of product 2", "coverage_95 of product 5"]


def test_the_statistics_of_a_week_by_hand() -> None:
    """Two products, one forecast double, one half: no bias in the mean of their logs, whatever they sell."""
    week = {"week": FIRST, "cutoff": FIRST - pd.Timedelta(weeks=1), "step": 1}
    rows = pd.DataFrame(
        {
            "dimension": ["total", "product", "product"],
            "member": ["", "1", "2"],
            "actual": [1010.0, 1000.0, 10.0],
            "forecast": [2005.0, 2000.0, 5.0],
            "pinball": [101.0, 100.0, 1.0],
            "coverage_80": [0.8, 0.7, 0.9],
            "coverage_95": [0.95, 1.0, 0.9],
        }
    ).assign(**week)
    (found,) = weekly_statistics(rows).to_dict("records")
    assert found["bias"] == pytest.approx(0.0)
    assert found["accuracy"] == pytest.approx(np.log(0.1))
    assert (found["coverage_80"], found["coverage_95 of product 2"]) == (0.8, 0.9)
