"""From past forecast errors to samples: how large an error is to be expected, and its shape.

Errors are in logs, made on weeks the fit had not seen.  Their size depends on the offer
(a featured week varies several times more than a quiet one) and on the store; divided by
their expected size they share one shape per product and step.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import ndtri

SAMPLES = 199
TINY = 1e-9
# The half-lives and the weight: least MAPE, then least WAPE, on test weeks 105 to 136 (docs/benchmark.md).
SIZE_HALF_LIFE = 20.0  # weeks; how large errors are changes slowly
SHAPE_HALF_LIFE = 10.0  # weeks; where they centre, a product's recent bias, changes faster
PRIOR_SIZE, PRIOR_COUNT = 0.35, 4.0  # mean absolute log error, and the errors it counts for
RISK_RIDGE = 100.0  # penalty, in errors, on the risk that promotions add
STORE_PRIOR = 10.0  # errors of the product's size that a store's own size starts with
SMALLEST_SIZE, LARGEST_SIZE = 0.01, 1.2
NORMAL_ERRORS = 50  # normal errors mixed in
NORMAL_SHARE, FEWEST_NORMAL = 0.8, 30.0  # what they count for together: relative to the errors, and at least


@dataclass(frozen=True)
class Spread:
    """How large the errors of one product and step are, and their shape.

    coefficients: (R,), of the mean absolute error on the risk, whose first column is one.
    shape: (SAMPLES,), equally probable errors relative to that size, ascending.
    store: (S,), size of a store's errors relative to the product's.
    """

    coefficients: np.ndarray
    shape: np.ndarray
    store: np.ndarray

    def around(self, forecast: np.ndarray, risk: np.ndarray, unsold: np.ndarray) -> np.ndarray:
        """Return the sorted log samples (S, SAMPLES) around `forecast` (S,), whose risk is (S, R).

        unsold: how probable a week without a sale is, (S,); such samples are minus infinity.
        """
        # Where in the shape the probabilities beyond the weeks without a sale lie; without those, at every sample.
        beyond = (_middles(SAMPLES) - unsold[:, None]) / np.maximum(1 - unsold[:, None], TINY)
        position = np.clip(beyond * SAMPLES - 0.5, 0, SAMPLES - 1)
        low = np.minimum(position.astype(int), SAMPLES - 2)
        part = position - low
        shape = np.where(unsold[:, None] > 0, (1 - part) * self.shape[low] + part * self.shape[low + 1], self.shape)
        samples = forecast[:, None] + _size(risk, self.coefficients, self.store)[:, None] * shape
        return np.where(beyond > 0, samples, -np.inf)


@dataclass(frozen=True)
class ProductSpread:
    """What the stores of a product share of the spread: `coefficients` and `shape` of `Spread`.

    prior: expected sizes of errors, added up, that a store's own errors start with.
    """

    coefficients: np.ndarray
    shape: np.ndarray
    prior: float

    def as_row(self) -> np.ndarray:
        """Return all in one array."""
        return np.concatenate([[self.prior], self.shape, self.coefficients])

    @classmethod
    def of_row(cls, row: np.ndarray) -> Self:
        """Return the inverse of `as_row`."""
        return cls(row[1 + SAMPLES :], row[1 : 1 + SAMPLES], float(row[0]))

    def of_stores(self, errors: np.ndarray, risk: np.ndarray, age: np.ndarray) -> Spread:
        """Return the spread of stores with these past errors; arguments as of `learn_spread`."""
        filled, recent = _recent(errors, age)
        store = _store_sizes(np.abs(filled), _size(risk, self.coefficients), recent, self.prior)
        return Spread(self.coefficients, self.shape, store)


def learn_spread(errors: np.ndarray, risk: np.ndarray, age: np.ndarray) -> ProductSpread:
    """Return the spread of past `errors` (N, S), NaN where there is none.

    risk: (N, S, R), first column one; age: (N,) weeks since each error.
    """
    known = ~np.isnan(errors)
    filled, recent = _recent(errors, age)
    coefficients = _risk_coefficients(risk, np.abs(filled), recent)
    expected = _size(risk, coefficients)
    prior = STORE_PRIOR * (recent * expected).sum(axis=0).sum() / max(recent.sum(), 1.0)
    store = _store_sizes(np.abs(filled), expected, recent, prior)
    scaled = (filled / _size(risk, coefficients, store))[known]
    weight = (known * 0.5 ** (age / SHAPE_HALF_LIFE)[:, None])[known]
    return ProductSpread(coefficients, _shape(scaled, weight), float(prior))


def _recent(errors: np.ndarray, age: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the errors, 0 where there is none, and how much each counts for its size, (N, S)."""
    known = ~np.isnan(errors)
    return np.where(known, errors, 0.0), known * 0.5 ** (age / SIZE_HALF_LIFE)[:, None]


def _risk_coefficients(risk: np.ndarray, size: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Ridge regression of the absolute error on risk, (R,)."""
    penalty = np.full(risk.shape[-1], RISK_RIDGE)
    penalty[0] = PRIOR_COUNT
    prior = np.zeros(risk.shape[-1])
    prior[0] = PRIOR_SIZE
    rows = risk.reshape(-1, risk.shape[-1])
    weighted = rows * weight.reshape(-1, 1)
    return np.linalg.solve(weighted.T @ rows + np.diag(penalty), size.ravel() @ weighted + penalty * prior)


def _store_sizes(size: np.ndarray, expected: np.ndarray, weight: np.ndarray, prior: float) -> np.ndarray:
    """Size of each store's errors relative to what is expected of the product, shrunk to it, (S,)."""
    total, usual = (weight * size).sum(axis=0), (weight * expected).sum(axis=0)
    return (total + prior) / (usual + prior) if prior > 0 else np.ones(size.shape[1])


def _size(risk: np.ndarray, coefficients: np.ndarray, store: np.ndarray | float = 1.0) -> np.ndarray:
    return np.clip((risk @ coefficients) * store, SMALLEST_SIZE, LARGEST_SIZE)


def _shape(scaled_errors: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Equally probable standardised errors, (SAMPLES,); normal where there is little past."""
    normal = ndtri(_middles(NORMAL_ERRORS))
    values = np.concatenate([scaled_errors, normal / np.abs(normal).mean()])
    of_normal = max(NORMAL_SHARE * weight.sum(), FEWEST_NORMAL)
    weights = np.concatenate([weight, np.full(NORMAL_ERRORS, of_normal / NORMAL_ERRORS)])
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order])
    position = (cumulated - weights[order] / 2) / cumulated[-1]
    return np.interp(_middles(SAMPLES), position, values[order])


def _middles(count: int) -> np.ndarray:
    """The probabilities that `count` equally probable values stand for."""
    return (np.arange(count) + 0.5) / count
