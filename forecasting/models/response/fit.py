"""Rolling ridge regression: one pass over the weeks gives the forecasts of every origin.

All that a fit needs are weighted sums of products, and those of week t are the sums of
week t - 1, faded, plus the week's own.  So a refit costs one small linear solve, and the
errors of past forecasts, from which the spread is estimated, cost almost nothing.

Axes: W weeks, P products that are fitted at once and do not depend on each other, S stores, K regressors, of which
the first Z have a slope of the store's own and the last is last year's season; C candidates.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from forecasting.models.response.changes import Changes, ChangeSlopes, ChangeState
from forecasting.models.response.memory import (
    BASES,
    CANDIDATES,
    HALF_LIVES,
    LEVEL,
    RESPONSE,
    SEASON,
    Response,
    State,
    along_regressors,
)
from forecasting.models.response.season import COLUMNS
from forecasting.models.response.shared import Shared
from forecasting.models.response.sums import ProductSums, StoreSums

TINY = 1e-9
SMALLEST_SPREAD = 0.005  # a regressor that varies less is a constant


@dataclass(frozen=True)
class FitOptions:
    """Tuned on test weeks 105 to 136; docs/benchmark.md shows what each is worth."""

    half_life: float = 90.0
    """Weeks after which an observation counts half."""
    shock: float = 0.11
    """Variance of what all stores share in a week, relative to a store's own noise."""
    ridge_weeks: float = 50.0
    """Penalty on a regressor of unit variance, in weeks of the whole chain."""
    outlier: float = 0.5
    """Log points by which a forecast may miss before the sale counts less (Huber)."""
    slope_ridge: float = 30.0
    """Penalty on a store's own deviation in slope, in weeks."""
    level_prior: float = 2.0
    """Weeks of the chain's level that a store's own level starts with."""
    first_fit: int = 3
    """Weeks of history before the first fit."""
    refit_every: int = 2
    """Weeks between refits; today is always one.  In between the last slopes serve."""
    beyond: float = 0.7
    """Log points by which a forecast may exceed what the product ever did, up or down."""


