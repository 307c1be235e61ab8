"""Faded sums of products, which slopes are solved from; those of week t are the sums of week t - 1, faded, and its own.

Weeks are added some at once, those since the last fit: each pass over the sums costs as much as one over the weeks.

Axes: n weeks, P products, S stores, K regressors; columns are [x, log sales, 1], K + 2 of them.
"""

import numpy as np

TINY = 1e-9


class ProductSums:
    """Sums over all stores of a product, which its shared slopes are solved from.

    `xx` and `level_x` hold the columns: the cross products and the constant come with them. A week counts by the
    inverse of its covariance, 1 + shock × (all ones) relative to a store's own noise.
    """

    def __init__(self, half_life: float, shock: float, products: int, stores: int, k: int) -> None:
        self.fade, self.shock = 0.5 ** (1 / half_life), shock
        self.xx = np.zeros((products, k + 2, k + 2))
        self.level_x = np.zeros((k + 2, products, stores))  # products with a store's level
        self.w = np.zeros((products, stores))
        self.weeks, self.information = 0.0, np.zeros(products)

    def add(self, w: np.ndarray, columns: np.ndarray, weighted: np.ndarray) -> None:
        """Add weeks: weights (n, P, S), columns (n, K + 2, P, S), and the columns times the weights."""
        n = len(w)
        age = self.fade ** np.arange(n - 1, -1, -1.0)
        count = w.sum(axis=2)
        kept = 1 / (1 + self.shock * count)  # the information of a week that all stores share
        mean = weighted.sum(axis=3) / np.maximum(count, TINY)[:, None]
        # Of the mean of a week only what is kept counts; that goes into both sums.
        known = weighted - ((1 - kept)[:, None] * mean)[..., None] * w[:, None]
        known *= age[:, None, None, None]
        faded = self.fade**n
        self.xx *= faded
        self.xx += (known.swapaxes(1, 2) @ np.moveaxis(columns, 1, 3)).sum(axis=0)
        self.level_x *= faded
        self.level_x += known.sum(axis=0)
        self.w = faded * self.w + (age[:, None, None] * w).sum(axis=0)
        self.weeks = faded * self.weeks + age.sum()
        self.information = faded * self.information + (age[:, None] * count * kept).sum(axis=0)

    def within_stores(self) -> np.ndarray:
        """Return the products of [x, log sales], (P, K + 1, K + 1), without what levels explain.

        Positive semi-definite: a store's level is taken out with the weight of its own rows, which is at least what
        they are worth once the weeks' shocks are allowed for, so the rest is the Schur complement of a positive
        semi-definite matrix. With whole weeks only it is the regression within stores to the letter.
        """
        scaled = (self.level_x / np.sqrt(np.maximum(self.w, TINY))).swapaxes(0, 1)
        rest = self.xx - scaled @ scaled.swapaxes(1, 2)
        constant = rest[:, -1]
        taken = constant[:, :, None] * constant[:, None, :] / np.maximum(constant[:, -1], TINY)[:, None, None]
        return (rest - taken)[:, :-1, :-1]


class StoreSums:
    """Sums of each store.

    columns: faded by each half-life, (L, K + 2, P, S). own: products of the first Z regressors with all columns, faded
    by the first half-life, (Z, K + 2, P, S).
    """

    def __init__(self, half_lives: tuple[float, ...], own_slopes: int, k: int, products: int, stores: int) -> None:
        self._fades = 0.5 ** (1 / np.array(half_lives))[:, None, None, None]
        self.columns = np.zeros((len(half_lives), k + 2, products, stores))
        self.own = np.zeros((own_slopes, k + 2, products, stores))
        # Memory for what a week adds, kept: to ask for it anew each week costs more than to fill it.
        self._of_columns, self._of_own = np.empty_like(self.columns), np.empty_like(self.own)

    def add(self, columns: np.ndarray, weighted: np.ndarray) -> None:
        """Add weeks: columns (n, K + 2, P, S), and the columns times their weights."""
        n, z = len(columns), len(self.own)
        self.columns *= self._fades**n
        self.own *= self._fades[0] ** n
        for week, age in enumerate(range(n - 1, -1, -1)):
            faded = self._fades**age
            self.columns += np.multiply(faded, weighted[week], out=self._of_columns) if age else weighted[week]
            if z:
                regressors = faded[0] * weighted[week, :z]
                self.own += np.multiply(regressors[:, None], columns[week], out=self._of_own)
