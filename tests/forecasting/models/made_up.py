"""A made-up market whose response to price and adverts is known, for the tests of the models."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.panel_definition import ORANGE_JUICE, Covariate, Key, PanelDefinition
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.panel import build_panel, series_of
from tests.strategies import Market, whole_offers

PRICE_EFFECT, FEAT_EFFECT = -2.0, 0.8
FIRST = dominicks_week(40)
CUTOFF, W = date(1992, 1, 30), 70  # of `panel_of`


def made_up(
    *,
    stores: Sequence[int] = (2, 5, 8, 9, 12, 14),
    products: Sequence[int] = (1, 2, 3),
    n_weeks: int = 60,
    ahead: int = 8,
    noise: float = 0.05,
    seed: int = 0,
) -> Market:
    """Sales of log units = store's level − 2 log price + 0.8 feat + noise, those after the cutoff among them.

    Prices and adverts are drawn anew for each product, store and week.
    """
    values = np.random.default_rng(seed)
    weeks = [pd.Timestamp(FIRST + WEEK * offset) for offset in range(n_weeks + ahead)]
    cells = pd.MultiIndex.from_product([stores, products, weeks], names=schemas.CELL).to_frame(index=False)
    cells["price"] = values.choice([1.79, 1.99, 2.29, 2.49, 2.99], len(cells))
    cells["feat"] = values.choice([0.0, 0.0, 0.0, 1.0], len(cells))
    cells["deal"] = 0
    cells["log_units"] = true_log_units(cells) + values.normal(0, noise, len(cells))
    cells["units"] = np.exp(cells["log_units"]).round().astype("int64")
    return Market(
        orange_juice.SALES.cast(cells), orange_juice.PROMOTIONS.cast(whole_offers(cells)), FIRST + WEEK * (n_weeks - 1)
    )


def true_log_units(cells: pd.DataFrame) -> pd.Series:
    """What is expected of each cell; stores with higher numbers sell more."""
    level = 6.0 + 0.1 * cells["store"]
    return level + PRICE_EFFECT * np.log(cells["price"]) + FEAT_EFFECT * cells["feat"]


def definition_of(*roles: str, whole: bool = True) -> PanelDefinition:
    """A panel with ids of text and one covariate of each of these roles, named by it and its place."""
    covariates = tuple(Covariate(f"{role}_{place}", role, role, "") for place, role in enumerate(roles))  # type: ignore[arg-type]
    store, product = Key("shop", "shops"), Key("article", "articles")
    return replace(ORANGE_JUICE, store=store, product=product, covariates=covariates, whole_units=whole)


def panel_of(
    definition: PanelDefinition,
    stores: int = 3,
    products: int = 3,
    scale: float = 50.0,
    zeros: float = 0.0,
) -> tuple[pd.DataFrame, pd.DataFrame, ForecastSpec]:
    """Panel, promotions and spec; levels move, and each covariate adds 0.3."""
    values = np.random.default_rng(5)
    last = pd.Timestamp(CUTOFF) + pd.Timedelta(weeks=2)
    weeks = pd.date_range(end=last, periods=W + 2, freq="7D", unit="us")
    ids = [f"s {n:03}" for n in range(stores)], [f"p {n:03}" for n in range(products)]
    cells = pd.MultiIndex.from_product([*ids, weeks], names=["store", "product", "week"]).to_frame(index=False)
    effect = np.zeros(len(cells))
    for each in definition.covariates:
        known = values.integers(0, 2, len(cells)).astype(float)
        cells[each.name] = known + 1 if each.role == "price" else known
        effect += 0.3 * known
    walk = np.cumsum(values.normal(0, 0.05, (stores * products, W + 2)), axis=1).ravel()
    cells["units"] = scale * np.exp(walk + effect + values.normal(0, 0.05, len(cells)))
    cells["units"] *= values.random(len(cells)) >= zeros
    if definition.whole_units:
        cells["units"] = cells["units"].round()
    spec = ForecastSpec(CUTOFF, definition=definition)
    sales = cells.loc[cells["week"] <= pd.Timestamp(CUTOFF), ["store", "product", "week", "units"]]
    promotions = cells[["store", "product", "week", *definition.names]]
    series = series_of(sales)
    return build_panel(sales, promotions, series, CUTOFF), promotions.assign(known=True), spec
