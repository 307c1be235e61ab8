"""Price response: a pooled regression of log sales on own and competing offers, one product at a time.

All stores share the response to prices and promotions; each store
has its own level and its own, shrunk, deviation in slope.  The regression is refitted at
every past week (cheap: sums of cross products are carried forward), so that the spread
of the forecast comes from errors made on weeks the fit had not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import SMALLEST_SALE, PredictiveDistribution, from_logs
from forecasting.core.fitted_model import FittedModel
from forecasting.core.panel import future_cells, series_of
from forecasting.core.partition import Pooled
from forecasting.models.model import Model
from forecasting.models.response.features import Offers, offers_on_grid, product_regressors, product_risk, usual_prices
from forecasting.models.response.fit import FitOptions, RollingFit, rolling_fit
from forecasting.models.response.parameters import ProductState, ResponseParameters, bring_up_to_date
from forecasting.models.response.spread import SAMPLES, Spread, learn_spread

FIRST_ORIGIN = 20  # weeks of history before a forecast whose error counts


@dataclass(frozen=True)
class ProductFit:
    """One product's past, and its forecasts from every past week, on a grid of W weeks and S stores."""

    product: int
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


class PriceResponse(Model):
    """The response of a product's stores to their own and competing offers.

    `promotions` holds all products of the stores, past and future: the others are the competing offers.
    Products are modelled one by one, so no product depends on the sales of the others.
    """

    name = "price_response"
    summary = "response of a product's stores to own and competing prices and promotions"
    pooled: Pooled = "product"

    def forecast(self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> PredictiveDistribution:
        """Return the forecasts with which the fit ends; it saves the third of the time that `predict` would take."""
        fits = fit_products(panel, promotions, spec)
        return as_predictive(fits, [product_samples(fit, fit.forecasts) for fit in fits])

    def fit(self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> FittedModel:
        """Return one `ResponseParameters` for each product, as rows of the table `parameters`."""
        rows = []
        for found in fit_products(panel, promotions, spec):
            parameters = ResponseParameters.of(
                found.offers, usual_prices(found.offers, found.product), found.rolled, _spreads(found, found.forecasts)
            )
            rows.append(parameters.as_rows(found.product))
        return FittedModel(spec, schemas.parameters(spec.definition).cast(pd.concat(rows, ignore_index=True)))

    def predict(
        self, fitted: FittedModel, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec
    ) -> PredictiveDistribution:
        """Forecast by the fitted parameters every series of `panel` that has some.

        What stays: slopes, levels, bounds, scale, and size and shape of the errors. What follows the weeks sold
        since the fit: by how much recent sales ran above or below what was expected.
        """
        products = self.prepare(fitted, panel, promotions, spec)
        if not products:  # a partition without any fitted series
            return PredictiveDistribution(future_cells(series_of(panel).iloc[:0], spec), np.empty((0, SAMPLES)))
        return as_predictive(products, [product.log_samples() for product in products])

    def prepare(
        self, fitted: FittedModel, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec
    ) -> list[ProductState]:
        """Return every product of the panel that has fitted parameters, brought up to the cutoff."""
        parameters = {
            product: ResponseParameters.from_rows(rows) for product, rows in fitted.parameters.groupby("product")
        }
        weeks_since_fit = (spec.cutoff - fitted.spec.cutoff).days // 7
        steps, last = np.array(spec.steps), pd.Timestamp(spec.weeks[-1])
        products: list[ProductState] = []
        shared: Offers | None = None
        for product, sales in panel.groupby("product", sort=True):
            if product not in parameters:
                continue
            frozen = parameters[product]
            known = sales[sales["store"].isin(frozen.stores)]
            if known.empty:
                continue
            stores = np.sort(known["store"].unique())
            weeks = pd.date_range(known["week"].min(), last, freq="7D")
            offers = shared
            if (
                offers is None
                or not offers.cover(product, stores, weeks)
                or not np.array_equal(offers.products, frozen.products)
            ):
                # A rival that the fit did not know has no slope.
                offers = offers_on_grid(
                    promotions[promotions["product"].isin(frozen.products)], frozen.products, stores, weeks
                )
                shared = offers
            log_sales = _log_sales_on_grid(known, stores, weeks)
            products.append(
                bring_up_to_date(frozen.only(stores), int(product), offers, log_sales, weeks_since_fit, steps)
            )
        return products


def fit_products(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> list[ProductFit]:
    """Return every product of the panel, in order, each fitted by itself."""
    last = pd.Timestamp(spec.weeks[-1])
    fits: list[ProductFit] = []
    shared: Offers | None = None  # most products see the same offers
    for product, sales in panel.groupby("product", sort=True):
        stores = np.sort(sales["store"].unique())
        weeks = pd.date_range(sales["week"].min(), last, freq="7D")
        offers = shared
        if offers is None or not offers.cover(product, stores, weeks):
            offers = offers_on_grid(promotions, product, stores, weeks)
            planned = promotions["product"].eq(product) & promotions["store"].isin(stores)
            # A product without any plan is added to its own offers only: it must not be a rival of the others.
            shared = offers if planned.any() else None
        fits.append(_fit_product(product, sales, offers, spec))
    return fits


def product_samples(fit: ProductFit, forecasts: np.ndarray) -> np.ndarray:
    """Return the sorted log samples (S, H, D) around the last of `forecasts`, spread by the errors of the others.

    forecasts: (origins, H, S), as in `fit`; NaN where none was made.
    """
    risk = product_risk(fit.offers, fit.product)
    samples = [
        spread.around(forecasts[-1, j], risk[fit.today + int(fit.steps[j])])
        for j, spread in enumerate(_spreads(fit, forecasts))
    ]
    return np.stack(samples, axis=1)


def as_predictive(
    products: Sequence[ProductFit | ProductState], log_samples_of: list[np.ndarray]
) -> PredictiveDistribution:
    """Return the products' log samples (S, H, D) as one distribution in units."""
    frames = [
        pd.DataFrame(
            {
                "store": np.repeat(product.offers.stores, len(product.steps)),
                "product": product.product,
                "week": np.tile(product.weeks_ahead, len(product.offers.stores)),
                "step": np.tile(product.steps, len(product.offers.stores)),
            }
        )
        for product in products
    ]
    samples = [from_logs(samples).reshape(-1, samples.shape[-1]) for samples in log_samples_of]
    return PredictiveDistribution(pd.concat(frames, ignore_index=True), np.concatenate(samples))


def _fit_product(product: int, sales: pd.DataFrame, offers: Offers, spec: ForecastSpec) -> ProductFit:
    steps = np.array(spec.steps)
    today = len(offers.weeks) - 1 - int(steps[-1])
    log_sales = _log_sales_on_grid(sales, offers.stores, offers.weeks)
    regressors, penalty = product_regressors(offers, product, usual_prices(offers, product))
    rolled = rolling_fit(regressors, penalty, log_sales, steps, today, FitOptions())
    return ProductFit(product, offers, steps, log_sales, rolled)


def _log_sales_on_grid(sales: pd.DataFrame, stores: np.ndarray, weeks: pd.DatetimeIndex) -> np.ndarray:
    """Return log units, shape (W, S); NaN where unseen."""
    grid = np.full((len(weeks), len(stores)), np.nan)
    units = np.maximum(sales["units"].to_numpy(float), SMALLEST_SALE)
    grid[weeks.get_indexer(sales["week"]), np.searchsorted(stores, sales["store"])] = np.log(units)
    return grid


def _spreads(fit: ProductFit, forecasts: np.ndarray) -> list[Spread]:
    """Return the spread of the errors of past `forecasts` (origins, H, S) at each step; the last origin is today."""
    risk = product_risk(fit.offers, fit.product)
    spreads = []
    for j, step in enumerate(int(step) for step in fit.steps):
        past = np.arange(FIRST_ORIGIN, fit.today + 1 - step)
        errors = fit.log_sales[past + step] - forecasts[past, j]
        known = ~np.isnan(errors)
        age = np.broadcast_to((fit.today - step - past)[:, None], errors.shape)
        spreads.append(learn_spread(errors[known], risk[past + step][known], age[known]))
    return spreads
