"""Rolling ridge regression: one pass over the weeks gives the forecasts of every origin.

All that a fit needs are weighted sums of products, and those of week t are the sums of
week t - 1, faded, plus the week's own.  So a refit costs one small linear solve, and the
errors of past forecasts, from which the spread is estimated, cost almost nothing.

Axes: W weeks, S stores, K regressors; the first Z have a slope of the store's own.
"""

from dataclasses import dataclass

import numpy as np

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
    own_slopes: int = 4
    """How many of the first regressors (price, deal, feat, discount) act store by store."""
    slope_ridge: float = 30.0
    """Penalty on a store's own deviation in slope, in weeks."""
    level_prior: float = 2.0
    """Weeks of the chain's level that a store's own level starts with."""
    drift_half_life: float = 5.0
    """Memory of a store's recent deviation from its level, in weeks."""
    drift_prior: float = 3.0
    """Weeks without deviation that a store's drift starts with."""
    chain_half_life: float = 8.0
    """Memory of the deviation that all stores share, in weeks."""
    chain_kept: float = 0.6
    """Share of the recent common deviation that a forecast keeps."""
    first_fit: int = 3
    """Weeks of history before the first fit."""
    refit_every: int = 2
    """Weeks between refits; today is always one.  In between the last slopes serve."""
    beyond: float = 0.7
    """Log points by which a forecast may exceed what the product ever did, up or down."""


@dataclass(frozen=True)
class Response:
    """What is expected of a store: level + x slope + x[:Z] own_slope, in logs."""

    slope: np.ndarray  # (K,), shared by all stores
    own_slope: np.ndarray  # (S, Z), a store's deviation from it
    level: np.ndarray  # (S,)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Expected log sales for regressors (..., S, K)."""
        own = x[..., : self.own_slope.shape[1]] * self.own_slope
        return self.level + x @ self.slope + own.sum(axis=-1)


