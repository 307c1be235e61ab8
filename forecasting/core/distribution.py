"""The predictive distribution that every model returns, and the points and intervals taken from it.

A model returns equally probable samples, so that the point, the mean and every interval come from one distribution
and cannot contradict each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.contracts.spec import Point

ROW = ["store", "product", "step"]
SMALLEST_SALE = 0.5  # what a week without a sale counts for in logs, where units are whole
LEAST_MEAN = 1e-9  # units: one over less may overflow
NO_SALE = 1.5  # of the smallest sale: halfway between 0.5 and one unit; less is no sale


@dataclass(frozen=True)
class PredictiveDistribution:
    """A predictive distribution for every forecast row.

    frame: one row per (`store`, `product`, `week`, `step`).
    samples: array of shape (rows, n): equally probable values in units, ascending along each row.
    """

    frame: pd.DataFrame
    samples: np.ndarray

    def summarise(self, levels: tuple[int, ...]) -> pd.DataFrame:
        """Return `frame` with a column for every point, and `lo_…` and `hi_…` for every level."""
        columns = {point: point_of(self.samples, point) for point in get_args(Point)}
        for level in levels:
            columns[f"lo_{level}"], columns[f"hi_{level}"] = interval_of(self.samples, level)
        return self.frame.assign(**columns)


def point_of(samples: np.ndarray, point: Point) -> np.ndarray:
    """Return the chosen point of each row's distribution.

    `median` minimises the expected absolute error, `mean` the squared one. `mape` minimises the expected
    absolute percentage error E|y − f| / y, which the median of the samples weighted by 1 / y does
    (Gneiting 2011, Making and Evaluating Point Forecasts, theorem 9).
    """
    if point == "mean":
        return samples.mean(axis=1)
    if point == "median":
        return np.median(samples, axis=1)
    # A week without a sale has no percentage error, so it weighs as one unit does, or as the mean where that is less.
    weights = 1.0 / np.maximum(samples, np.clip(samples.mean(axis=1, keepdims=True), LEAST_MEAN, 1.0))
    cumulated = weights.cumsum(axis=1)
    first_beyond_half = (cumulated < cumulated[:, -1:] / 2).sum(axis=1)
    return np.take_along_axis(samples, first_beyond_half[:, None], axis=1)[:, 0]


def interval_of(samples: np.ndarray, level: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper end of the central interval of `level` percent."""
    tail = (100 - level) / 200
    # Sample i of n stands at the probability (i + 1/2) / n: Hazen's positions.
    lower, upper = np.quantile(samples, [tail, 1 - tail], axis=1, method="hazen")
    return lower, upper


def smallest_sale(definition: PanelDefinition) -> float:
    """Return what a week without a sale counts for in logs, in units; 0 where units have decimals."""
    return SMALLEST_SALE if definition.whole_units else 0.0


def from_logs(log_samples: np.ndarray, smallest: float | np.ndarray = SMALLEST_SALE) -> np.ndarray:
    """Return samples in units from samples of log units; less than `NO_SALE` smallest sales is no sale.

    smallest: `smallest_sale`.
    """
    samples = np.exp(log_samples)
    return np.where(samples < NO_SALE * smallest, 0.0, samples)


def averaged(members: Sequence[PredictiveDistribution], weights: Sequence[float]) -> PredictiveDistribution:
    """Return one distribution from several of the same rows: the weighted mean of the sorted samples, in logs.

    Averaging quantiles keeps the distribution as narrow as its members; mixing the samples would widen it.

    Raises:
        ValueError: the members differ in their rows or in their number of samples.
    """
    frame = members[0].frame
    positive = np.min([np.where(member.samples > 0, member.samples, np.inf).min(axis=1) for member in members], axis=0)
    smallest = np.minimum(positive / NO_SALE, SMALLEST_SALE)[:, None]
    logs = np.zeros_like(members[0].samples)
    for member, weight in zip(members, weights, strict=True):
        if not member.frame[ROW].equals(frame[ROW]):
            raise ValueError("the members of an ensemble must forecast the same rows in the same order")
        logs += weight / sum(weights) * np.log(np.maximum(member.samples, smallest))
    return PredictiveDistribution(frame, from_logs(logs, smallest))
