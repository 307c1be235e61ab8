"""Products fitted to their past, and their forecasts from every week of it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from forecasting.contracts.panel_definition import Id
from forecasting.contracts.spec import ForecastSpec
from forecasting.models.response.choice import FIRST_ORIGIN, candidate_weights
from forecasting.models.response.features import ChainOffers, Own, product_regressors, product_risk
from forecasting.models.response.fit import FitOptions, RollingFit, rolling_fit
from forecasting.models.response.offers import Offers
from forecasting.models.response.sales import Sales
from forecasting.models.response.season import COLUMNS, last_years_season
from forecasting.models.response.shared import Learn, Shared
from forecasting.models.response.spread import ProductSpread, Spread, learn_spread

SEASON_PENALTIES = (0.1, 0.02, 0.02)  # of its columns, which are not brought to unit variance


@dataclass(frozen=True)
class Group:
    """Products that are sold in the same stores since the same week: P products, S stores, W weeks.

    own: their offers; the last week is the last week forecast.
    chain: what the offers of their stores have in common. sales: of each product.
    rolled: the fit. shared: what it learnt, or recalled.
    """

    own: Own
    steps: np.ndarray
    chain: ChainOffers
    sales: tuple[Sales, ...]
    rolled: RollingFit
    shared: Shared

    @property
    def today(self) -> int:
        return len(self.rolled.forecasts) - 1

    def learnt_of(self, position: int) -> dict[str, np.ndarray]:
        """Return what was learnt of the product at this position, by name."""
        return self.shared.of_product(position) if isinstance(self.shared, Learn) else {}

    @cached_property
    def fits(self) -> list["ProductFit"]:
        """The products one by one."""
        forecasts, logs = self.rolled.forecasts, _logs(self.sales)
        weights = self.shared("weights", lambda: candidate_weights(forecasts, logs, self.steps))
        mixed = np.einsum("pc,tchps->pths", weights, forecasts)
        risk = np.ascontiguousarray(product_risk(self.own).transpose(1, 0, 2, 3))
        of_product = self.shared("unsold", lambda: np.array([s.unsold_of_product(self.today) for s in self.sales]))
        past = [past_errors(mixed[p], sales, risk[p], self.steps) for p, sales in enumerate(self.sales)]
        learnt = self.shared("spread", lambda: np.stack([[learn_spread(*of).as_row() for of in each] for each in past]))
        fits = []
        for p, (sales, each) in enumerate(zip(self.sales, past, strict=True)):
            spreads = [ProductSpread.of_row(row).of_stores(*of) for row, of in zip(learnt[p], each, strict=True)]
            unsold = sales.unsold_share(self.today, of_product[p])
            fits.append(ProductFit(self, p, weights[p], mixed[p], risk[p], spreads, unsold))
        return fits


@dataclass(frozen=True)
class ProductFit:
    """One product of a group: its past, and its forecasts from every past week.

    weights: of the candidates, (C,). forecasts: logs, (origins, H, S); the last origin is today. risk: (W, S, R).
    spreads: of the errors of `forecasts`, by step. unsold: how probable a week without a sale is, (S,).
    """

    group: Group
    position: int
    weights: np.ndarray
    forecasts: np.ndarray
    risk: np.ndarray
    spreads: list[Spread]
    unsold: np.ndarray

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
        return self.group.today

    @property
    def weeks_ahead(self) -> pd.DatetimeIndex:
        return self.offers.weeks[self.today + self.steps]

    def log_samples(self, forecasts: np.ndarray | None = None) -> np.ndarray:
        """Return the sorted log samples (S, H, D) around the last forecasts, or of others (origins, H, S) in place.

        What others were off by in the past is their spread.
        """
        last, spreads = self.forecasts[-1], self.spreads
        if forecasts is not None:
            past = past_errors(forecasts, self.sales, self.risk, self.steps)
            last, spreads = forecasts[-1], [learn_spread(*of).of_stores(*of) for of in past]
        samples = [
            spread.around(last[j], self.risk[self.today + int(self.steps[j])], self.unsold)
            for j, spread in enumerate(spreads)
        ]
        return np.stack(samples, axis=1)


def past_errors(
    forecasts: np.ndarray, sales: Sales, risk: np.ndarray, steps: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return for each step the errors (N, S) of `forecasts` (origins, H, S), their risk (N, S, R) and age (N,)."""
    today = len(forecasts) - 1
    found = []
    for j, step in enumerate(int(step) for step in steps):
        origins = np.arange(min(FIRST_ORIGIN, today // 2), today + 1 - step)
        errors = sales.logs[origins + step] - forecasts[origins, j]
        found.append((errors, risk[origins + step], today - step - origins))
    return found


def fit_group(own: Own, sales: tuple[Sales, ...], spec: ForecastSpec, shared: Shared) -> Group:
    """Fit products whose offers and sales are on one grid of stores and weeks."""
    steps, chain = np.array(spec.steps), ChainOffers.of(own, shared)
    logs = _logs(sales)
    today = len(own.offers.weeks) - 1 - int(steps[-1])
    season = last_years_season(logs[: today + 1], len(logs))
    x, penalty, changing = product_regressors(own, chain, season)
    # One store alone has no slopes that differ from the shared ones.
    own_slopes = chain.means.shape[1]
    rolled = rolling_fit(
        x,
        np.append(penalty, SEASON_PENALTIES),
        logs,
        steps,
        today,
        FitOptions(),
        own_slopes,
        np.append(changing, len(penalty) + np.arange(COLUMNS)),
        shared,
    )
    return Group(own, steps, chain, sales, rolled, shared)


def _logs(sales: tuple[Sales, ...]) -> np.ndarray:
    """Log units of all products, (W, P, S)."""
    return np.stack([each.logs for each in sales], axis=1)
