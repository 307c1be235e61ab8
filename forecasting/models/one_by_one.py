"""Models that know one series at a time: its own log units, and what was learnt of them.

Such a model is two functions. `learn` gives named numbers from the weeks up to the cutoff of the training; `apply`
gives mean and standard deviation of the coming log units from the weeks up to now and those numbers. Here is the loop
over the series around them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from forecasting.contracts import schemas
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.fitted_model import FittedModel
from forecasting.core.panel import future_cells
from forecasting.models.naive import PROBABILITIES

Numbers = dict[str, float]


@dataclass(frozen=True)
class OneByOne:
    """A model of log(1 + units), normal in logs; gaps are passed over, promotions play no part.

    learn: log units (W,) -> what is learnt of them.
    apply: log units (W,), what was learnt, steps (H,) -> mean and standard deviation at each step, (H,).
    min_weeks: observed weeks that `learn` needs.
    """

    name: str
    learn: Callable[[np.ndarray], Numbers]
    apply: Callable[[np.ndarray, Numbers, np.ndarray], tuple[np.ndarray, np.ndarray]]
    min_weeks: int

    def fit(self, panel: pd.DataFrame, spec: ForecastSpec) -> FittedModel:
        """What is learnt of each series of the panel.

        Raises:
            ValueError: a series has fewer observed weeks than the model needs.
        """
        numbers = {key: self.learn(self._require_enough(key, units)) for key, units in _log_units(panel)}
        return FittedModel(spec, rows_of(numbers))

    def predict(self, fitted: FittedModel, panel: pd.DataFrame, spec: ForecastSpec) -> PredictiveDistribution:
        """Forecast each series of the panel that something was learnt of."""
        numbers = numbers_of(fitted)
        known = {key: units for key, units in _log_units(panel) if key in numbers}
        return self._predictive({key: (units, numbers[key]) for key, units in known.items()}, spec)

    def forecast(self, panel: pd.DataFrame, spec: ForecastSpec) -> PredictiveDistribution:
        """Learn and forecast in one; errors as in `fit`."""
        units_of = {key: self._require_enough(key, units) for key, units in _log_units(panel)}
        return self._predictive({key: (units, self.learn(units)) for key, units in units_of.items()}, spec)

    def _predictive(
        self, series: dict[tuple[int, int], tuple[np.ndarray, Numbers]], spec: ForecastSpec
    ) -> PredictiveDistribution:
        normal = ndtri(PROBABILITIES)
        samples = [np.empty((0, len(PROBABILITIES)))]
        for units, numbers in series.values():
            centre, spread = self.apply(units, numbers, np.array(spec.steps))
            samples.append(np.expm1(centre[:, None] + spread[:, None] * normal))
        keys = pd.DataFrame(list(series), columns=schemas.SERIES)
        return PredictiveDistribution(future_cells(keys, spec), np.maximum(np.concatenate(samples), 0.0))

    def _require_enough(self, key: tuple[int, int], units: np.ndarray) -> np.ndarray:
        if len(units) < self.min_weeks:
            raise ValueError(f"series {key} has {len(units)} observed weeks, {self.name} needs {self.min_weeks}")
        return units


def rows_of(numbers: dict[tuple[int, int], Numbers]) -> pd.DataFrame:
    """Numbers by (store, product) as table `parameters`."""
    rows = [
        (product, name, store, 0, value)
        for (store, product), of_series in numbers.items()
        for name, value in of_series.items()
    ]
    return schemas.PARAMETERS.cast(pd.DataFrame(rows, columns=["product", "name", "store", "position", "value"]))


def numbers_of(fitted: FittedModel) -> dict[tuple[int, int], Numbers]:
    """The inverse of `rows_of`."""
    numbers: dict[tuple[int, int], Numbers] = {}
    columns = (fitted.parameters[name] for name in ("store", "product", "name", "value"))
    for store, product, name, value in zip(*columns, strict=True):
        numbers.setdefault((int(store), int(product)), {})[name] = value
    return numbers


def _log_units(panel: pd.DataFrame) -> list[tuple[tuple[int, int], np.ndarray]]:
    """The observed weeks of each series, in its order."""
    observed = panel.dropna(subset="units").groupby(schemas.SERIES)["units"]
    return [((int(store), int(product)), np.log1p(units.to_numpy())) for (store, product), units in observed]
