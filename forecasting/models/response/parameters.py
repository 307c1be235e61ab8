"""The parameters of a fitted response, and a product's state, which follows the weeks sold since the fit.

A state is brought up to a cutoff: it is ready to forecast, also under other offers than the planned ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from forecasting.contracts.panel_definition import Id
from forecasting.core.distribution import from_logs
from forecasting.models.response.features import (
    DEAL,
    FEAT,
    PRICE,
    REGULAR_PRICE_WEEKS,
    Offers,
    product_regressors,
    product_risk,
    regular_price,
)
from forecasting.models.response.fit import FitOptions, Response, RollingFit, Scale, State, huber_weight
from forecasting.models.response.spread import Spread


@dataclass(frozen=True)
class ResponseParameters:
    """One product's fitted response, and how its sales ran at the end of a week.

    Its fields are the names of the parameters in the table `parameters`; those of shape (S, ...) are per store.
    """

    stores: np.ndarray  # (S,), ascending
    products: np.ndarray  # (B,), the product and the rivals whose offers it was fitted to
    usual_prices: np.ndarray  # (4,), log
    centre: np.ndarray  # (K,)
    factor: np.ndarray  # (K,)
    slope: np.ndarray  # (K,)
    own_slope: np.ndarray  # (S, Z)
    level: np.ndarray  # (S,), log cartons
    lowest: np.ndarray  # (S,), log cartons
    highest: np.ndarray  # (S,), log cartons
    drift_weight: np.ndarray  # (S,)
    drift_miss: np.ndarray  # (S,)
    chain_weight: np.ndarray  # (S,)
    chain_miss: np.ndarray  # (S,)
    risk: np.ndarray  # (H, R)
    shape: np.ndarray  # (H, D)

    @classmethod
    def of(cls, offers: Offers, usual: np.ndarray, rolled: RollingFit, spreads: list[Spread]) -> "ResponseParameters":
        """What a fit ends with; `spreads` are those of its steps."""
        response = rolled.response
        return cls(
            offers.stores,
            offers.products,
            usual,
            rolled.scale.centre,
            rolled.scale.factor,
            response.slope,
            response.own_slope,
            response.level,
            rolled.lowest,
            rolled.highest,
            **vars(rolled.state),
            risk=np.stack([spread.coefficients for spread in spreads]),
            shape=np.stack([spread.shape for spread in spreads]),
        )

    @property
    def response(self) -> Response:
        return Response(self.slope, self.own_slope, self.level)

    @property
    def state(self) -> State:
        return State(self.drift_weight, self.drift_miss, self.chain_weight, self.chain_miss)

    def spread(self, position: int) -> Spread:
        """That of the step at this position; beyond the last that was fitted, the last one's."""
        position = min(position, len(self.shape) - 1)
        return Spread(self.risk[position], self.shape[position])

    def only(self, stores: np.ndarray) -> "ResponseParameters":
        """The same for some of its stores."""
        chosen = np.searchsorted(self.stores, stores)
        return replace(self, **{name: getattr(self, name)[chosen] for name in PER_STORE})

    def regressors(self, offers: Offers, product: int) -> np.ndarray:
        """Scaled regressors of these offers, (W, S, K).

        Of at least two weeks: over a single one NumPy adds up the stores in another order, and the last bits differ.
        """
        return Scale(self.centre, self.factor)(product_regressors(offers, product, self.usual_prices)[0])

    def forecast(self, x: np.ndarray, o: FitOptions) -> np.ndarray:
        """Log forecasts for scaled regressors (H, S, K), as they would be made now."""
        return np.clip(self.response(x) + self.state.deviation(o), self.lowest, self.highest)

    def after(self, x: np.ndarray, y: np.ndarray, first_step: int, o: FitOptions) -> "ResponseParameters":
        """The same after more weeks: x (N, S, K), scaled; y (N, S) log sales, NaN where unseen.

        As in the fit, a sale counts less where it was missed by far, by the forecast `first_step` weeks before it
        or, where that is longer ago, by the one at the end of the fit.
        """
        response, states = self.response, [self.state]
        drift_fade, chain_fade = (0.5 ** (1 / half_life) for half_life in (o.drift_half_life, o.chain_half_life))
        for week in range(len(y)):
            expected = response(x[week])
            then = states[max(week + 1 - first_step, 0)]
            forecast = np.clip(expected + then.deviation(o), self.lowest, self.highest)
            seen = ~np.isnan(y[week])
            sold = np.where(seen, y[week], 0.0)
            weight = seen * huber_weight(sold, forecast, o.outlier)
            miss = weight * (sold - expected)
            now = states[-1]
            states.append(
                State(
                    drift_fade * now.drift_weight + weight,
                    drift_fade * now.drift_miss + miss,
                    chain_fade * now.chain_weight + weight,
                    chain_fade * now.chain_miss + miss,
                )
            )
        return replace(self, **vars(states[-1]))

    def as_rows(self, product: int) -> pd.DataFrame:
        """Rows of the table `parameters`."""
        return pd.concat([self._rows_of(field.name, product) for field in fields(self)], ignore_index=True)

    def _rows_of(self, name: str, product: int) -> pd.DataFrame:
        values = getattr(self, name)
        width = values[0].size if name in PER_STORE else values.size
        stores = np.repeat(self.stores.astype(float), width) if name in PER_STORE else np.nan
        position = np.tile(np.arange(width), values.size // width)
        return pd.DataFrame(
            {
                "product": product,
                "name": name,
                "store": stores,
                "position": position,
                "value": values.ravel().astype(float),
            }
        )

    @classmethod
    def from_rows(cls, rows: pd.DataFrame) -> "ResponseParameters":
        """The inverse of `as_rows`, for the rows of one product."""
        ordered = rows.sort_values(["name", "store", "position"])
        values = {str(name): of_name.to_numpy() for name, of_name in ordered.groupby("name", sort=False)["value"]}
        stores, products = values.pop("stores").astype(int), values.pop("products").astype(int)
        steps = len(values["risk"]) // RISKS
        shaped = {"own_slope": (len(stores), -1), "risk": (steps, -1), "shape": (steps, -1)}
        for name, shape in shaped.items():
            values[name] = values[name].reshape(shape)
        return cls(stores=stores, products=products, **values)


PER_STORE = (
    "stores",
    "own_slope",
    "level",
    "lowest",
    "highest",
    "drift_weight",
    "drift_miss",
    "chain_weight",
    "chain_miss",
)
RISKS = 3  # columns of `features.product_risk`


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

    def samples_of(self, store: Id, week: pd.Timestamp) -> np.ndarray:
        """Return the sorted samples in units of one store and coming week, (1, D)."""
        row = int(np.searchsorted(self.offers.stores, store)), int(self.weeks_ahead.get_loc(week))
        return from_logs(self.log_samples()[row])[None]

    def with_offer(self, store: Id, week: pd.Timestamp, offer: Mapping[str, float]) -> "ProductState":
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
