"""Models by name; a model's own imports happen only when it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, get_args

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.fitted_model import FittedModel
from forecasting.core.partition import Pooled

Learns = Literal["parameters", "nothing", "inseparably"]
Forecast = Callable[[pd.DataFrame, pd.DataFrame, ForecastSpec], PredictiveDistribution]


@dataclass(frozen=True)
class Model:
    """A registered model.

    path: `module:function` of its forecast function.
    pooled: what it learns from together and must stay in one partition.
    summary: one line for people.
    learns: whether training can be had apart from forecasting. `parameters`: by the functions `fit` and
        `predict` beside its forecast; `nothing`: there is nothing to train; `inseparably`: it cannot.
    """

    name: str
    path: str
    pooled: Pooled
    summary: str
    learns: Learns = "inseparably"

    @property
    def forecast(self) -> Forecast:
        """Its function.

        Raises:
            OptionError: a library that the model needs is not installed.
        """
        found: Forecast = self._beside(self.path.partition(":")[2])
        return found

    def fit(self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> FittedModel:
        """What it learns at the cutoff; `predict` makes of it what `forecast` would, to the last bit.

        Raises:
            OptionError: it cannot be trained apart from forecasting.
        """
        self.require_trainable()
        if self.learns == "nothing":
            return FittedModel(spec, schemas.PARAMETERS.empty())
        found: FittedModel = self._beside("fit")(panel, promotions, spec)
        return found

    def predict(
        self, fitted: FittedModel, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec
    ) -> PredictiveDistribution:
        """Forecast every series of the panel that `fitted` knows, at its cutoff or a later one."""
        if self.learns == "nothing":
            return self.forecast(panel, promotions, spec)
        found: PredictiveDistribution = self._beside("predict")(fitted, panel, promotions, spec)
        return found

    @property
    def prepare(self) -> Callable[..., list[Any]] | None:
        """Brings a fitted model up to date for questions about other offers, where it has that apart; else None."""
        found: Callable[..., list[Any]] | None = getattr(import_module(self.path.partition(":")[0]), "prepare", None)
        return found if self.learns == "parameters" else None

    def require_trainable(self) -> None:
        """See that it can be trained apart from forecasting.

        Raises:
            OptionError: it cannot.
        """
        if self.learns == "inseparably":
            others = ", ".join(model.name for model in MODELS.values() if model.learns != "inseparably")
            raise OptionError(
                f"model={self.name}",
                "learns and forecasts in one, so that nothing can be kept of it",
                f"run it with retrain=always, or choose one of {others}",
            )

    def _beside(self, function: str) -> Any:
        """A function of the module in which its forecast stands."""
        try:
            return getattr(import_module(self.path.partition(":")[0]), function)
        except ModuleNotFoundError as error:
            raise OptionError(
                f"model={self.name}", f"needs {error.name}, which is not installed", "install the extra `trees`"
            ) from error


MODELS = {
    model.name: model
    for model in (
        Model("naive", "forecasting.models.naive:naive", "nothing", "last observed week", "nothing"),
        Model("mean", "forecasting.models.mean:mean", "nothing", "all observed weeks, equally probable", "nothing"),
        Model(
            "seasonal_naive",
            "forecasting.models.seasonal_naive:seasonal_naive",
            "nothing",
            "same week of the last year",
            "nothing",
        ),
        Model(
            "drift",
            "forecasting.models.random_walk_with_drift:drift",
            "nothing",
            "last observed week and the mean weekly change",
            "nothing",
        ),
        Model(
            "arima_regression",
            "forecasting.models.arima_regression:arima_regression",
            "nothing",
            "price and promotion with autocorrelated errors (statsmodels)",
            "parameters",
        ),
        Model(
            "theta",
            "forecasting.models.theta:theta",
            "nothing",
            "Theta method on log units (statsmodels)",
            "parameters",
        ),
        Model(
            "ets",
            "forecasting.models.ets:ets",
            "nothing",
            "exponential smoothing of log units (statsmodels)",
            "parameters",
        ),
        Model(
            "price_response",
            "forecasting.models.price_response:price_response",
            "product",
            "response of a product's stores to own and competing prices and promotions",
            "parameters",
        ),
        Model(
            "boosted_trees",
            "forecasting.models.boosted_trees:boosted_trees",
            "everything",
            "price_response, corrected by gradient-boosted trees (LightGBM)",
        ),
        Model(
            "ensemble",
            "forecasting.models.ensemble:ensemble",
            "everything",
            "price_response and boosted_trees, averaged",
        ),
        Model(
            "auto",
            "forecasting.models.auto:auto",
            "product",
            "per product the model that did best in a backtest, price_response in doubt",
        ),
    )
}


def get_model(name: str) -> Model:
    """The model of this name: a registered one, or `module:function` of one's own (docs/own-model.md).

    Raises:
        OptionError: there is none.
    """
    if name in MODELS:
        return MODELS[name]
    if ":" in name:
        return _own_model(name)
    raise OptionError(
        f"model={name}", "is not registered", f"choose one of {', '.join(MODELS)}, or your own as module:function"
    )


def _own_model(path: str) -> Model:
    """The model that a user wrote: `pooled` is the function's attribute of that name, else `nothing`."""
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
            "name a function (panel, promotions, spec) -> Predictive of that module",
        )
    pooled: Any = getattr(function, "pooled", "nothing")
    if pooled not in get_args(Pooled):
        raise OptionError(
            option, f"has pooled={pooled!r}", f"set the function's attribute to one of {', '.join(get_args(Pooled))}"
        )
    return Model(path, path, pooled, summary=(function.__doc__ or "").strip().partition("\n")[0] or path)
