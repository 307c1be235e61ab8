"""Drift: scores of published forecasts against their baseline, by a test with a known rate of false alarms.

Each week gives a few statistics of the forecasts that matured in it. They are scaled by the baseline, the same
statistics of a backtest, and each adds to a cumulative sum that grows while the statistic stays on its bad side and
forgets a single bad week (CUSUM: Page 1954, Continuous Inspection Schemes; Hawkins & Olwell 1998, Cumulative Sum
Charts and Charting for Quality Improvement). The limit at which a sum raises an alarm comes from resampling the
baseline in blocks of weeks, so that it reflects the noise of this lake. All sums together raise at most
`MOST_FALSE_ALARMS` in 100 weeks that are like the baseline. Measured rates: docs/monitoring.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from statistics import NormalDist

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Key
from forecasting.core.metrics import score_rows

MIN_BASELINE_WEEKS = 26
MOST_PRODUCTS_MONITORED = 20
QUIET_WEEKS = 100
MOST_FALSE_ALARMS = 1.0  # expected in QUIET_WEEKS; one half by the whole, one half by the products
SLACK = 1.25  # standard deviations a week that a sum forgives: half of the shift that is found soonest
MOST_A_WEEK_COUNTS = 4.0  # standard deviations: a price war is one very bad week, and no drift
LARGEST_LOG_BIAS = 1.0  # one product at a third of its forecast is not yet a bias of the whole
BLOCK = 4  # weeks that are resampled together, as neighbours resemble each other
REPLICATIONS = 400
TAIL = 0.9  # the spread is taken between this quantile, on the bad side, and the middle
OF_PRODUCT = " of product "


@dataclass(frozen=True)
class Alarm:
    """A monitored statistic has left its baseline.

    week: the week that raised it.
    statistic: `accuracy`, `bias`, `coverage_80`, `coverage_95`, or `coverage_95 of product 5`.
    value: the statistic from `since` to `week`, a share: mean pinball loss / sales, forecast / sales − 1 (of both
        the mean over products), or the share of actuals within the interval.
    expected: the same share in the middle week of the baseline.
    since: the week from which the statistic has been on its bad side.
    sentence: the alarm in words.
    """

    week: date
    statistic: str
    value: float
    expected: float
    since: date
    sentence: str


def baseline_from_backtest(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of a backtest by week: table `baseline`.

    Args:
        rows: table `backtest` of one model, whose column `forecast` holds the point that is published.
    """
    return schemas.BASELINE.cast(score_rows(rows, ("total", "product")))


def detect_drift(scores: pd.DataFrame, baseline: pd.DataFrame, product: Key) -> list[Alarm]:
    """Return the alarms that the weeks after the baseline raise, oldest first.

    Only the first step of the baseline counts, as later steps of a week repeat it. A sum that has raised an alarm
    starts again from 0, so that a lasting break raises an alarm every few weeks. A baseline of fewer than
    `MIN_BASELINE_WEEKS` raises none.

    Args:
        scores: table `scores` of the current forecasts, all of the model and point of the baseline.
        baseline: table `baseline`.
        product: of the panel definition, for the sentences.
    """
    expected = baseline[baseline["step"] == baseline["step"].min()]
    if expected["week"].nunique() < MIN_BASELINE_WEEKS:
        return []
    live = scores[(scores["step"] == baseline["step"].min()) & (scores["week"] > expected["week"].max())]
    of_products = expected[expected["dimension"] == "product"].groupby("member")["actual"].sum()
    monitored = ["", *of_products.nlargest(MOST_PRODUCTS_MONITORED).index]
    charts = Charts(weekly_statistics(expected[expected["member"].isin(monitored)]), product)
    return list(charts.alarms(weekly_statistics(live[live["member"].isin(monitored)])))


