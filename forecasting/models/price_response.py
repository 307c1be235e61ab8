"""Price response: a pooled regression of log sales on own and competing offers.

One model a brand.  All stores share the response to prices and promotions; each store
has its own level and its own, shrunk, deviation in slope.  The regression is refitted at
every past week (cheap: sums of cross products are carried forward), so that the spread
of the forecast comes from errors made on weeks the fit had not seen.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecasting.models.response.features import Offers, brand_regressors, brand_risk, offers_on_grid
from forecasting.models.response.fit import FitOptions, rolling_forecasts
from forecasting.models.response.spread import log_draws
from forecasting.predictive import SMALLEST_SALE, Predictive, cartons
from forecasting.spec import ForecastSpec

FIRST_ORIGIN = 20  # weeks of history before a forecast whose error tells something


@dataclass(frozen=True)
class BrandFit:
    """One brand's past and all forecasts ever made of it, on a grid of W weeks and S stores."""

    brand: int
    offers: Offers  # the last week is the last week forecast
    steps: np.ndarray  # (H,)
    log_sales: np.ndarray  # (W, S), NaN where unseen
    forecasts: np.ndarray  # (origins, H, S), logs; the last origin is today

    @property
    def today(self) -> int:
        return len(self.forecasts) - 1


def price_response(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Predictive:
    """Forecast every series of `panel` (store, brand, week, units, price, deal, feat).

    `promotions` (store, brand, week, price, deal, feat) holds all brands of these stores,
    past and future.  Brands are modelled one by one, so no brand depends on the others.
    """
    fits = fit_brands(panel, promotions, spec)
    return as_predictive(fits, [brand_draws(fit, fit.forecasts) for fit in fits])


def fit_brands(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> list[BrandFit]:
    """Every brand of the panel, in order, fitted by itself."""
    last = pd.Timestamp(spec.weeks[-1])
    fits: list[BrandFit] = []
    shared: Offers | None = None  # most brands see the same offers
    for brand, sales in panel.groupby("brand", sort=True):
        stores = np.sort(sales["store"].unique())
        weeks = pd.date_range(sales["week"].min(), last, freq="7D")
        offers = shared
        if offers is None or not offers.cover(brand, stores, weeks):
            offers = offers_on_grid(promotions, brand, stores, weeks)
            planned = promotions["brand"].eq(brand) & promotions["store"].isin(stores)
            # A brand without any plan is added to its own offers only: it must not be a rival of the others.
            shared = offers if planned.any() else None
        fits.append(_fit_brand(brand, sales, offers, spec))
    return fits


def brand_draws(fit: BrandFit, forecasts: np.ndarray) -> np.ndarray:
    """Sorted log draws (S, H, D) around the last of `forecasts`, learnt from the errors of the others.

    forecasts: (origins, H, S), as in `fit`; NaN where none was made.
    """
    risk = brand_risk(fit.offers, fit.brand)
    draws = [_step_draws(forecasts[:, j], fit.log_sales, risk, int(step)) for j, step in enumerate(fit.steps)]
    return np.stack(draws, axis=1)


def as_predictive(fits: list[BrandFit], log_draws_of: list[np.ndarray]) -> Predictive:
    """The brands' log draws (S, H, D) as one distribution in cartons."""
    frames = [
        pd.DataFrame(
            {
                "store": np.repeat(fit.offers.stores, len(fit.steps)),
                "brand": fit.brand,
                "week": np.tile(fit.offers.weeks[fit.today + fit.steps], len(fit.offers.stores)),
                "step": np.tile(fit.steps, len(fit.offers.stores)),
            }
        )
        for fit in fits
    ]
    draws = [cartons(draws).reshape(-1, draws.shape[-1]) for draws in log_draws_of]
    return Predictive(pd.concat(frames, ignore_index=True), np.concatenate(draws))


def _fit_brand(brand: int, sales: pd.DataFrame, offers: Offers, spec: ForecastSpec) -> BrandFit:
    steps = np.array(spec.steps)
    today = len(offers.weeks) - 1 - int(steps[-1])
    log_sales = _log_sales_on_grid(sales, offers.stores, offers.weeks)
    regressors, penalty = brand_regressors(offers, brand)
    forecasts = rolling_forecasts(regressors, penalty, log_sales, steps, today, FitOptions())
    return BrandFit(brand, offers, steps, log_sales, forecasts)


def _log_sales_on_grid(sales: pd.DataFrame, stores: np.ndarray, weeks: pd.DatetimeIndex) -> np.ndarray:
    """Log cartons, shape (W, S); NaN where unseen."""
    grid = np.full((len(weeks), len(stores)), np.nan)
    units = np.maximum(sales["units"].to_numpy(float), SMALLEST_SALE)
    grid[weeks.get_indexer(sales["week"]), np.searchsorted(stores, sales["store"])] = np.log(units)
    return grid


def _step_draws(forecasts: np.ndarray, log_sales: np.ndarray, risk: np.ndarray, step: int) -> np.ndarray:
    """Sorted log draws (S, D) of one step; the last forecast was made today.

    forecasts: (origins, S); log_sales: (W, S); risk: (W, S, R).
    """
    today = len(forecasts) - 1
    past = np.arange(FIRST_ORIGIN, today + 1 - step)
    errors = log_sales[past + step] - forecasts[past]
    known = ~np.isnan(errors)
    age = np.broadcast_to((today - step - past)[:, None], errors.shape)
    return log_draws(forecasts[-1], risk[today + step], errors[known], risk[past + step][known], age[known])
