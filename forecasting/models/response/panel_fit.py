"""The products of a panel, fitted: learnt from their pooled stores, and forecast in as many stores as there are.

Products within the cap are learnt and forecast in one pass, as many at once as share stores and weeks. The stores of
others are forecast by what the pooled ones taught, some hundred at once.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Id
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.pool import MOST_POOLED, Pool, only_pooled
from forecasting.models.response.features import Own
from forecasting.models.response.offers import Announcements, nearest_rivals
from forecasting.models.response.product_fit import Group, ProductFit, fit_group
from forecasting.models.response.sales import Sales
from forecasting.models.response.shared import Learn, Recall

MOST_AT_ONCE = 256  # series fitted in one pass: more would not fit into the processor's cache
MEDIAN = "median of "  # before the name of a covariate, in a pool
EPOCH = pd.Timestamp(0)


def fit_products(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> list[ProductFit]:
    """Return every product of the panel, in order; one of more stores than are pooled in several parts."""
    fits = [fit for group in fit_groups(panel, promotions, spec) for fit in group.fits()]
    order = {product: position for position, product in enumerate(np.unique(panel["product"]))}
    return sorted(fits, key=lambda fit: order[fit.product])


def fit_groups(
    panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, pool: Pool | None = None
) -> Iterator[Group]:
    """Fit the products of the panel by the pool, or where there is none by what their own pooled stores teach.

    Raises:
        ValueError: the pool lacks a product, or was learnt for other weeks.
    """
    if pool is not None:
        yield from _recalled_groups(panel, promotions, spec, pool)
        return
    stores = panel.drop_duplicates(schemas.SERIES).groupby("product").size()
    large = panel["product"].isin(stores.index[stores > MOST_POOLED])
    if large.any():
        many = panel[large]
        yield from _recalled_groups(many, promotions, spec, learn_pool(many, promotions, spec))
        panel = panel[~large]
    if len(panel):
        yield from (group for group, _ in _learnt_groups(panel, promotions, spec))


def learn_pool(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Pool:
    """Return what the pooled stores of each product of the panel teach."""
    products: dict[Id, Mapping[str, np.ndarray]] = {}
    for group, announced in _learnt_groups(only_pooled(panel), promotions, spec):
        offers = group.own.offers
        weeks = announced.weeks[0], offers.weeks[0], offers.weeks[-1]
        fits = group.fits()  # until then not all is learnt
        for position, fit in enumerate(fits):
            rivals = offers.products[fit.rivals]
            seen = np.sort(np.append(rivals, fit.product))
            medians = announced.medians_of(offers.stores, seen, np.array([fit.product]))
            products[fit.product] = {
                "weeks": np.array([(week - EPOCH).days for week in weeks]),
                "rivals": rivals.astype(str) if rivals.dtype == object else rivals,
                **{MEDIAN + name: median for name, median in medians.items()},
                **group.learnt_of(position),
            }
    return Pool(products)


def _learnt_groups(
    panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec
) -> Iterator[tuple[Group, Announcements]]:
    """Fit the products of the panel by all of their stores, as many at once as share stores and weeks."""
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
        sales_of_all = {product: sales for of_week in since.values() for product, sales in of_week.items()}
        stores = np.unique(next(iter(sales_of_all.values()))["store"].to_numpy())
        seen = announced.offers(stores, np.array(list(sales_of_all)))
        for first, sales_of in since.items():
            offers, products = seen.since(int(seen.weeks.get_loc(first))), list(sales_of)
            at_once = max(MOST_AT_ONCE // len(offers.stores), 1)
            for begin in range(0, len(products), at_once):
                some = products[begin : begin + at_once]
                positions = offers.positions(np.array(some))
                sales = tuple(Sales.on_grid(sales_of[product], offers.stores, offers.weeks) for product in some)
                group = fit_group(Own(offers, positions, nearest_rivals(offers, positions)), sales, spec, Learn())
                yield group, announced


def _recalled_groups(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, pool: Pool) -> Iterator[Group]:
    """Fit the stores of each product by what others taught, some hundred at once."""
    products = pd.unique(panel["product"]).tolist()
    unknown = [product for product in products if product not in pool.products]
    if unknown:
        raise ValueError(f"nothing was learnt of {spec.definition.product.word} {unknown[0]}")
    pools = {product: pool.products[product] for product in products}
    rivals = {rival for learnt in pools.values() for rival in learnt["rivals"].tolist()}
    weeks = {
        product: [(EPOCH + pd.Timedelta(days=int(day))).as_unit("us") for day in learnt["weeks"]]
        for product, learnt in pools.items()
    }
    last = pd.Timestamp(spec.weeks[-1])
    if any(of_product[-1] != last for of_product in weeks.values()):
        raise ValueError(f"the pool was not learnt for forecasts up to {last.date()}")
    first = min(of_product[0] for of_product in weeks.values())
    announced = Announcements.of(promotions, spec.definition, panel, last, first, sorted(rivals))
    for product, sales in panel.groupby("product", sort=True):
        learnt, stores = pools[product], np.unique(sales["store"].to_numpy())
        grid, since, _ = weeks[product]
        seen = np.array(sorted([*learnt["rivals"].tolist(), product]), dtype=announced.products.dtype)
        medians = {name: learnt[MEDIAN + name] for name in announced.known}
        own = np.array([product], dtype=announced.products.dtype)
        for begin in range(0, len(stores), MOST_AT_ONCE):
            here = stores[begin : begin + MOST_AT_ONCE]
            offers = announced.from_week(grid).of_products(here, seen, own, medians)
            offers = offers.since(int(offers.weeks.get_loc(since)))
            rows = sales[sales["store"].isin(here)] if len(here) < len(stores) else sales
            yield fit_group(
                Own.of(offers, product), (Sales.on_grid(rows, here, offers.weeks),), spec, Recall.of([learnt])
            )