def weekly_statistics(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the statistics of each week, one column each, oldest week first; accuracy and bias as logs.

    Accuracy and bias are means over the products, as a promotion of one may make half of a week's sales. A single
    product is monitored by the coverage of its intervals, which are wide where it is promoted.

    Args:
        rows: table `baseline` or `scores`, of one step.
    """
    products = rows[(rows["dimension"] == "product") & (rows["actual"] > 0) & (rows["forecast"] > 0)]
    bias = np.log(products["forecast"] / products["actual"]).clip(-LARGEST_LOG_BIAS, LARGEST_LOG_BIAS)
    accuracy = np.log(products["pinball"] / products["actual"])
    whole = rows[rows["dimension"] == "total"].set_index("week")
    of_product = rows[rows["dimension"] == "product"].pivot(index="week", columns="member", values="coverage_95")
    return pd.concat(
        [
            accuracy.groupby(products["week"]).mean().rename("accuracy"),
            bias.groupby(products["week"]).mean().rename("bias"),
            whole[[f"coverage_{level}" for level in schemas.LEVELS]],
            of_product.rename(columns=lambda member: f"coverage_95{OF_PRODUCT}{member}"),
        ],
        axis=1,
    ).sort_index()


class Charts:
    """One cumulative sum for each statistic and bad side, with limits from the baseline."""

    def __init__(self, expected: pd.DataFrame, product: Key) -> None:
        """
        Args:
            expected: the weekly statistics of the baseline.
            product: of the panel definition, for the sentences.
        """
        self._product = product
        self._baseline = expected.loc[:, expected.notna().sum() >= MIN_BASELINE_WEEKS]
        sides = [(name, side) for name in self._baseline for side in _bad_sides(name)]
        self.names = [name for name, _ in sides]
        self._sides = np.array([side for _, side in sides])
        # A week in which a product was not sold counts as a middling one.
        self._sample = self._oriented(self._baseline.fillna(self._baseline.median()))

    def standardised(self, weeks: pd.DataFrame) -> np.ndarray:
        """Return how many standard deviations each statistic is on its bad side; shape (weeks, sums)."""
        return _standardised(self._oriented(weeks), *_middle_and_spread(self._sample))

    @cached_property
    def limits(self) -> np.ndarray:
        """The value at which each sum raises an alarm."""
        rng = np.random.default_rng(0)
        # The baseline is a sample too: each replication draws its own, so that its error counts.
        baselines = self._sample[_blocks(rng, len(self._sample), len(self._sample))]
        weeks = self._sample[_blocks(rng, QUIET_WEEKS, len(self._sample))]
        middle, spread = _middle_and_spread(baselines)
        sums, highest = np.zeros(middle.shape), np.zeros(middle.shape)
        for week in range(QUIET_WEEKS):
            sums = added(sums, _standardised(weeks[:, week], middle, spread))
            highest = np.maximum(highest, sums)
        is_of_product = np.array([OF_PRODUCT in name for name in self.names])
        # Rare alarms are a Poisson process: none in the quiet weeks has the chance exp(−expected number).
        none = np.exp(-MOST_FALSE_ALARMS / 2)
        limits = np.empty(len(self.names))
        for family in (is_of_product, ~is_of_product):
            if family.any():
                limits[family] = np.quantile(highest[:, family].max(axis=1), none)
        return limits

    def alarms(self, live: pd.DataFrame) -> Iterator[Alarm]:
        """Yield the alarms of the weeks, oldest first."""
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
        value, expected = weeks[name].mean(), self._baseline[name].median()
        if name == "accuracy":
            value, expected = np.exp(value), np.exp(expected)
        if name == "bias":
            value, expected = np.expm1(value), np.expm1(expected)
        since, week = weeks.index[0].date(), weeks.index[-1].date()
        sentence = _sentence(name, value, expected, since, self._product)
        return Alarm(week, name, float(value), float(expected), since, sentence)


def added(sums: np.ndarray, scaled: np.ndarray) -> np.ndarray:
    """Return the sums after one more week; a week without a value leaves them as they are."""
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


def _sentence(name: str, value: float, expected: float, since: date, key: Key) -> str:
    kind, _, product = name.partition(OF_PRODUCT)
    if kind == "accuracy":
        return (
            f"The forecasts have become less accurate: since the week of {since} their pinball loss is {value:.1%} "
            f"of sales, where the baseline is {expected:.1%}."
        )
    if kind == "bias":
        side = "high" if value > expected else "low"
        return (
            f"The forecasts are too {side}: since the week of {since} by {value:+.0%} in the mean over the "
            f"{key.words}, where the baseline is {expected:+.0%}."
        )
    whose = f" of {key.named(product)}" if product else ""
    return (
        f"The {kind.removeprefix('coverage_')} % intervals{whose} miss too often: since the week of {since} "
        f"{value:.0%} of actuals lie in them, where the baseline is {expected:.0%}."
    )
