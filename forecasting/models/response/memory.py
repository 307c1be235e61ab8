"""Candidates: what sales are expected to follow, and how far back the memory of deviations from it reaches.

A candidate's forecast is a basis (the response to offers, the level alone, or last year's season), plus by how much
recent sales ran above it. All are linear in the sales, so faded sums of sales and regressors hold their states. One
more candidate, the last, starts at the last sale: `forecasting.models.response.changes`.

Axes: P products, S stores, K regressors; the first Z have a slope of the store's own, the last is last year's season.
Stores are the last axis, so that what is done to each of them runs through memory in order.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

TINY = 1e-9
FEW_STORES = 4  # with fewer BLAS adds up in another order where other products lie between their rows
RESPONSE, LEVEL, SEASON = range(3)  # bases


@dataclass(frozen=True)
class Response:
    """What is expected of a store: level + x slope + x[:Z] own_slope, in logs."""

    slope: np.ndarray  # (P, K), shared by all stores
    own_slope: np.ndarray  # (Z, P, S), a store's deviation from it
    level: np.ndarray  # (P, S)

    @classmethod
    def level_only(cls, level: np.ndarray, k: int) -> Self:
        """Return the response of stores that react to nothing."""
        return cls(np.zeros((len(level), k)), np.zeros((0, *level.shape)), level)

    @classmethod
    def season(cls, level: np.ndarray, k: int) -> Self:
        """Return the response that repeats last year's season, the last regressor."""
        slope = np.zeros((len(level), k))
        slope[:, -1] = 1.0
        return cls(slope, np.zeros((0, *level.shape)), level)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return expected log sales for regressors (…, K, P, S)."""
        return self._of_regressors(x) + self.level

    def residual(self, sums: np.ndarray) -> np.ndarray:
        """Return the faded sum of log sales minus what was expected, (…, P, S), from sums of [x, log sales, 1]."""
        return sums[..., -2, :, :] - sums[..., -1, :, :] * self.level - self._of_regressors(sums[..., :-2, :, :])

    def _of_regressors(self, x: np.ndarray) -> np.ndarray:
        found = along_regressors(self.slope, x)
        for own_slope, column in zip(self.own_slope, np.moveaxis(x, -3, 0), strict=False):
            found += own_slope * column
        return found


@dataclass(frozen=True)
class Candidate:
    """A basis and its memory.

    half_life: memory of a store's recent deviation from its level, in weeks.
    prior: weeks without deviation that a store's drift starts with.
    chain_half_life: memory of the deviation that all stores share, in weeks.
    chain_kept: share of the recent common deviation that a forecast keeps.
    """

    name: str
    basis: int
    half_life: float
    prior: float
    chain_half_life: float
    chain_kept: float


@dataclass(frozen=True)
class State:
    """How sales run of late against each candidate's basis: faded sums of weights and of misses, each (C, P, S)."""

    drift_weight: np.ndarray
    drift_miss: np.ndarray
    chain_weight: np.ndarray
    chain_miss: np.ndarray

    @classmethod
    def of(cls, weights: np.ndarray, misses: np.ndarray) -> Self:
        """Return the state of weights (L, P, S) and misses of each basis (3, L, P, S), faded by `HALF_LIVES`."""
        return cls(weights[DRIFTS], misses[BASES, DRIFTS], weights[CHAINS], misses[BASES, CHAINS])

    def after(self, weight: np.ndarray, miss: np.ndarray) -> "State":
        """Return the state one week later: weights (P, S), and log sales minus what each basis expected (3, P, S)."""
        missed = weight * miss[BASES]
        return State(
            DRIFT_FADES * self.drift_weight + weight,
            DRIFT_FADES * self.drift_miss + missed,
            CHAIN_FADES * self.chain_weight + weight,
            CHAIN_FADES * self.chain_miss + missed,
        )

    def of_chain(self, pooled: np.ndarray | None = None) -> np.ndarray:
        """Return by how much recent sales of all stores ran above each basis, by its two memories, (P, C, 2).

        pooled: positions of the stores to look at; None for all.
        """
        chosen = slice(None) if pooled is None else pooled
        found = [
            miss[..., chosen].sum(axis=-1) / np.maximum(weight[..., chosen].sum(axis=-1), TINY)
            for miss, weight in ((self.chain_miss, self.chain_weight), (self.drift_miss, self.drift_weight))
        ]
        return np.stack(found, axis=-1).swapaxes(0, 1)

    def deviation(self, of_chain: np.ndarray) -> np.ndarray:
        """Return by how much recent sales ran above each basis: the chain's part and the store's, (C, P, S)."""
        shared, common = np.moveaxis(of_chain, (2, 1), (0, 1))[..., None]
        own = (self.drift_miss - self.drift_weight * common) / (self.drift_weight + PRIORS)
        return KEPT * shared + own


def along_regressors(slope: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the sums over the regressors of `slope` (…, P, K) × `x` (…, K, P, S), (…, P, S)."""
    of_product = x.swapaxes(-3, -2)
    if x.shape[-1] < FEW_STORES:
        of_product = np.ascontiguousarray(of_product)
    return (slope[..., None, :] @ of_product)[..., 0, :]


CANDIDATES = (
    Candidate("response", RESPONSE, 5.0, 3.0, 8.0, 0.6),
    Candidate("shorter memory", RESPONSE, 5.0, 1.0, 1.0, 1.0),
    Candidate("shortest memory", RESPONSE, 1.0, 0.3, 1.0, 1.0),
    Candidate("level", LEVEL, 1.0, 0.1, 1.0, 1.0),
    Candidate("season", SEASON, 5.0, 0.5, 5.0, 1.0),
)
HALF_LIVES = tuple(sorted({h for each in CANDIDATES for h in (each.half_life, each.chain_half_life)}))
# Of each candidate: its basis, and where the half-lives of its two memories stand.
BASES = np.array([each.basis for each in CANDIDATES])
DRIFTS = np.array([HALF_LIVES.index(each.half_life) for each in CANDIDATES])
CHAINS = np.array([HALF_LIVES.index(each.chain_half_life) for each in CANDIDATES])
# Of each candidate, to be multiplied with (C, P, S).
DRIFT_FADES, CHAIN_FADES, PRIORS, KEPT = (
    np.array(values)[:, None, None]
    for values in (
        [0.5 ** (1 / each.half_life) for each in CANDIDATES],
        [0.5 ** (1 / each.chain_half_life) for each in CANDIDATES],
        [each.prior for each in CANDIDATES],
        [each.chain_kept for each in CANDIDATES],
    )
)
