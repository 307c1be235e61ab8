"""Price response: a pooled regression of log sales on own and competing offers.

One model a brand.  All stores share the response to prices and promotions; each store
has its own level and its own, shrunk, deviation in slope.  The regression is refitted at
every past week (cheap: sums of cross products are carried forward), so that the spread
of the forecast comes from errors made on weeks the fit had not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecasting import schemas
from forecasting.models.fitted import Fitted
from forecasting.models.response.features import Offers, brand_regressors, brand_risk, offers_on_grid, usual_prices
from forecasting.models.response.fit import FitOptions, RollingFit, rolling_fit
from forecasting.models.response.frozen import FrozenResponse
from forecasting.models.response.now import BrandNow, bring_up_to_date
from forecasting.models.response.spread import DRAWS, Spread, learn_spread
from forecasting.panel import future_cells, series_of
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
    rolled: RollingFit

    @property
    def forecasts(self) -> np.ndarray:
        """Of every origin, (origins, H, S), logs; the last origin is today."""
        return self.rolled.forecasts

    @property
    def today(self) -> int:
        return len(self.forecasts) - 1

    @property
    def weeks_ahead(self) -> pd.DatetimeIndex:
        return self.offers.weeks[self.today + self.steps]


def price_response(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Predictive:
    """Forecast every series of `panel` (store, brand, week, units, price, deal, feat).

    `promotions` (store, brand, week, price, deal, feat) holds all brands of these stores,
    past and future.  Brands are modelled one by one, so no brand depends on the others.
    """
    fits = fit_brands(panel, promotions, spec)
    return as_predictive(fits, [brand_draws(fit, fit.forecasts) for fit in fits])


def fit(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Fitted:
    """What the model has learnt at the cutoff: of each brand a `FrozenResponse`, as rows of the table `parameters`."""
    rows = []
    for found in fit_brands(panel, promotions, spec):
        frozen = FrozenResponse.of(
            found.offers, usual_prices(found.offers, found.brand), found.rolled, _spreads(found, found.forecasts)
        )
        rows.append(frozen.as_rows(found.brand))
    return Fitted(spec, schemas.PARAMETERS.cast(pd.concat(rows, ignore_index=True)))


def predict(fitted: Fitted, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Predictive:
    """Forecast by what was learnt, every series of `panel` that it knows; at the cutoff of the fit as `price_response`.

    What stays: slopes, levels, bounds, scale, and size and shape of the errors. What follows the weeks sold
    since then: by how much sales ran of late above or below what was expected.
    """
    brands = prepare(fitted, panel, promotions, spec)
    if not brands:  # a partition of which nothing was learnt
        return Predictive(future_cells(series_of(panel).iloc[:0], spec), np.empty((0, DRAWS)))
    return as_predictive(brands, [brand.log_draws() for brand in brands])


def prepare(fitted: Fitted, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> list[BrandNow]:
    """Every brand of the panel that the fit knows, brought up to the cutoff."""
    kept = {brand: FrozenResponse.from_rows(rows) for brand, rows in fitted.parameters.groupby("brand")}
    weeks_since_fit = (spec.cutoff - fitted.spec.cutoff).days // 7
    steps, last = np.array(spec.steps), pd.Timestamp(spec.weeks[-1])
    brands: list[BrandNow] = []
    shared: Offers | None = None
    for brand, sales in panel.groupby("brand", sort=True):
        if brand not in kept:
            continue
        frozen = kept[brand]
        known = sales[sales["store"].isin(frozen.stores)]
        if known.empty:
            continue
        stores = np.sort(known["store"].unique())
        weeks = pd.date_range(known["week"].min(), last, freq="7D")
        offers = shared
        if offers is None or not offers.cover(brand, stores, weeks) or not np.array_equal(offers.brands, frozen.brands):
            # A rival that the fit did not know has no slope.
            offers = offers_on_grid(promotions[promotions["brand"].isin(frozen.brands)], frozen.brands, stores, weeks)
            shared = offers
        log_sales = _log_sales_on_grid(known, stores, weeks)
        brands.append(bring_up_to_date(frozen.only(stores), int(brand), offers, log_sales, weeks_since_fit, steps))
    return brands


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
    draws = [
        spread.around(forecasts[-1, j], risk[fit.today + int(fit.steps[j])])
        for j, spread in enumerate(_spreads(fit, forecasts))
    ]
    return np.stack(draws, axis=1)


def as_predictive(brands: Sequence[BrandFit | BrandNow], log_draws_of: list[np.ndarray]) -> Predictive:
    """The brands' log draws (S, H, D) as one distribution in cartons."""
    frames = [
        pd.DataFrame(
            {
                "store": np.repeat(brand.offers.stores, len(brand.steps)),
                "brand": brand.brand,
                "week": np.tile(brand.weeks_ahead, len(brand.offers.stores)),
                "step": np.tile(brand.steps, len(brand.offers.stores)),
            }
        )
        for brand in brands
    ]
    draws = [cartons(draws).reshape(-1, draws.shape[-1]) for draws in log_draws_of]
    return Predictive(pd.concat(frames, ignore_index=True), np.concatenate(draws))


def _fit_brand(brand: int, sales: pd.DataFrame, offers: Offers, spec: ForecastSpec) -> BrandFit:
    steps = np.array(spec.steps)
    today = len(offers.weeks) - 1 - int(steps[-1])
    log_sales = _log_sales_on_grid(sales, offers.stores, offers.weeks)
    regressors, penalty = brand_regressors(offers, brand, usual_prices(offers, brand))
    rolled = rolling_fit(regressors, penalty, log_sales, steps, today, FitOptions())
    return BrandFit(brand, offers, steps, log_sales, rolled)


def _log_sales_on_grid(sales: pd.DataFrame, stores: np.ndarray, weeks: pd.DatetimeIndex) -> np.ndarray:
    """Log cartons, shape (W, S); NaN where unseen."""
    grid = np.full((len(weeks), len(stores)), np.nan)
    units = np.maximum(sales["units"].to_numpy(float), SMALLEST_SALE)
    grid[weeks.get_indexer(sales["week"]), np.searchsorted(stores, sales["store"])] = np.log(units)
    return grid


def _spreads(fit: BrandFit, forecasts: np.ndarray) -> list[Spread]:
    """What past `forecasts` (origins, H, S) tell of the errors of each step; the last origin is today."""
    risk = brand_risk(fit.offers, fit.brand)
    spreads = []
    for j, step in enumerate(int(step) for step in fit.steps):
        past = np.arange(FIRST_ORIGIN, fit.today + 1 - step)
        errors = fit.log_sales[past + step] - forecasts[past, j]
        known = ~np.isnan(errors)
        age = np.broadcast_to((fit.today - step - past)[:, None], errors.shape)
        spreads.append(learn_spread(errors[known], risk[past + step][known], age[known]))
    return spreads
