"""The registry of models: names, and where the class of each is. A model is imported when it is asked for."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import get_args

import pandas as pd

from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.partition import Pooled
from forecasting.core.pool import Pool
from forecasting.models.model import Model, OnePassModel

# `module:class` by name.
MODELS: Mapping[str, str] = {
    "naive": "forecasting.models.naive:Naive",
    "mean": "forecasting.models.mean:Mean",
    "seasonal_naive": "forecasting.models.seasonal_naive:SeasonalNaive",
    "random_walk_with_drift": "forecasting.models.random_walk_with_drift:RandomWalkWithDrift",
    "arima_regression": "forecasting.models.arima_regression:ArimaRegression",
    "theta": "forecasting.models.theta:Theta",
    "ets": "forecasting.models.ets:Ets",
    "price_response": "forecasting.models.price_response:PriceResponse",
    "boosted_trees": "forecasting.models.boosted_trees:BoostedTrees",
    "ensemble": "forecasting.models.ensemble:Ensemble",
}

Forecast = Callable[[pd.DataFrame, pd.DataFrame, ForecastSpec], PredictiveDistribution]


class OwnModel(OnePassModel):
    """A user's model, which is one function (docs/own-model.md)."""

    trainable = False

    def __init__(self, name: str, function: Forecast, pooled: Pooled, summary: str) -> None:
        self._name, self._function, self._pooled, self._summary = name, function, pooled, summary

    @property
    def name(self) -> str:
        """Return its path, `module:function`."""
        return self._name

    @property
    def summary(self) -> str:
        """Return the first line of the function's docstring."""
        return self._summary

    @property
    def pooled(self) -> Pooled:
        """Return the function's attribute of that name."""
        return self._pooled

    def forecast(
        self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, pool: Pool | None = None
    ) -> PredictiveDistribution:
        """Return what the user's function returns."""
        return self._function(panel, promotions, spec)


def get_model(name: str) -> Model:
    """Return the model of this name: a registered one, or a user's own by its path `module:function`.

    Raises:
        OptionError: there is none, a library that it needs is not installed, or its class lacks a name or summary.
    """
    if name in MODELS:
        return _registered(name)
    if ":" in name:
        return _own_model(name)
    raise OptionError(
        f"model={name}", "is not registered", f"choose one of {', '.join(MODELS)}, or your own as module:function"
    )


def _registered(name: str) -> Model:
    module, _, of_class = MODELS[name].partition(":")
    try:
        model: Model = getattr(import_module(module), of_class)()
    except ModuleNotFoundError as error:
        raise OptionError(
            f"model={name}", f"needs {error.name}, which is not installed", "install the extra `trees`"
        ) from error
    if model.name != name or not model.summary:
        raise OptionError(
            f"model={name}",
            f"has a class {of_class} with name={model.name!r} and summary={model.summary!r}",
            f"set name={name!r} and a `summary` of one line in the class",
        )
    return model


def _own_model(path: str) -> OwnModel:
    """Return the model that a user wrote: `pooled` is the function's attribute of that name, else `nothing`."""
    option = f"model={path}"
    module_name, _, function_name = path.partition(":")
    try:
        module = import_module(module_name)
    except Exception as error:  # a user's module may raise anything
        raise OptionError(
            option,
            f"cannot be imported ({type(error).__name__}: {error})",
            f"write it as module:function, and put the folder of {module_name.partition('.')[0]!r} on PYTHONPATH",
        ) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        problem = "is no function" if hasattr(module, function_name) else "does not exist"
        raise OptionError(
            option,
            f"names {function_name!r}, which {problem} in {module_name!r}",
            "name a function (panel, promotions, spec) -> PredictiveDistribution of that module",
        )
    pooled: Pooled = getattr(function, "pooled", "nothing")
    if pooled not in get_args(Pooled):
        raise OptionError(
            option, f"has pooled={pooled!r}", f"set the function's attribute to one of {', '.join(get_args(Pooled))}"
        )
    return OwnModel(path, function, pooled, (function.__doc__ or "").strip().partition("\n")[0] or path)
