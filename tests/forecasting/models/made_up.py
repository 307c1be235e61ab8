"""A made-up market whose response to price and adverts is known, for the tests of the models."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.orange_juice import dominicks_week
from tests.strategies import Market, whole_offers

PRICE_EFFECT, FEAT_EFFECT = -2.0, 0.8
FIRST = dominicks_week(40)


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
