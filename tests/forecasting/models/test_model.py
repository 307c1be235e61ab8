"""Tests of the Protocol that every model implements."""

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.fitted_model import FittedModel
from forecasting.core.panel import future_cells, series_of
from forecasting.core.pool import MOST_POOLED, Pool
from forecasting.models import MODELS, Model, get_model
from forecasting.models.model import OnePassModel, PreparesOffers
from tests.forecasting.models.series import CUTOFF, sales_of

SPEC = ForecastSpec(CUTOFF, horizon=1)
PANEL = sales_of({(2, 1): [3, 5]})
NO_PROMOTIONS = pd.DataFrame()


class Largest(Model):
    """Repeats the largest sale of the weeks of the fit."""

    name = "largest"
    summary = "largest sale"

    def fit(self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> FittedModel:
        return FittedModel(spec, orange_juice.PARAMETERS.empty(), {"largest": str(panel["units"].max())})

    def predict(
        self, fitted: FittedModel, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec
    ) -> PredictiveDistribution:
        cells = future_cells(series_of(panel), spec)
        return PredictiveDistribution(cells, np.full((len(cells), 3), float(fitted.texts["largest"])))


class Five(OnePassModel):
    """Always five."""

    name = "five"
    summary = "five"
    trainable = False

    def forecast(
        self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, pool: Pool | None = None
    ) -> PredictiveDistribution:
        cells = future_cells(series_of(panel), spec)
        return PredictiveDistribution(cells, np.full((len(cells), 3), 5.0))


def test_a_forecast_is_a_fit_and_a_prediction() -> None:
    """`forecast` needs no code of its own."""
    assert Largest().forecast(PANEL, NO_PROMOTIONS, SPEC).samples.tolist() == [[5, 5, 5]]


def test_a_model_without_parameters_predicts_what_it_forecasts() -> None:
    """Its fit holds nothing."""
    fitted = Five().fit(PANEL, NO_PROMOTIONS, SPEC)

    assert fitted.parameters.empty
    assert Five().predict(fitted, PANEL, NO_PROMOTIONS, SPEC).samples.tolist() == [[5, 5, 5]]


def test_defaults_and_refusal() -> None:
    """Without a word to the contrary a model learns each series by itself and can be trained."""
    assert (Largest().pooled, Largest().trainable, Largest().has_parameters) == ("nothing", True, True)
    Largest().require_trainable()
    with pytest.raises(OptionError, match="model=five cannot be trained"):
        Five().require_trainable()


def test_a_model_that_does_not_say_so_has_no_pool() -> None:
    """It learns from all that it is given, and refuses to learn from some; the default model has one."""
    assert Largest().most_pooled is None
    with pytest.raises(ValueError, match="the model five learns from all series"):
        Five().learn(PANEL, NO_PROMOTIONS, SPEC)
    assert get_model("price_response").most_pooled == MOST_POOLED


def test_only_the_price_response_prepares_offers() -> None:
    """The optional Protocol is recognised by type."""
    assert [name for name in MODELS if isinstance(get_model(name), PreparesOffers)] == ["price_response"]
