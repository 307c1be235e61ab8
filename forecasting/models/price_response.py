"""Price response: a pooled regression of log sales on own and competing offers, one product at a time.

All stores share the response to what is known in advance; each store has its own level and its own, shrunk, deviation
in slope. The regression is refitted at every second past week (cheap: sums of cross products are carried forward), so
that the spread of the forecast, the memory of recent sales, and how much simpler forecasts count beside it come from
errors made on weeks the fit had not seen.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution, from_logs, smallest_sale
from forecasting.core.fitted_model import FittedModel
from forecasting.core.panel import future_cells, series_of
from forecasting.core.partition import Pooled
from forecasting.models.model import Model
from forecasting.models.response.offers import Announcements
from forecasting.models.response.parameters import ResponseParameters
from forecasting.models.response.product_fit import ProductFit, fit_products
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

    def forecast(self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> PredictiveDistribution:
        """Return the forecasts with which the fit ends; it saves the third of the time that `predict` would take."""
        fits = fit_products(panel, promotions, spec)
        return as_predictive(fits, [fit.log_samples(fit.forecasts) for fit in fits], spec)

    def fit(self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> FittedModel:
        """Return one `ResponseParameters` for each product, as rows of the table `parameters`."""
        rows = [ResponseParameters.of(each).as_rows(each.product) for each in fit_products(panel, promotions, spec)]
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
        return as_predictive(products, [product.log_samples() for product in products], spec)

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
    products: Sequence[ProductFit | ProductState], log_samples_of: list[np.ndarray], spec: ForecastSpec
) -> PredictiveDistribution:
    """Return the products' log samples (S, H, D) as one distribution in units."""
    smallest = smallest_sale(spec.definition)
    rows = [len(product.offers.stores) * len(product.steps) for product in products]
    frame = pd.DataFrame(
        {
            "store": np.concatenate([np.repeat(each.offers.stores, len(each.steps)) for each in products]),
            "product": np.repeat(np.array([each.product for each in products]), rows),
            "week": np.concatenate([np.tile(each.weeks_ahead, len(each.offers.stores)) for each in products]),
            "step": np.concatenate([np.tile(each.steps, len(each.offers.stores)) for each in products]),
        }
    )
    samples = [from_logs(samples, smallest).reshape(-1, samples.shape[-1]) for samples in log_samples_of]
    return PredictiveDistribution(frame, np.concatenate(samples))