class _Moments:
    """Faded sums, store by store, of weight, regressors and log sales."""

    def __init__(self, half_life: float, stores: int, k: int) -> None:
        self.fade = 0.5 ** (1 / half_life)
        self.w, self.wx, self.wy = np.zeros(stores), np.zeros((stores, k)), np.zeros(stores)

    def add(self, w: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
        self.w = self.fade * self.w + w
        self.wx = self.fade * self.wx + w[:, None] * x
        self.wy = self.fade * self.wy + w * y

    def mean_sales(self) -> np.ndarray:
        """Mean log sales of each store, the chain's where it has none, (S,)."""
        chain = self.wy.sum() / max(self.w.sum(), TINY)
        return np.where(self.w > 0, self.wy / np.maximum(self.w, TINY), chain)

    def residual(self, response: Response) -> np.ndarray:
        """Faded sum of log sales minus what was expected, (S,)."""
        own = self.wx[:, : response.own_slope.shape[1]] * response.own_slope
        return self.wy - self.w * response.level - self.wx @ response.slope - own.sum(axis=1)


class _Products:
    """Faded sums of products, which the slopes are solved from.

    `xx`, `shared` and `level_x` hold the columns [x, log sales, 1]: the cross products and the constant come with
    them. A week counts by the inverse of its covariance, 1 + shock × (all ones) relative to a store's own noise.
    """

    def __init__(self, o: FitOptions, stores: int, k: int) -> None:
        self.fade, self.shock = 0.5 ** (1 / o.half_life), o.shock
        z = min(o.own_slopes, k)
        self.xx = np.zeros((k + 2, k + 2))
        self.level_x = np.zeros((stores, k + 2))  # products with a store's level
        self.w = np.zeros(stores)
        self.zx, self.zy = np.zeros((stores, z, k)), np.zeros((stores, z))
        self.weeks, self.information = 0.0, 0.0

    def add(self, w: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
        columns = np.concatenate([x, y[:, None], np.ones((len(y), 1))], axis=1)
        weighted = w[:, None] * columns
        count = w.sum()
        kept = 1 / (1 + self.shock * count)  # the information of a week that all stores share
        total = weighted.sum(axis=0) / max(count, TINY)  # the week's means
        self.xx = self.fade * self.xx + weighted.T @ columns - count * (1 - kept) * np.outer(total, total)
        self.level_x = self.fade * self.level_x + weighted - (1 - kept) * np.outer(w, total)
        self.w = self.fade * self.w + w
        z = weighted[:, : self.zx.shape[1]]
        self.zx = self.fade * self.zx + z[:, :, None] * x[:, None, :]
        self.zy = self.fade * self.zy + z * y[:, None]
        self.weeks = self.fade * self.weeks + 1
        self.information = self.fade * self.information + count * kept

    def within_stores(self) -> np.ndarray:
        """Return the products of [x, log sales], (K + 1, K + 1), without what levels explain; positive semi-definite.

        A store's level is taken out with the weight of its own rows, which is at least what they are worth once
        the weeks' shocks are allowed for: so the rest is the Schur complement of a positive semi-definite matrix.
        With whole weeks only it is the regression within stores to the letter.
        """
        scaled = self.level_x / np.sqrt(np.maximum(self.w, TINY))[:, None]
        rest = self.xx - scaled.T @ scaled
        constant = rest[-1]
        return (rest - np.outer(constant, constant) / max(constant[-1], TINY))[:-1, :-1]


@dataclass(frozen=True)
class State:
    """How sales run of late against what is expected: faded sums of weights and of misses, each (S,)."""

    drift_weight: np.ndarray
    drift_miss: np.ndarray
    chain_weight: np.ndarray
    chain_miss: np.ndarray

    def deviation(self, o: FitOptions) -> np.ndarray:
        """By how much recent sales ran above the response: the chain's part and the store's, (S,)."""
        shared = self.chain_miss.sum() / max(self.chain_weight.sum(), TINY)
        common = self.drift_miss.sum() / max(self.drift_weight.sum(), TINY)
        own = (self.drift_miss - self.drift_weight * common) / (self.drift_weight + o.drift_prior)
        return o.chain_kept * shared + own


@dataclass(frozen=True)
class Scale:
    """What brings regressors to mean zero and unit variance."""

    centre: np.ndarray  # (K,)
    factor: np.ndarray  # (K,), zero where a regressor does not vary

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return (x - self.centre) * self.factor


@dataclass(frozen=True)
class RollingFit:
    """The log forecasts of every origin, and what the last of them was made of."""

    forecasts: np.ndarray  # (origins, H, S); NaN before the first fit and where origin + step lies beyond the weeks
    scale: Scale
    response: Response
    state: State
    lowest: np.ndarray  # (S,), bounds of a forecast
    highest: np.ndarray  # (S,)


def rolling_fit(
    x: np.ndarray, penalty: np.ndarray, y: np.ndarray, steps: np.ndarray, last: int, o: FitOptions
) -> RollingFit:
    """Fit and forecast at the end of each week 0 ... last.

    x: (W, S, K) regressors; penalty: (K,), relative; y: (W, S) log sales, NaN where unseen.
    """
    weeks, stores, k = x.shape
    seen = ~np.isnan(y[: last + 1])
    scale = _scale(x)
    x = scale(x)
    y = np.where(seen, y[: last + 1], 0.0)
    products = _Products(o, stores, k)
    level, drift, chain = (_Moments(h, stores, k) for h in (o.half_life, o.drift_half_life, o.chain_half_life))
    first = min(o.first_fit, last + 1)
    lowest, highest = 0.0, 0.0  # deviations from a store's mean, ever
    forecasts = np.full((last + 1, len(steps), stores), np.nan)
    for t in range(last + 1):
        w = seen[t] * huber_weight(y[t], _forecast_for(forecasts, t, int(steps[0])), o.outlier)
        products.add(w, x[t], y[t])
        for moments in (level, drift, chain):
            moments.add(w, x[t], y[t])
        mean = level.mean_sales()
        extremes = (y[t] - mean)[seen[t]]
        lowest, highest = extremes.min(initial=lowest), extremes.max(initial=highest)
        if t + 1 >= first:
            if t + 1 == first or (last - t) % o.refit_every == 0:
                response = _fit(products, level, penalty, o)
            state = State(drift.w, drift.residual(response), chain.w, chain.residual(response))
            ahead = t + steps[t + steps < weeks]
            forecast = response(x[ahead]) + state.deviation(o)
            bounds = mean + lowest - o.beyond, mean + highest + o.beyond
            forecasts[t, : len(ahead)] = np.clip(forecast, *bounds)
    return RollingFit(forecasts, scale, response, state, *bounds)


def _scale(x: np.ndarray) -> Scale:
    """Mean and spread of the regressors, coming weeks included.

    The coming weeks count, so that an offer never seen before is at most a few deviations
    away, however little the past varied.
    """
    rows = x.reshape(-1, x.shape[-1])
    spread = rows.std(axis=0)
    varies = spread > SMALLEST_SPREAD
    return Scale(rows.mean(axis=0), varies / np.where(varies, spread, 1.0))


def _forecast_for(forecasts: np.ndarray, t: int, step: int) -> np.ndarray:
    """What was forecast for week t, `step` weeks before it; NaN where nothing was."""
    return forecasts[t - step, 0] if t >= step else np.full(forecasts.shape[2], np.nan)


def huber_weight(y: np.ndarray, forecast: np.ndarray, outlier: float) -> np.ndarray:
    """How much a sale counts: less where it was missed by far."""
    miss = np.abs(np.nan_to_num(y - forecast))
    return 1 / np.maximum(1.0, miss / outlier)


def _fit(products: _Products, level: _Moments, penalty: np.ndarray, o: FitOptions) -> Response:
    """Shared slopes, then each store's deviation from them, then its level."""
    slope = _shared_slope(products, penalty, o)
    own_slope = _own_slopes(products, level, slope, o)
    bare = Response(slope, own_slope, np.zeros(len(level.w)))
    total = level.residual(bare)
    chain_level = total.sum() / max(level.w.sum(), TINY)
    return Response(slope, own_slope, (total + o.level_prior * chain_level) / (level.w + o.level_prior))


def _shared_slope(p: _Products, penalty: np.ndarray, o: FitOptions) -> np.ndarray:
    """Ridge regression within stores, a week's common part counting as one observation.

    All stores of a week share one shock, so 80 rows of one week hold little more information
    about a promotion than one row; without this the fit is overconfident.
    """
    k = len(penalty)
    products = p.within_stores()
    gram, cross = products[:k, :k], products[:k, k]
    week = p.information / p.weeks
    gram[np.diag_indices(k)] += o.ridge_weeks * max(week, TINY) * penalty
    return np.linalg.solve(gram, cross)


def _own_slopes(p: _Products, level: _Moments, slope: np.ndarray, o: FitOptions) -> np.ndarray:
    """Ridge regression, store by store, of what the shared slopes leave, (S, Z)."""
    z = p.zx.shape[1]
    w = np.maximum(level.w, TINY)[:, None]
    mean_z = level.wx[:, :z] / w
    gram = p.zx[:, :, :z] - w[..., None] * mean_z[:, :, None] * mean_z[:, None, :]
    cross = p.zy - p.zx @ slope - mean_z * (level.wy - level.wx @ slope)[:, None]
    gram[:, np.arange(z), np.arange(z)] += o.slope_ridge
    return np.linalg.solve(gram, cross[..., None])[..., 0]
