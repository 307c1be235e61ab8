"""Changes since the last sale: one regression for each step ahead, of what changed and how unusual that sale was.

Where sales are smooth, a store's last sale tells more than any mean of the past, and what is left to explain is the
change since: own offers and last year's season have moved, and what lay above its recent means falls back.

Axes: T weeks, P products, S stores, C regressors of which the last `COLUMNS` are last year's season, H steps, J means.
"""

from dataclasses import dataclass

import numpy as np

from forecasting.models.response.memory import along_regressors
from forecasting.models.response.season import COLUMNS
from forecasting.models.response.shared import Shared

TINY = 1e-9
HALF_LIFE = 90.0  # weeks after which a change counts half
MEAN_HALF_LIVES = np.array([2.0, 9.0])  # weeks, of the means that a sale may lie above
MEAN_FADES = (0.5 ** (1 / MEAN_HALF_LIVES))[:, None, None]
RIDGE, LEAST_RIDGE = 0.1, 0.01  # penalty on a slope, relative to the sum of its squared regressor, and at least


@dataclass(frozen=True)
class ChangeSlopes:
    """By how much sales ahead follow each regressor then, each regressor at the last sale, and the last sale itself."""

    ahead: np.ndarray  # (H, P, C)
    origin: np.ndarray  # (H, P, C)
    reversion: np.ndarray  # (H, P, J), on how far the last sale lies above its recent means


@dataclass(frozen=True)
class ChangeState:
    """Where changes start: the last sales, what was special about their weeks, and faded sums of sales before."""

    base: np.ndarray  # (H, P, S), the last log sales without what the regressors of their weeks gave
    last: np.ndarray  # (P, S), log sales of the last week with a sale
    mean_weight: np.ndarray  # (J, P, S)
    mean_total: np.ndarray  # (J, P, S)

    def forecast(self, slopes: ChangeSlopes, x: np.ndarray) -> np.ndarray:
        """Return log forecasts for the regressors (h, C, P, S) of the coming weeks, (h, P, S).

        Beyond the last step that was fitted its slopes serve.
        """
        step = np.minimum(np.arange(len(x)), len(self.base) - 1)
        above = above_means(self.last, self.mean_weight, self.mean_total)
        expected = along_regressors(slopes.ahead[step], x)
        return self.base[step] + expected + (above * slopes.reversion[step].swapaxes(1, 2)[..., None]).sum(axis=1)

    def after(self, slopes: ChangeSlopes, x: np.ndarray, y: np.ndarray, seen: np.ndarray) -> "ChangeState":
        """Return the state one week later: regressors (C, P, S), log sales (P, S), and which of them were seen."""
        return ChangeState(
            np.where(seen, base_of(slopes, x, y), self.base),
            np.where(seen, y, self.last),
            MEAN_FADES * self.mean_weight + seen,
            MEAN_FADES * self.mean_total + np.where(seen, y, 0.0),
        )


def base_of(slopes: ChangeSlopes, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the log sales (P, S) without what the regressors of their weeks (C, P, S) gave, (H, P, S)."""
    return y - along_regressors(slopes.origin, x)


def above_means(last: np.ndarray, weight: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Return how far the last sale lies above its recent means, (J, …); 0 where nothing was ever sold."""
    return np.where(weight > 0, last - total / np.maximum(weight, TINY), 0.0)


class Changes:
    """The changes of all weeks, and faded sums of their products, which the slopes are solved from."""

    def __init__(self, x: np.ndarray, y: np.ndarray, seen: np.ndarray, steps: np.ndarray, shared: Shared) -> None:
        """Collect the changes up to each week.

        x: (W, C, P, S) regressors; y: (T, P, S) log sales; seen: which of them are known.
        """
        weeks, products, stores = y.shape
        self._x, self._y, self._seen, self._steps = x, y, seen, [int(step) for step in steps]
        self._shared = shared
        self._ever = np.logical_or.accumulate(seen, axis=0)
        before = _last_seen(seen)
        last = np.where(self._ever, np.take_along_axis(y, before, axis=0), 0.0)
        # Where nothing was sold yet, all other stores tell what a store sells.
        chain = shared("last sale", lambda: (last.sum(axis=-1) / np.maximum(self._ever.sum(axis=-1), 1)).T)
        self._last = np.where(self._ever, last, chain.T[..., None])
        self._sums = np.zeros((weeks, 2, len(MEAN_HALF_LIVES), products, stores))
        for t in range(weeks):
            faded = MEAN_FADES * self._sums[t - 1] if t else 0.0
            self._sums[t] = faded + np.stack([seen[t], np.where(seen[t], y[t], 0.0)])[:, None]
        self._above = above_means(self._last, *self._sums.transpose(1, 2, 0, 3, 4)).swapaxes(0, 1)
        self._origins: list[np.ndarray] = []  # regressors of the week of the last sale, of each week added
        width = x.shape[1] + COLUMNS + len(MEAN_HALF_LIVES) + 1
        self._rows = np.zeros((len(steps), width, products, stores))
        self._fade = 0.5 ** (1 / HALF_LIFE)
        self._gram = np.zeros((len(steps), products, width, width))

    def add(self, week: int) -> None:
        """Add the changes that end in this week, the next one."""
        x, c, rows = self._x[week], self._x.shape[1], self._rows
        here = self._seen[week] | ~self._ever[week]
        self._origins.append(np.where(here, x, self._origins[-1]) if week else x)
        if not self._shared.learning:
            return
        for row, then in zip(rows, (week - step for step in self._steps), strict=True):
            if then < 0:
                continue
            start = self._origins[then]
            np.subtract(x, start, out=row[:c])
            row[c : c + COLUMNS] = start[-COLUMNS:]
            row[c + COLUMNS : -1] = self._above[then]
            row[-1] = self._y[week] - self._last[then]
            row *= self._seen[week] & self._ever[then]
        of_product = rows.swapaxes(1, 2)
        self._gram *= self._fade
        self._gram += of_product @ of_product.swapaxes(-1, -2)

    def slopes(self) -> ChangeSlopes:
        """Return the ridge regression of the changes added so far."""
        c = self._x.shape[1]
        found = self._shared("change slopes", self._solve).swapaxes(0, 1)
        origin = found[..., :c].copy()
        origin[..., -COLUMNS:] -= found[..., c : c + COLUMNS]
        return ChangeSlopes(found[..., :c].copy(), origin, found[..., c + COLUMNS :].copy())

    def _solve(self) -> np.ndarray:
        """Return the slopes of all columns, (P, H, C + COLUMNS + J)."""
        k = self._gram.shape[-1] - 1
        gram = self._gram[..., :k, :k].copy()
        gram[..., np.arange(k), np.arange(k)] *= 1 + RIDGE
        gram[..., np.arange(k), np.arange(k)] += LEAST_RIDGE
        return np.linalg.solve(gram, self._gram[..., :k, k:])[..., 0].swapaxes(0, 1)

    def state(self, week: int, slopes: ChangeSlopes) -> ChangeState:
        """Return the state at the end of this week, which was added."""
        base = base_of(slopes, self._origins[week], self._last[week])
        return ChangeState(base, self._last[week], *self._sums[week])


def _last_seen(seen: np.ndarray) -> np.ndarray:
    """Return for each week of `seen` (T, …) the last one that was seen until then; the week itself before any."""
    week = np.arange(len(seen)).reshape(-1, *[1] * (seen.ndim - 1))
    last = np.maximum.accumulate(np.where(seen, week, -1), axis=0)
    return np.where(last < 0, week, last)
