"""Products fitted to their past, as many at once as share stores and weeks."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecasting.contracts.panel_definition import Id
from forecasting.contracts.spec import ForecastSpec
from forecasting.models.response.choice import FIRST_ORIGIN, candidate_weights
from forecasting.models.response.features import Own, own_columns, product_regressors, product_risk, usual_prices
from forecasting.models.response.fit import FitOptions, RollingFit, rolling_fit
from forecasting.models.response.offers import Announcements, Offers, nearest_rivals
from forecasting.models.response.sales import Sales
from forecasting.models.response.season import COLUMNS, last_years_season
from forecasting.models.response.spread import Spread, learn_spread

MOST_AT_ONCE = 256  # series fitted in one pass: more would not fit into the processor's cache
MOST_POOLED = 500  # stores that the shared slopes of a product are learnt from
SEASON_PENALTIES = (0.1, 0.02, 0.02)  # of its columns, which are not brought to unit variance


@dataclass(frozen=True)
class Group:
    """Products that are sold in the same stores since the same week: P products, S stores, W weeks.

    own: their offers; the last week is the last week forecast.
    usual: their usual prices, (P, 4). sales: of each product.
    rolled: the fit.
    """

    own: Own
    steps: np.ndarray
    usual: np.ndarray
    sales: tuple[Sales, ...]
    rolled: RollingFit

    @property
    def products(self) -> list["ProductFit"]:
        """The products one by one."""
        weights = candidate_weights(self.rolled.forecasts, _logs(self.sales), self.steps)
        mixed = np.einsum("pc,tchps->pths", weights, self.rolled.forecasts)
        risk = np.ascontiguousarray(product_risk(self.own).transpose(1, 0, 2, 3))
        return [ProductFit(self, p, weights[p], mixed[p], risk[p]) for p in range(len(weights))]


@dataclass(frozen=True)
class ProductFit:
    """One product of a group: its past, and its forecasts from every past week.

    weights: of the candidates, (C,). forecasts: logs, (origins, H, S); the last origin is today. risk: (W, S, R).
    """

    group: Group
    position: int
    weights: np.ndarray
    forecasts: np.ndarray
    risk: np.ndarray

    @property
    def offers(self) -> Offers:
        return self.group.own.offers

    @property
    def own(self) -> int:
        """Position of the product in the offers."""
        return int(self.group.own.positions[self.position])

    @property
    def product(self) -> Id:
        return self.offers.products[self.own]

    @property
    def rivals(self) -> np.ndarray:
        """Positions of the rivals in the offers."""
        return self.group.own.rivals[self.position]

    @property
    def steps(self) -> np.ndarray:
        return self.group.steps

    @property
    def sales(self) -> Sales:
        return self.group.sales[self.position]

    @property
    def today(self) -> int:
        return len(self.forecasts) - 1

    @property
    def weeks_ahead(self) -> pd.DatetimeIndex:
        return self.offers.weeks[self.today + self.steps]

    def spreads(self, forecasts: np.ndarray) -> list[Spread]:
        """Return the spread of the errors of `forecasts` (origins, H, S) at each step; the last origin is today."""
        spreads = []
        for j, step in enumerate(int(step) for step in self.steps):
            past = np.arange(min(FIRST_ORIGIN, self.today // 2), self.today + 1 - step)
            errors = self.sales.logs[past + step] - forecasts[past, j]
            spreads.append(learn_spread(errors, self.risk[past + step], self.today - step - past))
        return spreads

    def log_samples(self, forecasts: np.ndarray) -> np.ndarray:
        """Return the sorted log samples (S, H, D) around the last of `forecasts`, spread by the others' errors."""
        unsold = self.sales.unsold_share(self.today)
        samples = [
            spread.around(forecasts[-1, j], self.risk[self.today + int(self.steps[j])], unsold)
            for j, spread in enumerate(self.spreads(forecasts))
        ]
        return np.stack(samples, axis=1)


def fit_products(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> list[ProductFit]:
    """Return every product of the panel, in order, each fitted by itself."""
    fits = [fit for group in fit_groups(panel, promotions, spec) for fit in group.products]
    order = {product: position for position, product in enumerate(np.unique(panel["product"]))}
    return sorted(fits, key=lambda fit: order[fit.product])


def fit_groups(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Iterator[Group]:
    """Fit the products of the panel, as many at once as share stores and weeks."""
    announced = Announcements.of(promotions, spec.definition, panel, pd.Timestamp(spec.weeks[-1]))
    # By the offers that they see, then by their first week.
    alike: dict[tuple[object, ...], dict[pd.Timestamp, dict[Id, pd.DataFrame]]] = {}
    for product, sales in panel.groupby("product", sort=True):
        stores = np.unique(sales["store"].to_numpy())
        # A product without any plan is added to its own offers only: it must not be a rival of the others.
        unplanned = None if announced.has_plan(product, stores) else product
        since = alike.setdefault((unplanned, tuple(stores)), {})
        since.setdefault(sales["week"].min(), {})[product] = sales
    for since in alike.values():
        own = {product: sales for of_week in since.values() for product, sales in of_week.items()}
        stores = np.unique(next(iter(own.values()))["store"].to_numpy())
        seen = announced.offers(stores, np.array(list(own)))
        for first, sales_of in since.items():
            offers, products = seen.since(int(seen.weeks.get_loc(first))), list(sales_of)
            at_once = max(MOST_AT_ONCE // len(offers.stores), 1)
            for begin in range(0, len(products), at_once):
                some = products[begin : begin + at_once]
                yield _fit_group({product: sales_of[product] for product in some}, offers, spec)


def _fit_group(sales_of: dict[Id, pd.DataFrame], offers: Offers, spec: ForecastSpec) -> Group:
    positions = offers.positions(np.array(list(sales_of)))
    own = Own(offers, positions, nearest_rivals(offers, positions))
    steps, usual = np.array(spec.steps), usual_prices(own)
    sales = tuple(Sales.on_grid(rows, offers.stores, offers.weeks) for rows in sales_of.values())
    logs = _logs(sales)
    today = len(offers.weeks) - 1 - int(steps[-1])
    x, penalty, changing = product_regressors(own, usual)
    x = with_season(x, logs[: today + 1])
    # One store alone has no slopes that differ from the shared ones.
    own_slopes = len(own_columns(own)) if len(offers.stores) > 1 else 0
    rolled = rolling_fit(
        x,
        np.append(penalty, SEASON_PENALTIES),
        logs,
        steps,
        today,
        FitOptions(),
        own_slopes,
        pooled_stores(offers.stores),
        np.append(changing, len(penalty) + np.arange(COLUMNS)),
    )
    return Group(own, steps, usual, sales, rolled)


def _logs(sales: tuple[Sales, ...]) -> np.ndarray:
    """Log units of all products, (W, P, S)."""
    return np.stack([each.logs for each in sales], axis=1)


def with_season(x: np.ndarray, log_sales: np.ndarray) -> np.ndarray:
    """Return the regressors (W, P, S, K) with last year's season as their last columns."""
    return np.concatenate([x, last_years_season(log_sales, len(x))], axis=-1)


def pooled_stores(stores: np.ndarray) -> np.ndarray:
    """Return the positions of at most `MOST_POOLED` stores: those with the least checksums, so that few ever change."""
    if len(stores) <= MOST_POOLED:
        return np.arange(len(stores))
    checksums = np.array([zlib.crc32(str(store).encode()) for store in stores])
    return np.sort(np.argsort(checksums, kind="stable")[:MOST_POOLED])
