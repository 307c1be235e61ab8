"""What a model is: a class with `fit` and `predict`, and the optional answer to questions about other offers."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import OptionError
from forecasting.contracts.panel_definition import Id
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.fitted_model import FittedModel
from forecasting.core.partition import Pooled
from forecasting.core.pool import Pool


@runtime_checkable
class Model(Protocol):
    """A model is pure: the same arguments give the same bits, whatever else is in the batch.

    All methods take

    - panel: the series to forecast, one row per (`store`, `product`, `week`) from the first sale to the cutoff, gaps
      visible (`forecasting.core.panel.build_panel`);
    - promotions: covariates of all products of these stores, past and future, complete in the coming weeks
      (`forecasting.core.panel.complete_promotions`);
    - spec: what to forecast.
    """

    @property
    def name(self) -> str:
        """Return the name by which the registry knows it."""
        ...

    @property
    def summary(self) -> str:
        """Return one line for people."""
        ...

    @property
    def pooled(self) -> Pooled:
        """Return which series it learns from together; they stay in one partition."""
        return "nothing"

    @property
    def trainable(self) -> bool:
        """Return whether it can be fitted once and predict later weeks by that fit."""
        return True

    @property
    def has_parameters(self) -> bool:
        """Return whether a fit holds parameters of every series, so that it cannot predict a series without any."""
        return True

    @property
    def most_pooled(self) -> int | None:
        """Return how many stores of a product it learns from, at most; None where it takes all that it is given.

        Of a model that has a limit, `learn` takes the series of `forecasting.core.pool.pooled_series`, and `forecast`
        the result and any stores.
        """
        return None

    def learn(self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> Pool:
        """Return all that the forecast of any stores needs of the pooled ones, those of the panel or among them.

        Raises:
            ValueError: the model has no pool; `most_pooled` is None.
        """
        raise ValueError(f"the model {self.name} learns from all series that it forecasts, not from a pool of stores")

    @abstractmethod
    def fit(self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> FittedModel:
        """Return the parameters that the model estimates from the weeks up to the cutoff.

        Raises:
            ValueError: a series cannot be forecast by this model, for example because it is too short.
        """
        ...

    @abstractmethod
    def predict(
        self, fitted: FittedModel, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec
    ) -> PredictiveDistribution:
        """Return the distribution of every step of each series of the panel that `fitted` has parameters of.

        The cutoff of `spec` is that of the fit or a later one.
        """
        ...

    def forecast(
        self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, pool: Pool | None = None
    ) -> PredictiveDistribution:
        """Fit and predict at one cutoff. A model that overrides this for speed returns the same bits.

        pool: what `learn` returned for this spec; None where the model is to learn from the panel. By a pool the
        forecast of a series does not depend on which others are in the panel.
        """
        return self.predict(self.fit(panel, promotions, spec), panel, promotions, spec)

    def require_trainable(self) -> None:
        """Check that the model can be trained.

        Raises:
            OptionError: it cannot.
        """
        if not self.trainable:
            raise OptionError(
                f"model={self.name}",
                "cannot be trained apart from forecasting",
                "run it with retrain=always, or choose a model that can (docs/models.md)",
            )


class OnePassModel(Model):
    """A model without parameters: `forecast` does all its work, from the panel alone."""

    has_parameters = False

    def fit(self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> FittedModel:
        """Return a fit without parameters."""
        return FittedModel(spec, schemas.parameters(spec.definition).empty())

    def predict(
        self, fitted: FittedModel, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec
    ) -> PredictiveDistribution:
        """Return `forecast`."""
        return self.forecast(panel, promotions, spec)

    @abstractmethod
    def forecast(
        self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, pool: Pool | None = None
    ) -> PredictiveDistribution:
        """Return the distribution of every step of each series of the panel."""
        ...


class PreparedProduct(Protocol):
    """One product of a fitted model, brought up to a cutoff."""

    def with_offer(self, store: Id, week: pd.Timestamp, offer: Mapping[str, float]) -> Self:
        """Return the product with other values of these covariates, by name, in one store and coming week."""
        ...

    def samples_of(self, store: Id, week: pd.Timestamp) -> np.ndarray:
        """Return the sorted samples in units of one store and coming week, (1, n)."""
        ...


@runtime_checkable
class PreparesOffers(Protocol):
    """A model that answers many questions about other offers without predicting anew for each."""

    def prepare(
        self, fitted: FittedModel, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec
    ) -> Sequence[PreparedProduct]:
        """Return every product of the panel that `fitted` has parameters of, in order."""
        ...
