"""From past forecast errors to samples: how large an error is to be expected, and its shape.

Errors are in logs, made on weeks the fit had not seen.  Their size depends on the offer
(a featured week varies several times more than a quiet one); divided by their expected
size they share one shape per product and step.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

SAMPLES = 199
# The half-lives and the weight: least MAPE, then least WAPE, on test weeks 105 to 136 (docs/benchmark.md).
SIZE_HALF_LIFE = 20.0  # weeks; how large errors are changes slowly
SHAPE_HALF_LIFE = 10.0  # weeks; where they centre, a product's recent bias, changes faster
PRIOR_SIZE, PRIOR_COUNT = 0.35, 4.0  # mean absolute log error, and the errors it counts for
RISK_RIDGE = 100.0  # penalty, in errors, on the risk that deal and feat add
SMALLEST_SIZE, LARGEST_SIZE = 0.08, 1.2
NORMAL_ERRORS, NORMAL_WEIGHT = 50, 20.0  # normal errors mixed in, and what each counts for


@dataclass(frozen=True)
class Spread:
    """How large the errors of one product and step are, and their shape.

    coefficients: (R,), of the mean absolute error on the risk, whose first column is one.
    shape: (SAMPLES,), equally probable errors relative to that size, ascending.
    """

    coefficients: np.ndarray
    shape: np.ndarray

    def around(self, forecast: np.ndarray, risk: np.ndarray) -> np.ndarray:
        """Return the sorted log samples (M, SAMPLES) around `forecast` (M,), whose risk is (M, R)."""
        return forecast[:, None] + _size(risk, self.coefficients)[:, None] * self.shape


def learn_spread(errors: np.ndarray, risk: np.ndarray, age: np.ndarray) -> Spread:
    """Return the spread of past `errors` (N,).

    risk: (N, R), first column one; age: (N,) weeks since each error.
    """
    coefficients = _risk_coefficients(risk, np.abs(errors), 0.5 ** (age / SIZE_HALF_LIFE))
    return Spread(coefficients, _shape(errors / _size(risk, coefficients), 0.5 ** (age / SHAPE_HALF_LIFE)))


def _risk_coefficients(risk: np.ndarray, size: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Ridge regression of the absolute error on risk, (R,)."""
    penalty = np.full(risk.shape[1], RISK_RIDGE)
    penalty[0] = PRIOR_COUNT
    prior = np.zeros(risk.shape[1])
    prior[0] = PRIOR_SIZE
    weighted = risk * weight[:, None]
    return np.linalg.solve(weighted.T @ risk + np.diag(penalty), size @ weighted + penalty * prior)


def _size(risk: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    return np.clip(risk @ coefficients, SMALLEST_SIZE, LARGEST_SIZE)


def _shape(scaled_errors: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Equally probable standardised errors, (SAMPLES,); normal where there is little past."""
    normal = ndtri(_middles(NORMAL_ERRORS))
    values = np.concatenate([scaled_errors, normal / np.abs(normal).mean()])
    weights = np.concatenate([weight, np.full(NORMAL_ERRORS, NORMAL_WEIGHT)])
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order])
    position = (cumulated - weights[order] / 2) / cumulated[-1]
    return np.interp(_middles(SAMPLES), position, values[order])


def _middles(count: int) -> np.ndarray:
    """The probabilities that `count` equally probable values stand for."""
    return (np.arange(count) + 0.5) / count
