"""A fitted response brought up to a cutoff: ready to forecast, also under other offers than the planned ones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecasting.core.distribution import from_logs
from forecasting.models.response.features import (
    DEAL,
    FEAT,
    PRICE,
    REGULAR_PRICE_WEEKS,
    Offers,
    product_risk,
    regular_price,
)
from forecasting.models.response.fit import FitOptions
from forecasting.models.response.parameters import ResponseParameters


@dataclass(frozen=True)
class ProductState:
    """One product at the cutoff: its response, its state, and the offers of the last weeks and of those ahead.

    today: position in the offers' weeks of the last observed one.
    """

    product: int
    frozen: ResponseParameters
    offers: Offers
    today: int
    steps: np.ndarray  # (H,)

    @property
    def weeks_ahead(self) -> pd.DatetimeIndex:
        return self.offers.weeks[self.today + self.steps]

    def log_samples(self) -> np.ndarray:
        """Return the sorted log samples, (S, H, D)."""
        ahead = self.offers.since(self.today)
        centre = self.frozen.forecast(self.frozen.regressors(ahead, self.product)[self.steps], FitOptions())
        risk = product_risk(ahead, self.product)[self.steps]
        samples = [self.frozen.spread(j).around(centre[j], risk[j]) for j in range(len(self.steps))]
        return np.stack(samples, axis=1)

    def samples_of(self, store: int, week: pd.Timestamp) -> np.ndarray:
        """Return the sorted samples in units of one store and coming week, (1, D)."""
        row = int(np.searchsorted(self.offers.stores, store)), int(self.weeks_ahead.get_loc(week))
        return from_logs(self.log_samples()[row])[None]

    def with_offer(self, store: int, week: pd.Timestamp, offer: Mapping[str, float]) -> "ProductState":
        """Return the product with other values of these covariates in one store and coming week.

        Covariates that the model does not use change nothing.
        """
        cell = (
            int(np.searchsorted(self.offers.products, self.product)),
            int(np.searchsorted(self.offers.stores, store)),
            self.offers.weeks.get_loc(week),
        )
        values = {name: offer[name] for name in (DEAL, FEAT) if name in offer}
        if PRICE in offer:
            values["log_price"] = float(np.log(offer[PRICE]))
        changed = {}
        for name, value in values.items():
            changed[name] = getattr(self.offers, name).copy()
            changed[name][cell] = value
        if PRICE in offer:
            prices = changed["log_price"][cell[:2]]
            changed["discount"] = self.offers.discount.copy()
            changed["discount"][cell[:2]] = np.maximum(regular_price(prices) - prices, 0.0)
        return replace(self, offers=replace(self.offers, **changed))


def bring_up_to_date(
    frozen: ResponseParameters,
    product: int,
    offers: Offers,
    log_sales: np.ndarray,
    weeks_since_fit: int,
    steps: np.ndarray,
) -> ProductState:
    """Carry a product's state from the end of its fit to the last observed week.

    log_sales: (W, S), NaN where unseen, of the weeks of `offers`, which reach to the last week to forecast.
    """
    today = len(offers.weeks) - 1 - int(steps[-1])
    fitted = today - weeks_since_fit  # before the first week where all who sold then are gone
    first, new = max(fitted, 0), max(fitted + 1, 0)
    # Of one week alone NumPy would add up the stores in another order.
    x = frozen.regressors(offers.since(first), product)[new - first : today + 1 - first]
    frozen = frozen.after(x, log_sales[new : today + 1], int(steps[0]), FitOptions())
    # The discounts of the weeks ahead look back this far.
    tail = max(today + 1 - REGULAR_PRICE_WEEKS, 0)
    return ProductState(product, frozen, offers.since(tail), today - tail, steps)
