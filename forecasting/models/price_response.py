"""Price response: a pooled regression of log sales on own and competing offers, one product at a time.

All stores share the response to what is known in advance; each store has its own level and its own, shrunk, deviation
in slope. The regression is refitted at every second past week (cheap: sums of cross products are carried forward), so
that the spread of the forecast, the memory of recent sales, and how much simpler forecasts count beside it come from
errors made on weeks the fit had not seen.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Id
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution, from_logs, smallest_sale
from forecasting.core.fitted_model import FittedModel
from forecasting.core.panel import future_cells, series_of
from forecasting.core.partition import Pooled
from forecasting.core.pool import MOST_POOLED, Pool
from forecasting.models.model import Model
from forecasting.models.response.offers import Announcements
from forecasting.models.response.panel_fit import fit_groups, fit_products, learn_pool
from forecasting.models.response.parameters import ResponseParameters
from forecasting.models.response.product_fit import ProductFit
from forecasting.models.response.product_state import ProductState, bring_up_to_date
from forecasting.models.response.sales import Sales
from forecasting.models.response.spread import SAMPLES


class PriceResponse(Model):
    """The response of a product's stores to their own and competing offers, and to last year's season.

    `promotions` holds all products of the stores, past and future: the others are the competing offers.
    Products are modelled one by one, so no product depends on the sales of the others.
    """

    name = "price_response"
    summary = "response of a product's stores to own and competing prices and promotions"
    pooled: Pooled = "product"
    most_pooled = MOST_POOLED

    def learn(self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Pool:
        """Return what all stores of each product share, at the end of each past week."""
        return learn_pool(panel, promotions, spec)

    def forecast(
        self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, pool: Pool | None = None
    ) -> PredictiveDistribution:
        """Return the forecasts with which the fit ends; it saves the third of the time that `predict` would take.

        One group of series after the other, so that memory is bounded by what goes in and comes out.
        """
        groups = fit_groups(panel, promotions, spec, pool)
        return as_predictive(((fit, fit.log_samples()) for group in groups for fit in group.fits), spec)

    def fit(self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> FittedModel:
        """Return one `ResponseParameters` for each product, as rows of the table `parameters`."""
        parts: dict[Id, list[ResponseParameters]] = {}
        for each in fit_products(panel, promotions, spec):
            parts.setdefault(each.product, []).append(ResponseParameters.of(each))
        rows = [ResponseParameters.joined(of_product).as_rows(product) for product, of_product in parts.items()]
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
        return as_predictive(((product, product.log_samples()) for product in products), spec)

    def prepare(
        self, fitted: FittedModel, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec
    ) -> list[ProductState]:
        """Return every product of the panel that has fitted parameters, brought up to the cutoff."""
        rows = fitted.parameters[fitted.parameters["product"].isin(panel["product"].unique())]
        parameters = {product: ResponseParameters.from_rows(of) for product, of in rows.groupby("product")}
        weeks_since_fit = (spec.cutoff - fitted.spec.cutoff).days // 7
        announced = Announcements.of(promotions, spec.definition, panel, pd.Timestamp(spec.weeks[-1]))
        products: list[ProductState] = []
        for product, sales in panel.groupby("product", sort=True):
            if product not in parameters:
                continue
            frozen = parameters[product]
            known = sales[sales["store"].isin(frozen.stores)]
            if known.empty:
                continue
            frozen = frozen.only(np.unique(known["store"]))
            # A rival that the fit did not know has no slope.
            offers = announced.of_products(
                frozen.stores, np.sort(np.append(frozen.rivals, product)), np.array([product])
            )
            offers = offers.since(int(offers.weeks.get_loc(known["week"].min())))
            stock = Sales.on_grid(known, frozen.stores, offers.weeks)
            products.append(bring_up_to_date(frozen, product, offers, stock, weeks_since_fit, spec))
        return products


def as_predictive(
    products: Iterable[tuple[ProductFit | ProductState, np.ndarray]], spec: ForecastSpec
) -> PredictiveDistribution:
    """Return products with their log samples (S, H, D) as one distribution in units, by product and store."""
    smallest, parts = smallest_sale(spec.definition), []
    for product, log_samples in products:
        samples = from_logs(log_samples, smallest).reshape(-1, log_samples.shape[-1])
        parts.append((product.product, product.offers.stores, product.weeks_ahead, product.steps, samples))
    parts.sort(key=lambda part: part[0])
    of_product, stores, weeks, steps, samples_of = zip(*parts, strict=True)
    sizes = [len(samples) for samples in samples_of]
    frame = pd.DataFrame(
        {
            "store": np.concatenate([np.repeat(of, len(step)) for of, step in zip(stores, steps, strict=True)]),
            "product": np.repeat(np.array(of_product), sizes),
            "week": np.concatenate([np.tile(week, len(of)) for of, week in zip(stores, weeks, strict=True)]),
            "step": np.concatenate([np.tile(step, len(of)) for of, step in zip(stores, steps, strict=True)]),
        }
    )
    samples = np.concatenate(samples_of)
    if len(set(of_product)) == len(parts):
        return PredictiveDistribution(frame, samples)
    ordered = frame.sort_values(["product", "store", "step"])  # a product came in several parts
    return PredictiveDistribution(ordered.reset_index(drop=True), samples[ordered.index])
