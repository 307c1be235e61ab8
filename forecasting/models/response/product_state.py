"""A product's state, which follows the weeks sold since the fit: ready to forecast, also under other offers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecasting.contracts.panel_definition import Id
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import from_logs, smallest_sale
from forecasting.core.pool import pooled_stores
from forecasting.models.response.features import Own, product_risk
from forecasting.models.response.fit import FitOptions
from forecasting.models.response.offers import REGULAR_PRICE_WEEKS, Offers
from forecasting.models.response.parameters import ResponseParameters
from forecasting.models.response.sales import Sales
from forecasting.models.response.season import last_years_season


@dataclass(frozen=True)
class ProductState:
    """One product at the cutoff: its response, its state, and the offers of the last weeks and of those ahead.

    today: position in the offers' weeks of the last observed one.
    season: last year's, of the offers' weeks, (W, N, S). unsold: how probable a week without a sale is, (S,).
    smallest: units, of a sale (`forecasting.core.distribution.smallest_sale`).
    """

    product: Id
    frozen: ResponseParameters
    offers: Offers
    season: np.ndarray
    unsold: np.ndarray
    smallest: float
    today: int
    steps: np.ndarray  # (H,)

    @property
    def weeks_ahead(self) -> pd.DatetimeIndex:
        return self.offers.weeks[self.today + self.steps]

    def log_samples(self) -> np.ndarray:
        """Return the sorted log samples, (S, H, D)."""
        own = Own.of(self.offers.since(self.today), self.product)
        x = self.frozen.regressors(own, self.season[self.today :])
        centre, risk = self.frozen.forecast(x[self.steps]), product_risk(own)[self.steps, 0]
        samples = [self.frozen.spread(j).around(centre[j], risk[j], self.unsold) for j in range(len(self.steps))]
        return np.stack(samples, axis=1)

    def samples_of(self, store: Id, week: pd.Timestamp) -> np.ndarray:
        """Return the sorted samples in units of one store and coming week, (1, D)."""
        row = int(np.searchsorted(self.offers.stores, store))
        samples = self.log_samples()[row, int(self.weeks_ahead.get_loc(week))]
        return from_logs(samples, self.smallest)[None]

    def with_offer(self, store: Id, week: pd.Timestamp, offer: Mapping[str, float]) -> "ProductState":
        """Return the product with other values of these covariates in one store and coming week.

        Covariates that the model does not use change nothing.
        """
        cell = (
            self.offers.position(self.product),
            int(np.searchsorted(self.offers.stores, store)),
            int(self.offers.weeks.get_loc(week)),
        )
        return replace(self, offers=self.offers.with_values(cell, offer))


def bring_up_to_date(
    frozen: ResponseParameters,
    product: Id,
    offers: Offers,
    sales: Sales,
    weeks_since_fit: int,
    spec: ForecastSpec,
) -> ProductState:
    """Carry a product's state from the end of its fit to the last observed week.

    sales: of the weeks of `offers`, which reach to the last week to forecast.
    """
    steps, smallest = np.array(spec.steps), smallest_sale(spec.definition)
    today = len(offers.weeks) - 1 - int(steps[-1])
    season = last_years_season(sales.logs[: today + 1], len(sales.logs))
    fitted = today - weeks_since_fit  # before the first week where all who sold then are gone
    first, new = max(fitted, 0), max(fitted + 1, 0)
    # Of one week alone NumPy would add up the stores in another order.
    x = frozen.regressors(Own.of(offers.since(first), product), season[first:])[new - first : today + 1 - first]
    frozen = frozen.after(x, sales.logs[new : today + 1], int(steps[0]), FitOptions().outlier)
    # The discounts of the weeks ahead look back this far.
    tail = max(today + 1 - REGULAR_PRICE_WEEKS, 0)
    pooled = sales.of_stores(pooled_stores(offers.stores))
    unsold = sales.unsold_share(today, pooled.unsold_of_product(today))
    return ProductState(product, frozen, offers.since(tail), season[tail:], unsold, smallest, today - tail, steps)
