"""The predictive distribution that every model returns, and the points and intervals taken from it.

A model answers with equally probable draws, so that the point, the mean and every interval come from
one distribution and cannot contradict each other.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecasting.spec import Point


@dataclass(frozen=True)
class Predictive:
    """A predictive distribution for every forecast row.

    frame: one row per (`store`, `brand`, `week`, `step`).
    draws: array of shape (rows, n): equally probable values in cartons, ascending along each row.
    """

    frame: pd.DataFrame
    draws: np.ndarray

    def summarise(self, point: Point, levels: tuple[int, ...]) -> pd.DataFrame:
        """`frame` with the columns `forecast`, and `lo_…` and `hi_…` for every level."""
        columns = {"forecast": point_of(self.draws, point)}
        for level in levels:
            columns[f"lo_{level}"], columns[f"hi_{level}"] = interval_of(self.draws, level)
        return self.frame.assign(**columns)


def point_of(draws: np.ndarray, point: Point) -> np.ndarray:
    """The chosen point of each row's distribution.

    `median` minimises the expected absolute error, `mean` the squared one. `mape` minimises the expected
    absolute percentage error E|y − f| / y, which the median of the draws weighted by 1 / y does
    (Gneiting 2011, Making and Evaluating Point Forecasts, theorem 9).
    """
    if point == "mean":
        return draws.mean(axis=1)
    if point == "median":
        return np.median(draws, axis=1)
    # Sales are whole cartons; a week without any has no percentage error, so it weighs as one carton does.
    weights = 1.0 / np.maximum(draws, 1.0)
    cumulated = weights.cumsum(axis=1)
    first_beyond_half = (cumulated < cumulated[:, -1:] / 2).sum(axis=1)
    return np.take_along_axis(draws, first_beyond_half[:, None], axis=1)[:, 0]


def interval_of(draws: np.ndarray, level: int) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper end of the central interval of `level` percent."""
    tail = (100 - level) / 200
    # Draw i of n stands at the probability (i + 1/2) / n: Hazen's positions.
    lower, upper = np.quantile(draws, [tail, 1 - tail], axis=1, method="hazen")
    return lower, upper
