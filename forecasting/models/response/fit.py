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
from forecasting.models.response.memory import BASES, CANDIDATES, HALF_LIVES, Response, State
from forecasting.models.response.season import COLUMNS
from forecasting.models.response.shared import Shared

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


class _Products:
    """Faded sums of products, which the slopes are solved from.

    `xx` and `level_x` hold the columns [x, log sales, 1]: the cross products and the constant come with them. A week
    counts by the inverse of its covariance, 1 + shock × (all ones) relative to a store's own noise.
    """

    def __init__(self, o: FitOptions, products: int, stores: int, k: int) -> None:
        self.fade, self.shock = 0.5 ** (1 / o.half_life), o.shock
        self.xx = np.zeros((products, k + 2, k + 2))
        self.level_x = np.zeros((products, stores, k + 2))  # products with a store's level
        self.w = np.zeros((products, stores))
        self.weeks, self.information = 0.0, np.zeros(products)

    def add(self, w: np.ndarray, columns: np.ndarray, weighted: np.ndarray) -> None:
        """Add a week: weights (P, S), columns (P, S, K + 2), and the columns times the weights."""
        count = w.sum(axis=1)
        kept = 1 / (1 + self.shock * count)  # the information of a week that all stores share
        mean = (w[:, None, :] @ columns)[:, 0] / np.maximum(count, TINY)[:, None]
        self.xx *= self.fade
        self.xx += weighted.transpose(0, 2, 1) @ columns
        self.xx -= (count * (1 - kept))[:, None, None] * (mean[:, :, None] * mean[:, None, :])
        self.level_x *= self.fade
        self.level_x += weighted
        self.level_x -= (1 - kept)[:, None, None] * (w[:, :, None] * mean[:, None, :])
        self.w = self.fade * self.w + w
        self.weeks = self.fade * self.weeks + 1
        self.information = self.fade * self.information + count * kept

    def within_stores(self) -> np.ndarray:
        """Return the products of [x, log sales], (P, K + 1, K + 1), without what levels explain.

        Positive semi-definite: a store's level is taken out with the weight of its own rows, which is at least what
        they are worth once the weeks' shocks are allowed for, so the rest is the Schur complement of a positive
        semi-definite matrix. With whole weeks only it is the regression within stores to the letter.
        """
        scaled = self.level_x / np.sqrt(np.maximum(self.w, TINY))[..., None]
        rest = self.xx - scaled.transpose(0, 2, 1) @ scaled
        constant = rest[:, -1]
        taken = constant[:, :, None] * constant[:, None, :] / np.maximum(constant[:, -1], TINY)[:, None, None]
        return (rest - taken)[:, :-1, :-1]


@dataclass(frozen=True)
class Scale:
    """What brings regressors to mean zero and unit variance."""

    centre: np.ndarray  # (P, K)
    factor: np.ndarray  # (P, K), zero where a regressor does not vary

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return (x - self.centre[:, None]) * self.factor[:, None]


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

    x: (W, P, S, K) regressors, the last of which is on its own scale; penalty: (K,), relative; y: (W, P, S) log sales,
    NaN where unseen; changing: positions of the regressors whose changes sales follow, with last year's season at the
    end; shared: learns what all stores share from these, or recalls what others taught.
    """
    weeks, n_products, stores, k = x.shape
    seen = ~np.isnan(y[: last + 1])
    scale = Scale(*shared("scale", lambda: _scale(x)).swapaxes(0, 1))
    x = scale(x)
    y = np.where(seen, y[: last + 1], 0.0)
    columns = np.concatenate([x[: last + 1], y[..., None], np.ones((*y.shape, 1))], axis=-1)
    followed = np.take(x, changing, axis=-1)
    changes = Changes(followed, y, seen, steps, shared)
    products = _Products(o, n_products, stores, k)
    zx = np.zeros((n_products, stores, own_slopes, k + 2))
    fades = 0.5 ** (1 / np.array([o.half_life, *HALF_LIVES]))[:, None, None, None]
    sums = np.zeros((len(fades), n_products, stores, k + 2))
    first = min(o.first_fit, last + 1)
    lowest, highest = np.zeros(n_products), np.zeros(n_products)  # deviations from a store's mean, ever
    forecasts = np.full((last + 1, len(CANDIDATES) + 1, len(steps), n_products, stores), np.nan)
    for t in range(last + 1):
        w = seen[t] * huber_weight(y[t], _forecast_for(forecasts, t, int(steps[0])), o.outlier)
        weighted = w[..., None] * columns[t]
        if shared.learning:
            products.add(w, columns[t], weighted)
        if own_slopes:
            zx *= fades[0]
            zx += weighted[:, :, :own_slopes, None] * columns[t][:, :, None, :]
        changes.add(t)
        sums *= fades
        sums += weighted
        long = sums[0]
        mean = _mean(long[..., -2], long[..., -1], shared)
        ends = shared("extremes", partial(_extremes, np.where(seen[t], y[t] - mean, 0.0)))
        lowest, highest = np.minimum(lowest, ends[:, 0]), np.maximum(highest, ends[:, 1])
        if t + 1 >= first:
            if t + 1 == first or (last - t) % o.refit_every == 0:
                slope = shared("slope", partial(_shared_slope, products, penalty, o))
                response, slopes = _respond(slope, zx, long, o, shared), changes.slopes()
            responses = (response, Response.level_only(mean, k), Response.season(long))
            state, change_state = State.of(responses, sums[1:]), changes.state(t, slopes)
            ahead = t + steps[t + steps < weeks]
            bounds = mean + lowest[:, None] - o.beyond, mean + highest[:, None] + o.beyond
            basis = np.stack([each(x[ahead]) for each in responses])  # (3, H, P, S)
            of_chain = shared("deviation", state.of_chain)
            found = basis[BASES] + state.deviation(of_chain)[:, None]
            found = np.concatenate([found, change_state.forecast(slopes, followed[ahead])[None]])
            forecasts[t, :, : len(ahead)] = np.clip(found, *bounds)
    return RollingFit(forecasts, scale, responses, state, changing, slopes, change_state, *bounds)


def _scale(x: np.ndarray) -> np.ndarray:
    """Mean of the regressors and one over their spread, (P, 2, K); the last `COLUMNS` stay as they are.

    The coming weeks count, so that an offer never seen before is at most a few deviations
    away, however little the past varied.
    """
    rows = x.transpose(1, 0, 2, 3).reshape(x.shape[1], -1, x.shape[-1])
    centre, spread = rows.mean(axis=1), rows.std(axis=1)
    varies = spread > SMALLEST_SPREAD
    factor = varies / np.where(varies, spread, 1.0)
    # Last year's season is made of sales: a scale taken from coming weeks would tell the past about them.
    centre[:, -COLUMNS:], factor[:, -COLUMNS:] = 0.0, 1.0
    return np.stack([centre, factor], axis=1)


def _extremes(deviations: np.ndarray) -> np.ndarray:
    """The least and the largest of (P, S), (P, 2)."""
    return np.stack([deviations.min(axis=1), deviations.max(axis=1)], axis=1)


def _mean(wy: np.ndarray, w: np.ndarray, shared: Shared) -> np.ndarray:
    """Mean of each store, the chain's where it has none, (P, S)."""
    chain = shared("mean", lambda: wy.sum(axis=1) / np.maximum(w.sum(axis=1), TINY))
    return np.where(w > 0, wy / np.maximum(w, TINY), chain[:, None])


