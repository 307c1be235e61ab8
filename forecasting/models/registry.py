"""Models by name; a model's own imports happen only when it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import pandas as pd

from forecasting.errors import OptionError
from forecasting.predictive import Predictive
from forecasting.spec import ForecastSpec

Forecast = Callable[[pd.DataFrame, pd.DataFrame, ForecastSpec], Predictive]


@dataclass(frozen=True)
class Model:
    """A registered model.

    path: `module:function` of its forecast function.
    pooled: whether it learns from all stores of a brand together, so that a brand must stay in one partition.
    summary: one line for people.
    """

    name: str
    path: str
    pooled: bool
    summary: str

    @property
    def forecast(self) -> Forecast:
        module, _, function = self.path.partition(":")
        found: Forecast = getattr(import_module(module), function)
        return found


MODELS = {
    model.name: model
    for model in (
        Model("naive", "forecasting.models.naive:naive", False, "last observed week"),
        Model("mean", "forecasting.models.mean:mean", False, "all observed weeks, equally probable"),
        Model("ets", "forecasting.models.ets:ets", False, "exponential smoothing of log units (statsmodels)"),
        Model(
            "price_response",
            "forecasting.models.price_response:price_response",
            True,
            "response of a brand's stores to own and competing prices and promotions",
        ),
    )
}


def get_model(name: str) -> Model:
    """The model of this name.

    Raises:
        OptionError: there is none.
    """
    if name not in MODELS:
        raise OptionError(f"model={name}", "is not registered", f"choose one of {', '.join(MODELS)}")
    return MODELS[name]
