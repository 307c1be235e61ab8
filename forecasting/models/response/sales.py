"""Sales on a grid of weeks and stores: log units of weeks with a sale, and which weeks were without one."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

HALF_LIFE = 8.0  # weeks after which a week counts half in the share of weeks without a sale
PRIOR_WEEKS = 2.0  # of the product's share that a store's own begins with


@dataclass(frozen=True)
class Sales:
    """One product's sales on a grid of W weeks and S stores.

    logs: log units, (W, S); NaN where unseen or without a sale. unsold: weeks seen without a sale, (W, S).
    """

    logs: np.ndarray
    unsold: np.ndarray

    @classmethod
    def on_grid(cls, sales: pd.DataFrame, stores: np.ndarray, weeks: pd.DatetimeIndex) -> "Sales":
        """Return the sales of these weeks and stores, which may be some of `sales`; units below zero are no sale."""
        units = np.full((len(weeks), len(stores)), np.nan)
        week = (sales["week"].to_numpy() - weeks[0].to_datetime64()) // np.timedelta64(7, "D")
        ids = sales["store"].to_numpy()
        store = np.minimum(np.searchsorted(stores, ids), len(stores) - 1)
        here = (week >= 0) & (stores[store] == ids)
        units[week[here], store[here]] = sales["units"].to_numpy(float)[here]
        sold = units > 0
        return cls(np.log(units, where=sold, out=np.full(units.shape, np.nan)), units <= 0)

    def unsold_of_product(self, today: int) -> float:
        """Return the share of recent weeks without a sale in all stores, after this week of the grid."""
        unsold, seen = self._recent_weeks(today)
        return float(unsold.sum() / seen.sum()) if seen.sum() > 0 else 0.0

    def unsold_share(self, today: int, of_product: float) -> np.ndarray:
        """Return how probable a week without a sale is in each store after this week of the grid, (S,).

        That is the share of recent weeks (Teunter, Syntetos and Babai 2011), shrunk to the product's.
        """
        unsold, seen = self._recent_weeks(today)
        return (unsold + PRIOR_WEEKS * of_product) / (seen + PRIOR_WEEKS)

    def of_stores(self, positions: np.ndarray) -> "Sales":
        """Return the sales of the stores at these positions."""
        return Sales(self.logs[:, positions], self.unsold[:, positions])

    def _recent_weeks(self, today: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the faded counts of each store's weeks without a sale, and of those seen, (S,)."""
        fade = 0.5 ** ((today - np.arange(today + 1)) / HALF_LIFE)
        unsold = fade @ self.unsold[: today + 1]
        return unsold, unsold + fade @ ~np.isnan(self.logs[: today + 1])
