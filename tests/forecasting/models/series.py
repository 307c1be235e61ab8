"""Series written down by hand, and a model's answer for them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from forecasting.contracts import orange_juice
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.panel import build_panel, series_of
from forecasting.models import get_model
from tests.strategies import whole_offers

CUTOFF = date(1992, 1, 30)
Units = Sequence[int | None] | Sequence[int]
Numbers = Sequence[float] | np.ndarray


def sales_of(units: Mapping[tuple[int, int], Units]) -> pd.DataFrame:
    """Table `sales` of series, by (store, product), that end with the cutoff; None is a gap."""
    frames = []
    for (store, product), sold in units.items():
        weeks = pd.date_range(end=pd.Timestamp(CUTOFF), periods=len(sold), freq="7D", unit="us")
        frames.append(pd.DataFrame({"store": store, "product": product, "week": weeks, "units": sold}))
    return orange_juice.SALES.cast(pd.concat(frames).dropna())


def plan_of(
    price: Numbers, deal: Numbers, feat: Numbers, *, ahead: int, store: int = 2, product: int = 1
) -> pd.DataFrame:
    """Table `promotions` of one series whose last `ahead` weeks lie after the cutoff."""
    weeks = pd.date_range(
        end=pd.Timestamp(CUTOFF) + pd.Timedelta(weeks=ahead), periods=len(price), freq="7D", unit="us"
    )
    columns = {"store": store, "product": product, "week": weeks, "price": price, "deal": deal, "feat": feat}
    return orange_juice.PROMOTIONS.cast(whole_offers(pd.DataFrame(columns)))


def forecast_of(
    model: str, units: Mapping[tuple[int, int], Units] | Units, promotions: pd.DataFrame | None = None, **options: Any
) -> PredictiveDistribution:
    """The model's answer for these series, or for the one of store 2 and product 1; options are those of the spec."""
    sales = sales_of(units if isinstance(units, Mapping) else {(2, 1): units})
    known = orange_juice.PROMOTIONS.empty() if promotions is None else promotions
    panel = build_panel(sales, known, series_of(sales), CUTOFF)
    return get_model(model).forecast(panel, known, ForecastSpec(CUTOFF, model=model, **options))
