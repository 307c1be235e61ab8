"""Models of one series at a time, of its own log units: the loop over the series around `estimate` and `apply`."""

from abc import abstractmethod

import numpy as np
import pandas as pd
from scipy.special import ndtri

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import PanelDefinition, Series
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.fitted_model import FittedModel
from forecasting.core.panel import future_cells
from forecasting.models.model import Model
from forecasting.models.naive import PROBABILITIES

Numbers = dict[str, float]


class OneByOne(Model):
    """A model of log(1 + units), normal in logs; gaps are passed over, promotions play no part.

    min_weeks: observed weeks that `estimate` needs.
    """

    min_weeks: int

    @abstractmethod
    def estimate(self, log_units: np.ndarray) -> Numbers:
        """Return named parameters of the observed log units (W,) up to the cutoff of the fit."""
        ...

    @abstractmethod
    def apply(self, log_units: np.ndarray, learnt: Numbers, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of the log units at each step, (H,), from all weeks up to now, (W,)."""
        ...

    def fit(self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> FittedModel:
        """Return the parameters of each series of the panel.

        Raises:
            ValueError: a series has fewer observed weeks than the model needs.
        """
        numbers = {}
        for key, log_units in _log_units(panel):
            if len(log_units) < self.min_weeks:
                raise ValueError(
                    f"series {key} has {len(log_units)} observed weeks, {self.name} needs {self.min_weeks}"
                )
            numbers[key] = self.estimate(log_units)
        return FittedModel(spec, rows_of(numbers, spec.definition))

    def predict(
        self, fitted: FittedModel, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec
    ) -> PredictiveDistribution:
        """Return the forecast of each series of the panel that has parameters."""
        numbers, normal, steps = numbers_of(fitted), ndtri(PROBABILITIES), np.array(spec.steps)
        keys, samples = [], [np.empty((0, len(PROBABILITIES)))]
        for key, log_units in _log_units(panel):
            if key in numbers:
                centre, spread = self.apply(log_units, numbers[key], steps)
                keys.append(key)
                samples.append(np.expm1(centre[:, None] + spread[:, None] * normal))
        cells = future_cells(pd.DataFrame(keys, columns=schemas.SERIES), spec)
        return PredictiveDistribution(cells, np.maximum(np.concatenate(samples), 0.0))


def rows_of(numbers: dict[Series, Numbers], definition: PanelDefinition) -> pd.DataFrame:
    """Return parameters by (store, product) as table `parameters`."""
    rows = [
        (product, name, store, 0, value)
        for (store, product), of_series in numbers.items()
        for name, value in of_series.items()
    ]
    frame = pd.DataFrame(rows, columns=["product", "name", "store", "position", "value"])
    return schemas.parameters(definition).cast(frame.assign(rival=None))


def numbers_of(fitted: FittedModel) -> dict[Series, Numbers]:
    """Return the inverse of `rows_of`."""
    numbers: dict[Series, Numbers] = {}
    columns = (fitted.parameters[name] for name in ("store", "product", "name", "value"))
    for store, product, name, value in zip(*columns, strict=True):
        numbers.setdefault((store, product), {})[name] = value
    return numbers


def _log_units(panel: pd.DataFrame) -> list[tuple[Series, np.ndarray]]:
    """Return the log units of the observed weeks of each series, in its order."""
    observed = panel.dropna(subset="units").groupby(schemas.SERIES)["units"]
    return [((store, product), np.log1p(units.to_numpy())) for (store, product), units in observed]
