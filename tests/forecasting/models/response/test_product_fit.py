"""Tests of the fit of products: panels of any kind."""

import numpy as np
import pandas as pd
import pytest

from forecasting.models.price_response import PriceResponse
from tests.forecasting.models.made_up import CUTOFF, definition_of, panel_of


@pytest.mark.parametrize("scale", [0.002, 5e6])
def test_units_may_be_of_any_size(scale: float) -> None:
    """Tonnes or cents with decimals: the forecast scales with the sales."""
    definition = definition_of("price", whole=False)
    usual = PriceResponse().forecast(*panel_of(definition, scale=1.0)).samples

    found = PriceResponse().forecast(*panel_of(definition, scale=scale)).samples

    assert found / scale == pytest.approx(usual, rel=1e-6)


def test_a_missing_number_is_tolerated() -> None:
    """Half of the past values are unknown."""
    panel, promotions, spec = panel_of(definition_of("number"))
    past = promotions["week"] <= pd.Timestamp(CUTOFF)
    hidden = past & (np.arange(len(promotions)) % 2 == 0)
    promotions = promotions.assign(number_0=promotions["number_0"].mask(hidden))

    found = PriceResponse().forecast(panel, promotions, spec)

    assert np.isfinite(found.samples).all()


def test_intermittent_sales_are_forecast_with_their_zeros() -> None:
    """A third of the weeks without a sale: about a third of the samples, and the mean is hardly biased."""
    panel, promotions, spec = panel_of(definition_of(), stores=4, zeros=1 / 3)

    found = PriceResponse().forecast(panel, promotions, spec)

    assert (found.samples == 0).mean() == pytest.approx(1 / 3, abs=0.1)
    recent = panel[panel["week"] > pd.Timestamp(CUTOFF) - pd.Timedelta(weeks=8)]
    assert found.samples.mean() == pytest.approx(recent["units"].mean(), rel=0.3)


def test_sales_that_grow_are_followed() -> None:
    """Two percent a week, without any covariate: the forecast does not lag by more than a week or so."""
    panel, promotions, spec = panel_of(definition_of(whole=False), zeros=0.0)
    week = (panel["week"] - panel["week"].min()).dt.days / 7
    panel = panel.assign(units=100 * np.exp(0.02 * week))

    found = PriceResponse().forecast(panel, promotions, spec)

    expected = 100 * np.exp(0.02 * (week.max() + found.frame["step"].to_numpy()))
    assert np.median(found.samples, axis=1) / expected == pytest.approx(1, abs=0.05)
