"""The comparison of a challenger with the champion on the same folds: better only beyond chance."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr

from forecasting.contracts import schemas
from forecasting.core.metrics import pinball_loss

LEVEL = 0.05  # the chance of calling a model better that is no better
FEWEST_WEEKS = 3
CELL = ["cutoff", *schemas.SERIES, "step", "week"]


@dataclass(frozen=True)
class ComparisonResult:
    """How a challenger did against the champion.

    weeks: how many target weeks were compared.
    champion, challenger: mean pinball loss of a forecast, in units, over the same forecasts.
    p_value: the chance of such a gain where both are equally good; 1 where too few weeks differ.
    """

    weeks: int
    champion: float
    challenger: float
    p_value: float
    level: float = LEVEL

    @property
    def is_better(self) -> bool:
        """Whether the challenger is better by more than chance."""
        return self.p_value < self.level

    def __str__(self) -> str:
        if self.weeks < FEWEST_WEEKS:
            return f"only {self.weeks} weeks tell the two apart, {FEWEST_WEEKS} are needed"
        gain = 1 - self.challenger / self.champion if self.champion else 0.0
        return (
            f"pinball loss {self.challenger:.2f} against {self.champion:.2f} units ({abs(gain):.1%} "
            f"{'less' if gain >= 0 else 'more'}) over {self.weeks} weeks, p = {self.p_value:.3f} "
            f"({'' if self.is_better else 'not '}below {self.level:.3g})"
        )


def compare(champion: pd.DataFrame, challenger: pd.DataFrame, *, lags: int, level: float = LEVEL) -> ComparisonResult:
    """Hold a challenger against the champion, week by week.

    Args:
        champion: table `backtest` of one model.
        challenger: the same of the other; forecasts that only one of them has do not count.
        lags: how many weeks ahead the furthest forecast lies; losses of weeks less far apart may be related.
        level: below which chance is not believed; divide it by the number of challengers.
    """
    both = _losses(champion).merge(_losses(challenger), on=CELL, suffixes=("_champion", "_challenger"))
    by_week = both.groupby("week")[["loss_champion", "loss_challenger"]].mean()
    # Weeks in which both are the very same forecasts tell nothing of either.
    by_week = by_week[by_week["loss_champion"] != by_week["loss_challenger"]]
    gains = (by_week["loss_champion"] - by_week["loss_challenger"]).to_numpy()
    means = by_week.mean().fillna(0.0)
    return ComparisonResult(
        len(gains),
        float(means["loss_champion"]),
        float(means["loss_challenger"]),
        chance_of_gain(gains, lags=lags),
        level,
    )


def chance_of_gain(gains: np.ndarray, *, lags: int) -> float:
    """The chance of a mean gain as high as this where the true one is zero or less.

    The test of Diebold & Mariano (1995, Comparing Predictive Accuracy) with the correction of Harvey, Leybourne &
    Newbold (1997) for few observations, one-sided. Autocovariances count up to `lags` - 1, and only where they
    are positive: from few weeks negative ones are mostly noise, and would promote too often
    (benchmarks/promotion.py measures how often).

    Args:
        gains: loss of the one minus loss of the other, one value a week, in their order.

    Returns:
        A p-value; 1 where there are fewer than `FEWEST_WEEKS`.
    """
    n = len(gains)
    if n < FEWEST_WEEKS:
        return 1.0
    centred = gains - gains.mean()
    variance = centred @ centred / n
    for lag in range(1, min(lags, n)):
        variance += 2 * max(centred[lag:] @ centred[:-lag] / n, 0.0)
    if variance == 0:
        return 0.0 if gains.mean() > 0 else 1.0
    correction = (n + 1 - 2 * lags + lags * (lags - 1) / n) / n
    statistic = gains.mean() / np.sqrt(variance / n) * np.sqrt(max(correction, 0.0))
    # Of scipy.stats the import alone takes longer than an evaluation.
    return float(stdtr(n - 1, -statistic))


def _losses(rows: pd.DataFrame) -> pd.DataFrame:
    """The pinball loss of each forecast in units, its median taken as the point."""
    point = rows.assign(forecast=rows["median"])
    return rows[CELL].assign(loss=pinball_loss(point))
