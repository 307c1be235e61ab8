"""Drift: live forecasts against what a backtest promised, by a test that knows its false-alarm rate.

Each week gives a few statistics of the forecasts that matured in it. They are put on the scale of the promise,
which is the same statistics of a backtest, and each feeds a cumulative sum, which grows while the statistic stays
on its bad side and forgets a single bad week (CUSUM: Page 1954, Continuous Inspection Schemes; Hawkins & Olwell
1998, Cumulative Sum Charts and Charting for Quality Improvement). The limit at which a sum raises an alarm comes
from resampling the promise in blocks of weeks, so that it knows this lake's noise, and all sums together raise at
most `MOST_FALSE_ALARMS` in 100 weeks that are like the promised ones. What was measured: docs/monitoring.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from statistics import NormalDist

import numpy as np
import pandas as pd

from forecasting import schemas
from forecasting.monitor import score_rows

FEWEST_WEEKS_PROMISED = 26
MOST_BRANDS_WATCHED = 20
QUIET_WEEKS = 100
MOST_FALSE_ALARMS = 1.0  # expected in QUIET_WEEKS; one half by the whole, one half by the brands
SLACK = 1.25  # standard deviations a week that a sum forgives: half of the shift that is found soonest
MOST_A_WEEK_COUNTS = 4.0  # standard deviations: a price war is one very bad week, and no drift
LARGEST_LOG_BIAS = 1.0  # one brand at a third of its forecast is not yet a bias of the whole
BLOCK = 4  # weeks that are resampled together, as neighbours resemble each other
REPLICATIONS = 400
TAIL = 0.9  # the spread is taken between this quantile, on the bad side, and the middle
OF_BRAND = " of brand "


@dataclass(frozen=True)
class Alarm:
    """That forecasts are no longer what was promised.

    week: the week that raised it.
    statistic: `accuracy`, `bias`, `coverage_80`, `coverage_95`, or `coverage_95 of brand 5`.
    value: the statistic from `since` to `week`, a share: mean pinball loss / sales, forecast / sales − 1 (of both
        the mean over brands), or the share of actuals within the interval.
    promised: the same share, as the backtest's middle week had it.
    since: the week from which the statistic has been on its bad side.
    sentence: for people.
    """

    week: date
    statistic: str
    value: float
    promised: float
    since: date
    sentence: str


def promise_of(rows: pd.DataFrame) -> pd.DataFrame:
    """What a backtest promises: table `promise`.

    Args:
        rows: table `backtest` of one model, whose column `forecast` holds the point that is published.
    """
    return schemas.PROMISE.cast(score_rows(rows, ("total", "brand")))


def watch(scores: pd.DataFrame, promise: pd.DataFrame) -> list[Alarm]:
    """The alarms that the weeks after the promise raise, oldest first.

    Only the first step that is promised counts: later steps of a week tell the same story again. A sum that has
    raised an alarm begins anew, so that a break that lasts is told again every few weeks. Nothing is raised where
    the promise has too few weeks to know its noise.

    Args:
        scores: table `scores` of the runs in force, all of the model and point that the promise is of.
        promise: table `promise`.
    """
    promised = promise[promise["step"] == promise["step"].min()]
    if promised["week"].nunique() < FEWEST_WEEKS_PROMISED:
        return []
    live = scores[(scores["step"] == promise["step"].min()) & (scores["week"] > promised["week"].max())]
    of_brands = promised[promised["dimension"] == "brand"].groupby("member")["actual"].sum()
    watched = ["", *of_brands.nlargest(MOST_BRANDS_WATCHED).index]
    charts = Charts(weekly_statistics(promised[promised["member"].isin(watched)]))
    return list(charts.alarms(weekly_statistics(live[live["member"].isin(watched)])))


def weekly_statistics(rows: pd.DataFrame) -> pd.DataFrame:
    """The statistics of each week, one column each, oldest week first; accuracy and bias as logs.

    Accuracy and bias are means over the brands: a promotion of one may make half of a week's sales. A brand is
    watched by the coverage of its intervals, which are wide where it is promoted.

    Args:
        rows: table `promise` or `scores`, of one step.
    """
    brands = rows[(rows["dimension"] == "brand") & (rows["actual"] > 0) & (rows["forecast"] > 0)]
    bias = np.log(brands["forecast"] / brands["actual"]).clip(-LARGEST_LOG_BIAS, LARGEST_LOG_BIAS)
    accuracy = np.log(brands["pinball"] / brands["actual"])
    whole = rows[rows["dimension"] == "total"].set_index("week")
    of_brand = rows[rows["dimension"] == "brand"].pivot(index="week", columns="member", values="coverage_95")
    return pd.concat(
        [
            accuracy.groupby(brands["week"]).mean().rename("accuracy"),
            bias.groupby(brands["week"]).mean().rename("bias"),
            whole[[f"coverage_{level}" for level in schemas.LEVELS]],
            of_brand.rename(columns=lambda member: f"coverage_95{OF_BRAND}{member}"),
        ],
        axis=1,
    ).sort_index()


class Charts:
    """One cumulative sum for each statistic and bad side, with limits from what was promised."""

    def __init__(self, promised: pd.DataFrame) -> None:
        """`promised`: the weekly statistics of the promise."""
        self._promised = promised.loc[:, promised.notna().sum() >= FEWEST_WEEKS_PROMISED]
        sides = [(name, side) for name in self._promised for side in _bad_sides(name)]
        self.names = [name for name, _ in sides]
        self._sides = np.array([side for _, side in sides])
        # A week in which a brand was not sold counts as a middling one.
        self._sample = self._oriented(self._promised.fillna(self._promised.median()))

    def standardised(self, weeks: pd.DataFrame) -> np.ndarray:
        """How many standard deviations each statistic lies on its bad side; shape (weeks, sums)."""
        return _standardised(self._oriented(weeks), *_middle_and_spread(self._sample))

    @cached_property
    def limits(self) -> np.ndarray:
        """The height at which each sum raises an alarm."""
        rng = np.random.default_rng(0)
        # The promise is a sample too: each replication has one of its own, so that its error counts.
        promises = self._sample[_blocks(rng, len(self._sample), len(self._sample))]
        weeks = self._sample[_blocks(rng, QUIET_WEEKS, len(self._sample))]
        middle, spread = _middle_and_spread(promises)
        sums, highest = np.zeros(middle.shape), np.zeros(middle.shape)
        for week in range(QUIET_WEEKS):
            sums = added(sums, _standardised(weeks[:, week], middle, spread))
            highest = np.maximum(highest, sums)
        is_of_brand = np.array([OF_BRAND in name for name in self.names])
        # Rare alarms are a Poisson process: none in the quiet weeks has the chance exp(−expected number).
        none = np.exp(-MOST_FALSE_ALARMS / 2)
        limits = np.empty(len(self.names))
        for family in (is_of_brand, ~is_of_brand):
            if family.any():
                limits[family] = np.quantile(highest[:, family].max(axis=1), none)
        return limits

    def alarms(self, live: pd.DataFrame) -> Iterator[Alarm]:
        """Go through the weeks, and raise what they raise."""
        sums, since = np.zeros(len(self.names)), np.zeros(len(self.names), dtype=int)
        for position, scaled in enumerate(self.standardised(live)):
            since[sums == 0] = position
            sums = added(sums, scaled)
            for number in np.flatnonzero((sums >= self.limits) & (sums > 0)):
                yield self._alarm(self.names[number], live.iloc[since[number] : position + 1])
                sums[number] = 0.0

    def _oriented(self, weeks: pd.DataFrame) -> np.ndarray:
        """Values of the statistics, turned so that more is worse."""
        return weeks.reindex(columns=self.names).to_numpy() * self._sides

    def _alarm(self, name: str, weeks: pd.DataFrame) -> Alarm:
        value, promised = weeks[name].mean(), self._promised[name].median()
        if name == "accuracy":
            value, promised = np.exp(value), np.exp(promised)
        if name == "bias":
            value, promised = np.expm1(value), np.expm1(promised)
        since, week = weeks.index[0].date(), weeks.index[-1].date()
        return Alarm(week, name, float(value), float(promised), since, _sentence(name, value, promised, since))


def added(sums: np.ndarray, scaled: np.ndarray) -> np.ndarray:
    """The sums after one more week; a week without a value leaves them as they are."""
    return np.where(np.isnan(scaled), sums, np.maximum(sums + scaled - SLACK, 0.0))


def _bad_sides(name: str) -> tuple[int, ...]:
    if name == "bias":
        return (1, -1)
    return (1,) if name == "accuracy" else (-1,)


def _blocks(rng: np.random.Generator, weeks: int, sample: int) -> np.ndarray:
    """Positions in a sample, in blocks of neighbours that may run over its end; shape (REPLICATIONS, weeks)."""
    starts = rng.integers(sample, size=(REPLICATIONS, -(-weeks // BLOCK), 1))
    return ((starts + np.arange(BLOCK)) % sample).reshape(REPLICATIONS, -1)[:, :weeks]


def _middle_and_spread(sample: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median, and the standard deviation of the bad side, as far as a tail like this can have one."""
    middle, tail = np.quantile(sample, [0.5, TAIL], axis=-2)
    return middle, np.maximum((tail - middle) / NormalDist().inv_cdf(TAIL), 1e-9)


def _standardised(values: np.ndarray, middle: np.ndarray, spread: np.ndarray) -> np.ndarray:
    return np.clip((values - middle) / spread, -MOST_A_WEEK_COUNTS, MOST_A_WEEK_COUNTS)


def _sentence(name: str, value: float, promised: float, since: date) -> str:
    kind, _, brand = name.partition(OF_BRAND)
    if kind == "accuracy":
        return (
            f"The forecasts have become less accurate: since the week of {since} their pinball loss is {value:.1%} "
            f"of sales, where the backtest promised {promised:.1%}."
        )
    if kind == "bias":
        side = "high" if value > promised else "low"
        return (
            f"The forecasts are too {side}: since the week of {since} by {value:+.0%} in the mean over the brands, "
            f"where the backtest promised {promised:+.0%}."
        )
    whose = f" of brand {brand}" if brand else ""
    return (
        f"The {kind.removeprefix('coverage_')} % intervals{whose} miss too often: since the week of {since} "
        f"{value:.0%} of what was sold lies in them, where the backtest promised {promised:.0%}."
    )