@dataclass(frozen=True)
class Scale:
    """What brings regressors to mean zero and unit variance."""

    centre: np.ndarray  # (P, K)
    factor: np.ndarray  # (P, K), zero where a regressor does not vary

    def __call__(self, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return regressors (…, K, P, S), scaled; in `out`, where that is given."""
        centred = np.subtract(x, self.centre.T[..., None], out=out)
        return np.multiply(centred, self.factor.T[..., None], out=centred)


@dataclass(frozen=True)
class RollingFit:
    """The log forecasts of every origin, and what the last of them was made of."""

    forecasts: np.ndarray  # (origins, C, H, P, S); NaN before the first fit and where origin + step is beyond the weeks
    scale: Scale
    responses: tuple[Response, ...]  # by basis
    state: State
    changing: np.ndarray  # (F,), positions of the regressors whose changes count
    change_slopes: ChangeSlopes
    change_state: ChangeState
    lowest: np.ndarray  # (P, S), bounds of a forecast
    highest: np.ndarray  # (P, S)


def rolling_fit(
    x: np.ndarray,
    penalty: np.ndarray,
    y: np.ndarray,
    steps: np.ndarray,
    last: int,
    o: FitOptions,
    own_slopes: int,
    changing: np.ndarray,
    shared: Shared,
) -> RollingFit:
    """Fit and forecast at the end of each week 0 ... last.

    x: (W, K, P, S) regressors, the last of which is on its own scale; penalty: (K,), relative; y: (W, P, S) log sales,
    NaN where unseen; changing: positions of the regressors whose changes sales follow, with last year's season at the
    end; shared: learns what all stores share from these, or recalls what others taught.
    """
    weeks, k, n_products, stores = x.shape
    seen = ~np.isnan(y[: last + 1])
    scale = Scale(*shared("scale", lambda: _scale(x)).swapaxes(0, 1))
    columns = _columns(x, y, seen, scale)
    x, y = columns[:, :k], columns[: last + 1, k]
    followed = x[:, changing]
    changes = Changes(followed, y, seen, steps, shared)
    products = ProductSums(o.half_life, o.shock, n_products, stores, k)
    of_stores = StoreSums((o.half_life, *HALF_LIVES), own_slopes, k, n_products, stores)
    recent = _Recent(o.half_life, n_products, stores)
    fits = _fit_weeks(last, o)
    weights = np.zeros(y.shape)
    lowest, highest = np.zeros(n_products), np.zeros(n_products)  # deviations from a store's mean, ever
    forecasts = np.full((last + 1, len(CANDIDATES) + 1, len(steps), n_products, stores), np.nan)
    added = fitted = 0  # weeks whose columns are in the sums, and the last one before which slopes were fitted
    expected = y[:0]  # by the response, of the weeks after that
    for t in range(last + 1):
        w = seen[t] * huber_weight(y[t], _forecast_for(forecasts, t, int(steps[0])), o.outlier)
        weights[t] = w
        changes.add(t)
        recent.add(w, columns[t, k - 1 :])
        if added:
            recent.add_misses(w, y[t] - expected[t - fitted - 1])
        mean = recent.mean(shared)
        ends = shared("extremes", partial(_extremes, np.where(seen[t], y[t] - mean, 0.0)))
        lowest, highest = np.minimum(lowest, ends[:, 0]), np.maximum(highest, ends[:, 1])
        if t in fits:
            new = slice(added, t + 1)
            weighted = weights[new, None] * columns[new]
            of_stores.add(columns[new], weighted)
            if shared.learning:
                products.add(weights[new], columns[new], weighted)
            slope = shared("slope", partial(_shared_slope, products, penalty, o))
            response, recent.misses = _respond(slope, of_stores, o, shared)
            slopes = changes.slopes()
            added, fitted = t + 1, t
            expected = response(x[t + 1 : t + o.refit_every + int(steps[-1])])
        if added:
            season = recent.season()
            state, change_state = recent.state(mean, season), changes.state(t, slopes)
            ahead = t + steps[t + steps < weeks]
            bounds = mean + lowest[:, None] - o.beyond, mean + highest[:, None] + o.beyond
            basis = np.empty((3, len(ahead), *mean.shape))
            basis[RESPONSE], basis[LEVEL] = expected[ahead - fitted - 1], mean
            np.add(x[ahead, -1], season, out=basis[SEASON])
            of_chain = shared("deviation", state.of_chain)
            found = basis[BASES] + state.deviation(of_chain)[:, None]
            np.clip(found, *bounds, out=forecasts[t, :-1, : len(ahead)])
            np.clip(change_state.forecast(slopes, followed[ahead]), *bounds, out=forecasts[t, -1, : len(ahead)])
    responses = response, Response.level_only(mean, k), Response.season(season, k)
    return RollingFit(forecasts, scale, responses, state, changing, slopes, change_state, *bounds)


class _Recent:
    """What is updated every week: faded sums by half-life, the longest first, (1 + L, P, S).

    misses: log sales minus what the response of the last fit expected, without the longest, (L, P, S).
    """

    def __init__(self, half_life: float, products: int, stores: int) -> None:
        self._fades = 0.5 ** (1 / np.array([half_life, *HALF_LIVES]))[:, None, None, None]
        self._sums = np.zeros((len(self._fades), 3, products, stores))  # of last year's season, log sales, and weights
        self.misses = np.zeros((len(HALF_LIVES), products, stores))

    def add(self, w: np.ndarray, columns: np.ndarray) -> None:
        """Add a week: its weights (P, S), and the last three columns (3, P, S)."""
        self._sums *= self._fades
        self._sums += w * columns

    def add_misses(self, w: np.ndarray, miss: np.ndarray) -> None:
        """Add a week's misses, (P, S)."""
        self.misses = self._fades[1:, 0] * self.misses + w * miss

    def mean(self, shared: Shared) -> np.ndarray:
        """Return the mean of each store, the chain's where it has none, (P, S)."""
        _, wy, w = self._sums[0]
        chain = shared("mean", lambda: wy.sum(axis=1) / np.maximum(w.sum(axis=1), TINY))
        return np.where(w > 0, wy / np.maximum(w, TINY), chain[:, None])

    def season(self) -> np.ndarray:
        """Return the level of each store around last year's season, (P, S)."""
        season, wy, w = self._sums[0]
        return (wy - season) / np.maximum(w, TINY)

    def state(self, mean: np.ndarray, season: np.ndarray) -> State:
        """Return how sales run of late against each basis: the response, the mean, last year's season and its level."""
        of_season, wy, w = self._sums[1:].swapaxes(0, 1)
        return State.of(w, np.stack([self.misses, wy - w * mean, wy - w * season - of_season]))


def _columns(x: np.ndarray, y: np.ndarray, seen: np.ndarray, scale: Scale) -> np.ndarray:
    """Return [x, log sales, 1] with the regressors scaled, (W, K + 2, P, S); sales are 0 where unseen."""
    weeks, k, *shape = x.shape
    columns = np.empty((weeks, k + 2, *shape))
    for week in range(weeks):  # each fits into the processor's cache
        scale(x[week], columns[week, :k])
    columns[:, k], columns[:, k + 1] = 0.0, 1.0
    columns[: len(seen), k][seen] = y[: len(seen)][seen]
    return columns


def _fit_weeks(last: int, o: FitOptions) -> frozenset[int]:
    """The weeks after which slopes are fitted: the last one always."""
    first = min(o.first_fit, last + 1) - 1
    return frozenset([first, *(t for t in range(first, last + 1) if (last - t) % o.refit_every == 0)])


def _scale(x: np.ndarray) -> np.ndarray:
    """Mean of the regressors and one over their spread, (P, 2, K); the last `COLUMNS` stay as they are.

    The coming weeks count, so that an offer never seen before is at most a few deviations
    away, however little the past varied.
    """
    centre, square = x.mean(axis=(0, 3)), np.zeros(x.shape[1:3])
    for of_week in x:
        square += ((of_week - centre[..., None]) ** 2).sum(axis=2)
    centre, spread = centre.T, np.sqrt(square / (len(x) * x.shape[3])).T
    varies = spread > SMALLEST_SPREAD
    factor = varies / np.where(varies, spread, 1.0)
    # Last year's season is made of sales: a scale taken from coming weeks would tell the past about them.
    centre[:, -COLUMNS:], factor[:, -COLUMNS:] = 0.0, 1.0
    return np.stack([centre, factor], axis=1)


def _extremes(deviations: np.ndarray) -> np.ndarray:
    """The least and the largest of (P, S), (P, 2)."""
    return np.stack([deviations.min(axis=1), deviations.max(axis=1)], axis=1)


def _forecast_for(forecasts: np.ndarray, t: int, step: int) -> np.ndarray:
    """What the first candidate forecast for week t, `step` weeks before it; NaN where nothing was."""
    return forecasts[t - step, 0, 0] if t >= step else np.full(forecasts.shape[3:], np.nan)


def huber_weight(y: np.ndarray, forecast: np.ndarray, outlier: float) -> np.ndarray:
    """Return how much a sale counts: less where it was missed by far."""
    return 1 / np.fmax(1.0, np.abs(y - forecast) / outlier)  # 1 where there was no forecast


def _respond(slope: np.ndarray, sums: StoreSums, o: FitOptions, shared: Shared) -> tuple[Response, np.ndarray]:
    """Return the response with these shared slopes, and the faded sums of what it missed, but the longest, (L, P, S).

    First each store's deviation from the slopes, then its level.
    """
    k, w = slope.shape[1], sums.columns[:, -1]
    left = sums.columns[:, k] - along_regressors(slope, sums.columns[:, :k])
    own_slope = _own_slopes(sums, slope, left[0], o)
    for deviation, column in zip(own_slope, sums.columns.swapaxes(0, 1), strict=False):
        left -= deviation * column
    chain_level = shared("level", lambda: left[0].sum(axis=1) / np.maximum(w[0].sum(axis=1), TINY))
    level = (left[0] + o.level_prior * chain_level[:, None]) / (w[0] + o.level_prior)
    return Response(slope, own_slope, level), left[1:] - w[1:] * level


def _shared_slope(sums: ProductSums, penalty: np.ndarray, o: FitOptions) -> np.ndarray:
    """Ridge regression within stores, a week's common part counting as one observation, (P, K).

    All stores of a week share one shock, so 80 rows of one week hold little more information
    about a promotion than one row; without this the fit is overconfident.
    """
    k = len(penalty)
    products = sums.within_stores()
    gram, cross = products[:, :k, :k], products[:, :k, k:]
    week = np.maximum(sums.information / sums.weeks, TINY)
    gram[:, np.arange(k), np.arange(k)] += o.ridge_weeks * week[:, None] * penalty
    return np.linalg.solve(gram, cross)[..., 0]


def _own_slopes(sums: StoreSums, slope: np.ndarray, left: np.ndarray, o: FitOptions) -> np.ndarray:
    """Ridge regression, store by store, of what the shared slopes leave, (Z, P, S)."""
    own, long = sums.own, sums.columns[0]
    z, k = len(own), slope.shape[1]
    if not z:
        return np.zeros_like(long[:0])
    w = np.maximum(long[-1], TINY)
    mean_z = long[:z] / w
    gram = own[:, :z] - w * mean_z[:, None] * mean_z
    gram[np.arange(z), np.arange(z)] += o.slope_ridge
    return _solve_each(gram, own[:, k] - along_regressors(slope, own[:, :k]) - mean_z * left)


def _solve_each(gram: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve a small positive definite system for each store, all at once: (Z, Z, P, S) and (Z, P, S) give (Z, P, S).

    LAPACK would be called anew for each of them, which takes several times as long.
    """
    rows = np.concatenate([gram, right[:, None]], axis=1)
    for i in range(len(gram)):
        rows[i, i + 1 :] /= rows[i, i]
        factor = rows[:, i].copy()
        factor[i] = 0.0
        rows[:, i + 1 :] -= factor[:, None] * rows[i, i + 1 :]
    return rows[:, -1].copy()
