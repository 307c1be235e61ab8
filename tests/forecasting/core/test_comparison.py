"""The comparison with the champion: better only beyond chance."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.calendar import WEEK
from forecasting.core.comparison import FEWEST_WEEKS, chance_of_gain, compare

START = date(1992, 1, 2)


def rows_of(errors: list[float], *, stores: int = 3) -> pd.DataFrame:
    """Table `backtest`: in week w every forecast misses 100 sold cartons by errors[w]."""
    rows = [
        {"cutoff": START + WEEK * w, "week": START + WEEK * (w + 1), "store": store, "missed_by": missed_by}
        for w, missed_by in enumerate(errors)
        for store in range(1, stores + 1)
    ]
    frame = pd.DataFrame(rows).assign(model="m", product=1, step=1, reason=None, actual=100, promoted=False)
    for name in ("forecast", "median", "mean", "mape"):
        frame[name] = 100 + frame["missed_by"]
    for level in schemas.LEVELS:
        frame[f"lo_{level}"], frame[f"hi_{level}"] = 100.0, 100.0
    return orange_juice.BACKTEST.cast(frame)


def test_without_lags_it_is_the_paired_t_test() -> None:
    """One step ahead, Diebold & Mariano with the correction is the one-sided t test of the gains."""
    gains = np.array([0.3, -0.1, 0.4, 0.2, 0.0, 0.5])
    expected = stats.ttest_1samp(gains, 0, alternative="greater").pvalue
    assert chance_of_gain(gains, lags=1) == pytest.approx(expected)


def test_a_hand_worked_example_with_a_lag() -> None:
    """Gains 1, 2, 3, 4: variance 1.25 + 2 × 0.3125, statistic 2.5 / √(1.875 / 4) × √((4 + 1 − 4 + 0.5) / 4)."""
    statistic = 2.5 / np.sqrt(1.875 / 4) * np.sqrt(1.5 / 4)
    assert chance_of_gain(np.array([1.0, 2, 3, 4]), lags=2) == pytest.approx(stats.t.sf(statistic, df=3))


def test_negative_autocovariance_does_not_make_it_surer() -> None:
    """Gains that go up and down are trusted no more than independent ones."""
    gains = np.array([0.5, 0.1, 0.5, 0.1, 0.5, 0.1])
    assert chance_of_gain(gains, lags=2) > chance_of_gain(gains, lags=1)


@pytest.mark.parametrize("count", range(FEWEST_WEEKS))
def test_too_few_weeks_decide_nothing(count: int) -> None:
    """However large the gain."""
    assert chance_of_gain(np.full(count, 100.0) + np.arange(count), lags=1) == 1.0


def test_a_better_model_is_found_and_a_worse_one_is_not() -> None:
    """Missing by 10 instead of 30 cartons in eight weeks decides; the other way round it does not."""
    good, bad = rows_of([9, 10, 11, 10, 9, 12, 10, 11]), rows_of([30, 28, 33, 31, 29, 30, 32, 28])
    assert compare(bad, good, lags=2).is_better
    result = compare(good, bad, lags=2)
    assert not result.is_better
    assert result.p_value > 0.95
    # The mean over the five quantiles of a miss by e: e/2 for the point, 0.9 e, 0.1 e, 0.975 e, 0.025 e are 0 here.
    assert result.champion == pytest.approx(np.mean([9, 10, 11, 10, 9, 12, 10, 11]) / 2 / 5)


def test_the_same_forecasts_decide_nothing() -> None:
    """Weeks in which both are one model count neither for nor against."""
    same = rows_of([10.0] * 10)
    result = compare(same, same, lags=2)
    assert (result.weeks, result.is_better) == (0, False)
    assert "only 0 weeks tell the two apart" in str(result)
    mixed = rows_of([10.0] * 8 + [5.0, 5.5])
    assert compare(same, mixed, lags=2).weeks == 2


def test_only_what_both_have_forecast_counts() -> None:
    """A challenger that lacks the hard store is not better for it."""
    champion, challenger = rows_of([10, 11, 12, 13, 14]), rows_of([12, 13, 14, 15, 16])
    champion.loc[champion["store"] == 3, "median"] = 1_000.0
    few = challenger[challenger["store"] != 3]
    assert not compare(champion, few, lags=1).is_better


def test_a_stricter_level_asks_for_more() -> None:
    """With several challengers the level is shared among them."""
    champion, challenger = rows_of([10.0, 12, 11, 10, 12]), rows_of([8.0, 11.5, 10.5, 7, 11.9])
    result = compare(champion, challenger, lags=1)
    assert result.is_better
    assert not compare(champion, challenger, lags=1, level=result.p_value / 2).is_better


def test_a_test_of_nothing_finds_nothing_most_of_the_time() -> None:
    """Over 2,000 pairs that are equally good, at most one in twenty is called better."""
    values = np.random.default_rng(5)
    found = np.mean([chance_of_gain(values.normal(size=12), lags=2) < 0.05 for _ in range(2_000)])
    assert 0.005 < found <= 0.05
