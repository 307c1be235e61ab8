"""Price response: a pooled regression of log sales on own and competing offers.

One model a brand.  All stores share the response to prices and promotions; each store
has its own level and its own, shrunk, deviation in slope.  The regression is refitted at
every past week (cheap: sums of cross products are carried forward), so that the spread
of the forecast comes from errors made on weeks the fit had not seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecasting.predictive import Predictive
from forecasting.spec import ForecastSpec

SMALLEST_SALE = 0.5

REGULAR_PRICE_WEEKS = 13  # a quarter: longer than any promotion, shorter than list prices live


@dataclass(frozen=True)
class Offers:
    """Prices and promotions of all brands, gaps filled; arrays of shape (B, S, W)."""

    stores: np.ndarray
    brands: np.ndarray
    weeks: pd.DatetimeIndex
    log_price: np.ndarray
    deal: np.ndarray
    feat: np.ndarray


def offers_on_grid(promotions: pd.DataFrame, stores: np.ndarray, weeks: pd.DatetimeIndex) -> Offers:
    """The offers of `stores` in `weeks`, one cell a brand, store and week."""
    rows = promotions[promotions["store"].isin(stores)]
    brands = np.sort(rows["brand"].unique())
    shape = (len(brands), len(stores), len(weeks))
    cell = (
        np.searchsorted(brands, rows["brand"].to_numpy()),
        np.searchsorted(stores, rows["store"].to_numpy()),
        weeks.get_indexer(rows["week"]),
    )
    inside = cell[2] >= 0
    cell = tuple(axis[inside] for axis in cell)

    def grid(values: np.ndarray) -> np.ndarray:
        cube = np.full(shape, np.nan)
        cube[cell] = values[inside]
        return cube

    price = rows["price"].to_numpy(float)
    log_price = np.log(np.where(price > 0, price, np.nan), where=price > 0, out=np.full(len(price), np.nan))
    return Offers(
        stores,
        brands,
        weeks,
        _fill_prices(grid(log_price)),
        _fill_promotions(grid(rows["deal"].to_numpy(float))),
        _fill_promotions(grid(rows["feat"].to_numpy(float))),
    )


def _fill_prices(log_price: np.ndarray) -> np.ndarray:
    """A missing price is the chain's that week, else the store's last, else its first."""
    filled = np.where(np.isnan(log_price), _chain_median(log_price), log_price)
    filled = _carry_forward(filled)
    filled = _carry_forward(filled[..., ::-1])[..., ::-1]
    return np.nan_to_num(filled)


def _fill_promotions(share: np.ndarray) -> np.ndarray:
    """A missing flag is what most of the chain did that week, else no promotion."""
    return np.nan_to_num(np.where(np.isnan(share), _chain_median(share), share))


def _chain_median(cube: np.ndarray) -> np.ndarray:
    """Median over the stores that reported, shape (B, 1, W); NaN where none did."""
    ordered = np.sort(cube, axis=1)  # NaN sorts last
    count = (~np.isnan(cube)).sum(axis=1, keepdims=True)
    middle = np.maximum(count - 1, 0)
    low = np.take_along_axis(ordered, middle // 2, axis=1)
    high = np.take_along_axis(ordered, (middle + 1) // 2, axis=1)
    return (low + high) / 2


def _carry_forward(cube: np.ndarray) -> np.ndarray:
    position = np.where(np.isnan(cube), 0, np.arange(cube.shape[-1]))
    return np.take_along_axis(cube, np.maximum.accumulate(position, axis=-1), axis=-1)


def regular_price(log_price: np.ndarray) -> np.ndarray:
    """Upper quartile of the log price over the last quarter, up to and including the week."""
    width = min(REGULAR_PRICE_WEEKS, log_price.shape[-1])
    padded = np.concatenate([np.repeat(log_price[..., :1], width - 1, axis=-1), log_price], axis=-1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=-1)
    rank = int(0.75 * (width - 1))
    return np.partition(windows, rank, axis=-1)[..., rank]


def lagged(cube: np.ndarray, weeks: int) -> np.ndarray:
    """The value `weeks` earlier along the last axis; the first value repeats."""
    return np.concatenate([np.repeat(cube[..., :1], weeks, axis=-1), cube[..., :-weeks]], axis=-1)


def annual_waves(weeks: pd.DatetimeIndex, pairs: int) -> list[np.ndarray]:
    """Sine and cosine of the day of the year, `pairs` harmonics, each of shape (W,)."""
    angle = 2 * np.pi * weeks.dayofyear.to_numpy() / 365.25
    return [wave(h * angle) for h in range(1, pairs + 1) for wave in (np.sin, np.cos)]


def brand_regressors(offers: Offers, brand: int) -> np.ndarray:
    """Regressors of one brand, shape (W, S, K)."""
    own = int(np.searchsorted(offers.brands, brand))
    others = np.delete(np.arange(len(offers.brands)), own)
    price, deal, feat = offers.log_price[own], offers.deal[own], offers.feat[own]
    discount = np.maximum(regular_price(price) - price, 0.0)
    rivals_deal = offers.deal[others].sum(axis=0)
    rivals_feat = offers.feat[others].sum(axis=0)
    columns = [
        price,
        deal,
        feat,
        discount,
        discount**2,
        deal * feat,
        price * deal,
        price * feat,
        discount * deal,
        discount * feat,
        rivals_deal,
        rivals_feat,
        rivals_feat * feat,
        rivals_feat * deal,
    ]
    columns += [lagged(x, k) for k in (1, 2) for x in (price, deal, feat, discount)]
    columns += [lagged(feat * discount, 1)]
    columns += [x for r in others for x in (offers.log_price[r], offers.deal[r], offers.feat[r])]
    columns += [np.broadcast_to(wave, price.shape) for wave in annual_waves(offers.weeks, 2)]
    return np.ascontiguousarray(np.stack(columns, axis=-1).transpose(1, 0, 2))


def brand_risk(offers: Offers, brand: int) -> np.ndarray:
    """What makes a week hard to forecast, shape (W, S, R); the first column is one."""
    own = int(np.searchsorted(offers.brands, brand))
    price, deal, feat = offers.log_price[own], offers.deal[own], offers.feat[own]
    discount = np.maximum(regular_price(price) - price, 0.0)
    return np.stack([np.ones_like(deal), deal, feat, discount, feat * discount], axis=-1).transpose(1, 0, 2)


@dataclass(frozen=True)
class FitOptions:
    """How the regression forgets and shrinks."""

    half_life: float = 39.0  # weeks after which an observation counts half
    ridge: float = 8.0  # penalty on a regressor scaled to unit variance, in observations
    slope_ridge: float = 6.0  # penalty on a store's own deviation in slope
    slopes: tuple[int, ...] = (0, 1, 2, 3)  # regressors with a slope of the store's own
    level_memory: float = 8.0  # weeks, half-life of a store's recent level
    level_prior: float = 4.0
    shock_memory: float = 4.0  # weeks, half-life of the level shared by all stores
    shock_kept: float = 0.66


def rolling_forecasts(
    x: np.ndarray, y: np.ndarray, origins: np.ndarray, steps: np.ndarray, o: FitOptions
) -> np.ndarray:
    """Log forecasts made at each origin (a week's index) for each step.

    x: (W, S, K) regressors; y: (W, S) log sales, NaN where unseen.
    Returns (origins, steps, S); NaN where origin + step lies beyond W.
    """
    weeks, stores, k = x.shape
    seen = ~np.isnan(y)
    xs = x - x[seen].mean(axis=0)
    scale = xs[seen].std(axis=0)
    xs = xs / np.where(scale > 1e-8, scale, 1.0) * (scale > 1e-8)
    m = seen.astype(float)
    y0 = np.where(seen, y, 0.0)
    memory = 0.5 ** (1 / o.half_life)
    xm = xs * m[..., None]
    gram, cross = np.zeros((k, k)), np.zeros(k)
    sx, sy, sw = np.zeros((stores, k)), np.zeros(stores), np.zeros(stores)
    wanted = {int(t): i for i, t in enumerate(origins)}
    out = np.full((len(origins), len(steps), stores), np.nan)
    for t in range(int(max(origins)) + 1):
        gram = memory * gram + xm[t].T @ xm[t]
        cross = memory * cross + y0[t] @ xm[t]
        sx, sy, sw = memory * sx + xm[t], memory * sy + y0[t], memory * sw + m[t]
        if t not in wanted:
            continue
        root = np.sqrt(np.maximum(sw, 1e-9))[:, None]
        mean_x, mean_y = sx / root, sy / root[:, 0]
        a = gram - mean_x.T @ mean_x
        b = cross - mean_y @ mean_x
        a[np.diag_indices(k)] += o.ridge
        beta = np.linalg.solve(a, b)
        fit = xs @ beta  # (W,S)
        resid = np.where(seen[: t + 1], y[: t + 1] - fit[: t + 1], 0.0)
        age = np.arange(t, -1, -1)
        w = memory ** age[:, None] * m[: t + 1]
        # store level and slopes on the residuals
        sw_safe = np.maximum(sw, 1e-9)
        chain_level = (w * resid).sum() / max(w.sum(), 1e-9)
        level = (w * resid).sum(0) + 2.0 * chain_level
        level = level / (sw + 2.0)
        z = xs[..., list(o.slopes)]
        zbar = sx[:, list(o.slopes)] / sw_safe[:, None]
        zc = z - zbar
        r = (resid - level) * m[: t + 1]
        zw = zc[: t + 1] * w[..., None]
        g = np.einsum("tsi,tsj->sij", zw, zc[: t + 1])
        c = np.einsum("tsi,ts->si", zw, r)
        g[:, np.arange(len(o.slopes)), np.arange(len(o.slopes))] += o.slope_ridge
        gamma = np.linalg.solve(g, c[..., None])[..., 0]
        fit = fit + level + np.einsum("tsi,si->ts", zc, gamma)
        r = np.where(seen[: t + 1], y[: t + 1] - fit[: t + 1], 0.0)
        ws = 0.5 ** (age / o.shock_memory)[:, None] * m[: t + 1]
        shock = (ws * r).sum() / max(ws.sum(), 1e-9)
        wl = 0.5 ** (age / o.level_memory)[:, None] * m[: t + 1]
        weekly = (wl * r).sum(1) / np.maximum(wl.sum(1), 1e-9)
        own = (wl * (r - weekly[:, None])).sum(0) / (wl.sum(0) + o.level_prior)
        base = fit + own + o.shock_kept * shock
        for j, h in enumerate(steps):
            if t + h < weeks:
                out[wanted[t], j] = base[t + h]
    return out


DRAWS = 199
ERROR_HALF_LIFE = 52.0  # weeks
PRIOR_SIZE = 0.35  # log points; a typical absolute error, where a brand has no past
PRIOR_WEIGHT = 40.0  # observations that the prior size counts for
SMALLEST_SIZE, LARGEST_SIZE = 0.08, 1.2

#: Standard normal quantiles scaled to mean absolute value one: the shape without a past.
PRIOR_SHAPE_COUNT = 50


def expected_size(risk: np.ndarray, errors: np.ndarray, weight: np.ndarray, risk_new: np.ndarray) -> np.ndarray:
    """Expected absolute error: a ridge regression of |error| on the risk regressors.

    risk: (N, R) regressors of past errors, first column ones; risk_new: (M, R).
    """
    r = risk.shape[1]
    weighted = risk * weight[:, None]
    penalty = np.full(r, PRIOR_WEIGHT / 10)
    penalty[0] = PRIOR_WEIGHT / 10
    prior = np.zeros(r)
    prior[0] = PRIOR_SIZE
    gram = weighted.T @ risk + np.diag(penalty)
    size = np.linalg.solve(gram, weighted.T @ np.abs(errors) + penalty * prior)
    return risk_new @ size


def clipped(size: np.ndarray) -> np.ndarray:
    """Sizes within reason."""
    return np.clip(size, SMALLEST_SIZE, LARGEST_SIZE)


def weighted_quantiles(values: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    """`count` equally probable values of a weighted sample."""
    order = np.argsort(values)
    values, weight = values[order], weight[order]
    position = (np.cumsum(weight) - weight / 2) / weight.sum()
    return np.interp((np.arange(count) + 0.5) / count, position, values)


def log_draws(
    forecast: np.ndarray, risk_new: np.ndarray, errors: np.ndarray, risk: np.ndarray, age: np.ndarray
) -> np.ndarray:
    """Sorted log draws (M, DRAWS) around `forecast` (M,), learnt from past errors (N,)."""
    weight = 0.5 ** (age / ERROR_HALF_LIFE)
    size = clipped(expected_size(risk, errors, weight, risk))
    new = clipped(expected_size(risk, errors, weight, risk_new))
    normal = _normal_shape()
    values = np.concatenate([errors / size, normal])
    weights = np.concatenate([weight, np.full(len(normal), 0.5)])
    return forecast[:, None] + new[:, None] * weighted_quantiles(values, weights, DRAWS)[None]


def _normal_shape() -> np.ndarray:
    from scipy.special import ndtri

    q = ndtri((np.arange(PRIOR_SHAPE_COUNT) + 0.5) / PRIOR_SHAPE_COUNT)
    return q / np.abs(q).mean()


ERROR_ORIGINS = 40  # past weeks at which the forecast is remade, to learn its errors
FIRST_ORIGIN = 20  # weeks of history before the first of them


def steps_of(spec: ForecastSpec) -> np.ndarray:
    """The steps as an array."""
    return np.array(spec.steps)


def price_response(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Predictive:
    """Forecast every series of `panel` (store, brand, week, units, price, deal, feat).

    `promotions` (store, brand, week, price, deal, feat) holds all brands of these stores,
    past and future.  Brands are modelled one by one, so no brand depends on the others.
    """
    panel = panel[panel["week"] <= pd.Timestamp(spec.cutoff)]
    last = pd.Timestamp(spec.cutoff) + pd.Timedelta(weeks=int(steps_of(spec)[-1]))
    parts = [_one_brand(sales, promotions, last, spec) for _, sales in panel.groupby("brand", sort=True)]
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    return Predictive(frame, np.concatenate([part.draws for part in parts]))


def _one_brand(sales: pd.DataFrame, promotions: pd.DataFrame, last: pd.Timestamp, spec: ForecastSpec) -> Predictive:
    brand = int(sales["brand"].iloc[0])
    stores = np.sort(sales["store"].unique())
    weeks = pd.date_range(sales["week"].min(), last, freq="7D")
    offers = offers_on_grid(promotions, stores, weeks)
    today = len(weeks) - 1 - int(steps_of(spec)[-1])
    log_sales = _log_sales_on_grid(sales, stores, weeks)
    origins = np.arange(min(max(today - ERROR_ORIGINS, FIRST_ORIGIN), today), today + 1)
    forecasts = rolling_forecasts(brand_regressors(offers, brand), log_sales, origins, steps_of(spec), FitOptions())
    risk = brand_risk(offers, brand)
    draws = np.stack(
        [_step_draws(forecasts[:, j], log_sales, risk, origins, int(step)) for j, step in enumerate(steps_of(spec))],
        axis=1,
    )  # (S, H, D)
    frame = pd.DataFrame(
        {
            "store": np.repeat(stores, len(steps_of(spec))),
            "brand": brand,
            "week": np.tile(weeks[today + steps_of(spec)], len(stores)),
            "step": np.tile(steps_of(spec), len(stores)),
        }
    )
    return Predictive(frame, np.exp(draws.reshape(len(frame), -1)))


def _log_sales_on_grid(sales: pd.DataFrame, stores: np.ndarray, weeks: pd.DatetimeIndex) -> np.ndarray:
    """Log cartons, shape (W, S); NaN where unseen."""
    grid = np.full((len(weeks), len(stores)), np.nan)
    units = np.maximum(sales["units"].to_numpy(float), SMALLEST_SALE)
    grid[weeks.get_indexer(sales["week"]), np.searchsorted(stores, sales["store"])] = np.log(units)
    return grid


def _step_draws(
    forecasts: np.ndarray, log_sales: np.ndarray, risk: np.ndarray, origins: np.ndarray, step: int
) -> np.ndarray:
    """Sorted log draws (S, D) of one step; the last origin is today.

    forecasts: (origins, S); log_sales: (W, S); risk: (W, S, R).
    """
    today = origins[-1]
    past = origins[origins + step <= today]
    target = past + step
    errors = log_sales[target] - forecasts[: len(past)]
    known = ~np.isnan(errors)
    age = np.broadcast_to((today - target)[:, None], errors.shape)
    return log_draws(forecasts[-1], risk[today + step], errors[known], risk[target][known], age[known])