def _forecast_for(forecasts: np.ndarray, t: int, step: int) -> np.ndarray:
    """What the first candidate forecast for week t, `step` weeks before it; NaN where nothing was."""
    return forecasts[t - step, 0, 0] if t >= step else np.full(forecasts.shape[3:], np.nan)


def huber_weight(y: np.ndarray, forecast: np.ndarray, outlier: float) -> np.ndarray:
    """Return how much a sale counts: less where it was missed by far."""
    miss = np.abs(np.nan_to_num(y - forecast))
    return 1 / np.maximum(1.0, miss / outlier)


def _respond(slope: np.ndarray, zx: np.ndarray, long: np.ndarray, o: FitOptions, shared: Shared) -> Response:
    """The response with these shared slopes: each store's deviation from them, then its level."""
    own_slope = _own_slopes(zx, long, slope, o)
    w = long[..., -1]
    total = Response(slope, own_slope, np.zeros_like(w)).residual(long)
    chain_level = shared("level", lambda: total.sum(axis=1) / np.maximum(w.sum(axis=1), TINY))
    return Response(slope, own_slope, (total + o.level_prior * chain_level[:, None]) / (w + o.level_prior))


def _shared_slope(p: _Products, penalty: np.ndarray, o: FitOptions) -> np.ndarray:
    """Ridge regression within stores, a week's common part counting as one observation, (P, K).

    All stores of a week share one shock, so 80 rows of one week hold little more information
    about a promotion than one row; without this the fit is overconfident.
    """
    k = len(penalty)
    products = p.within_stores()
    gram, cross = products[:, :k, :k], products[:, :k, k:]
    week = np.maximum(p.information / p.weeks, TINY)
    gram[:, np.arange(k), np.arange(k)] += o.ridge_weeks * week[:, None] * penalty
    return np.linalg.solve(gram, cross)[..., 0]


def _own_slopes(zx: np.ndarray, long: np.ndarray, slope: np.ndarray, o: FitOptions) -> np.ndarray:
    """Ridge regression, store by store, of what the shared slopes leave, (P, S, Z)."""
    z, k = zx.shape[2], slope.shape[1]
    if not z:
        return np.zeros((*long.shape[:2], 0))
    w = np.maximum(long[..., -1], TINY)[..., None]
    mean_z = long[..., :z] / w
    gram = zx[..., :z] - w[..., None] * mean_z[..., :, None] * mean_z[..., None, :]
    left = long[..., k] - (long[..., :k] @ slope[..., None])[..., 0]
    cross = zx[..., k] - (zx[..., :k] @ slope[:, None, :, None])[..., 0] - mean_z * left[..., None]
    gram[..., np.arange(z), np.arange(z)] += o.slope_ridge
    return np.linalg.solve(gram, cross[..., None])[..., 0]
