"""The products of a panel, fitted: learnt from their pooled stores, and forecast in as many stores as there are.

Products within the cap are learnt and forecast in one pass, as many at once as share stores and weeks. The stores of
others are forecast by what the pooled ones taught, some hundred at once.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256

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

MOST_AT_ONCE = 512  # series fitted in one pass: fewer cost more calls, more do not fit into the processor's cache
MOST_STORES = 256  # whose offers of all products are in memory at once
MOST_PRODUCTS = 32  # whose offers, and those of their rivals, are in memory at once
MEDIAN = "median of "  # before the name of a covariate, in a pool
EPOCH = pd.Timestamp(0)

Learnt = Mapping[str, np.ndarray]


def fit_products(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> list[ProductFit]:
    """Return every product of the panel, in order; one of more stores than are pooled in several parts."""
    fits = [fit for group in fit_groups(panel, promotions, spec) for fit in group.fits]
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
    if not large.all():
        yield from (group for group, _ in _learnt_groups(panel[~large] if large.any() else panel, promotions, spec))
    if large.any():
        many = panel[large]
        pooled = only_pooled(many)
        products: dict[Id, Learnt] = {}
        for group, announced in _learnt_groups(pooled, promotions, spec):
            products |= _learnt(group, announced)
            yield group
        others = many[~pd.MultiIndex.from_frame(many[schemas.SERIES]).isin(pooled.set_index(schemas.SERIES).index)]
        yield from _recalled_groups(others, promotions, spec, Pool(products))


def learn_pool(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Pool:
    """Return what the pooled stores of each product of the panel teach."""
    products: dict[Id, Learnt] = {}
    for group, announced in _learnt_groups(only_pooled(panel), promotions, spec):
        products |= _learnt(group, announced)
    return Pool(products)


def _learnt(group: Group, announced: Announcements) -> dict[Id, Learnt]:
    """Return what a group teaches, by product."""
    products: dict[Id, Learnt] = {}
    offers = group.own.offers
    weeks = announced.weeks[0], offers.weeks[0], offers.weeks[-1]
    # What fills the gaps of a rival's offers is alike where it is seen in the same stores.
    view = sha256(repr(offers.stores.tolist()).encode())
    for position, fit in enumerate(group.fits):  # until they are made not all is learnt
        rivals = offers.products[fit.rivals]
        seen = np.sort(np.append(rivals, fit.product))
        medians = announced.medians_of(offers.stores, seen, np.array([fit.product]))
        price = offers.mean_price[fit.own : fit.own + 1]
        products[fit.product] = {
            "view": np.frombuffer(view.digest()[:8], dtype=np.int64),
            "price": price,
            "weeks": np.array([(week - EPOCH).days for week in weeks]),
            "rivals": rivals.astype(str) if rivals.dtype == object else rivals,
            **{MEDIAN + name: median for name, median in medians.items()},
            **group.learnt_of(position),
        }
    return products


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
    """Fit the stores of each product by what others taught, some hundred series at once."""
    products = pd.unique(panel["product"]).tolist()
    unknown = [product for product in products if product not in pool.products]
    if unknown:
        raise ValueError(f"nothing was learnt of {spec.definition.product.word} {unknown[0]}")
    pools = {product: pool.products[product] for product in products}
    last = pd.Timestamp(spec.weeks[-1])
    if any(_week(learnt["weeks"][-1]) != last for learnt in pools.values()):
        raise ValueError(f"the pool was not learnt for forecasts up to {last.date()}")
    rivals = {rival for learnt in pools.values() for rival in learnt["rivals"].tolist()}
    first = _week(min(learnt["weeks"][0] for learnt in pools.values()))
    announced = Announcements.of(promotions, spec.definition, panel, last, first, sorted(rivals))
    # By what they learnt of offers, where that is alike, by weeks, and by stores.
    alike: dict[tuple[object, ...], dict[Id, pd.DataFrame]] = {}
    for product, sales in panel[[*schemas.CELL, "units"]].groupby("product", sort=True):
        learnt, stores = pools[product], np.unique(sales["store"].to_numpy())
        key = (*learnt["view"].tolist(), *learnt["weeks"].tolist(), len(learnt["rivals"]), *stores)
        alike.setdefault(key, {})[product] = sales
    for sales_of in alike.values():
        ordered = sorted(sales_of, key=lambda product: float(pools[product]["price"][0]))  # rivals are near in price
        for begin in range(0, len(ordered), MOST_PRODUCTS):
            some = {product: sales_of[product] for product in sorted(ordered[begin : begin + MOST_PRODUCTS])}
            yield from _recalled_alike(some, announced, spec, pools)


def _recalled_alike(
    sales_of: Mapping[Id, pd.DataFrame], announced: Announcements, spec: ForecastSpec, pools: Mapping[Id, Learnt]
) -> Iterator[Group]:
    """Fit products of the same stores and weeks whose rivals' gaps are filled alike."""
    products, ids = list(sales_of), announced.products.dtype
    learnt = [pools[product] for product in products]
    stores = np.unique(next(iter(sales_of.values()))["store"].to_numpy())
    grid, since = (_week(day) for day in learnt[0]["weeks"][:2])
    median_of: dict[str, dict[Id, np.ndarray]] = {name: {} for name in announced.known}
    for product, each in zip(products, learnt, strict=True):
        for name, medians in median_of.items():
            seen = [product] if name in announced.roles.numbers else sorted([*each["rivals"].tolist(), product])
            medians.update(zip(seen, each[MEDIAN + name], strict=True))
    rivals = {rival for each in learnt for rival in each["rivals"].tolist()}
    all_seen = np.array(sorted({*products, *rivals}), dtype=ids)
    medians_of = {name: np.stack([medians[key] for key in sorted(medians)]) for name, medians in median_of.items()}
    known = announced.from_week(grid)
    for begin in range(0, len(stores), MOST_STORES):
        here = stores[begin : begin + MOST_STORES]
        offers = known.of_products(here, all_seen, np.array(products, dtype=ids), medians_of)
        offers = offers.since(int(offers.weeks.get_loc(since)))
        at_once = max(MOST_AT_ONCE // len(here), 1)
        for start in range(0, len(products), at_once):
            some = slice(start, start + at_once)
            own = Own(
                offers,
                offers.positions(np.array(products[some], dtype=ids)),
                np.array([offers.positions(each["rivals"].astype(ids)) for each in learnt[some]]),
            )
            sales = tuple(Sales.on_grid(sales_of[product], here, offers.weeks) for product in products[some])
            yield fit_group(own, sales, spec, Recall.of(learnt[some]))


def _week(day: int) -> pd.Timestamp:
    return (EPOCH + pd.Timedelta(days=int(day))).as_unit("us")
