"""Tests of the ensemble: the average of its members, row by row."""

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts.spec import ForecastSpec
from forecasting.core.completeness import active_series
from forecasting.core.distribution import SMALLEST_SALE
from forecasting.core.forecast_checks import require_complete
from forecasting.core.panel import build_panel, series_of
from forecasting.models import boosted_trees as trees
from forecasting.models import get_model
from forecasting.models.boosted_trees import BoostedTrees
from forecasting.models.ensemble import MEMBERS, WEIGHTS, Ensemble
from forecasting.models.price_response import PriceResponse
from forecasting.pipeline.forecast import forecast
from tests.forecasting.models.made_up import made_up
from tests.strategies import Market

MARKET = made_up(n_weeks=90, stores=(2, 5, 8, 9), noise=0.3)


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten trees of one seed show as much."""
    monkeypatch.setattr(trees, "ROUNDS", 10)
    monkeypatch.setattr(trees, "SEEDS", (1,))


def asked(market: Market, horizon: int = 2) -> tuple[pd.DataFrame, pd.DataFrame, ForecastSpec]:
    """Panel, promotions and spec, as a model is asked."""
    spec = ForecastSpec(market.cutoff, horizon=horizon, model="ensemble")
    series = active_series(market.sales, market.cutoff)
    promotions = market.promotions[market.promotions["week"] <= pd.Timestamp(spec.weeks[-1])]
    return build_panel(market.sales, promotions, series, market.cutoff), promotions, spec


def test_each_sample_is_the_geometric_mean_of_the_members() -> None:
    """Half the log of the regression's sample and half the log of the trees', in the same rows."""
    question = asked(MARKET)

    found = Ensemble().forecast(*question)

    first, second = PriceResponse().forecast(*question), BoostedTrees().forecast(*question)
    expected = np.sqrt(np.maximum(first.samples, SMALLEST_SALE) * np.maximum(second.samples, SMALLEST_SALE))
    assert not np.array_equal(first.samples, second.samples)
    assert found.samples == pytest.approx(expected)
    pd.testing.assert_frame_equal(found.frame, first.frame)


def test_the_samples_ascend_and_lie_between_those_of_the_members() -> None:
    """An average passes neither member, and stays sorted: intervals of it are nested."""
    question = asked(MARKET)
    members = [member.forecast(*question).samples for member in MEMBERS]

    samples = Ensemble().forecast(*question).samples

    assert (np.diff(samples, axis=1) >= 0).all()
    assert (samples >= np.minimum(*members) - 1e-9).all()
    assert (samples <= np.maximum(*members) + 1e-9).all()


def test_the_weights_are_shares() -> None:
    """They add up to one, and the ensemble is pooled as its widest member is."""
    assert sum(WEIGHTS) == pytest.approx(1)
    assert get_model("ensemble").pooled == get_model("boosted_trees").pooled == "everything"


@pytest.mark.parametrize("n_weeks", [1, 3, 9])
def test_a_short_history_is_no_obstacle(n_weeks: int) -> None:
    """Eight weeks ahead, every series × step once, finite, not negative and nested."""
    market = made_up(n_weeks=n_weeks)
    _, _, spec = asked(market, horizon=8)

    found = forecast(market.sales, market.promotions, spec)

    require_complete(found, active_series(market.sales, market.cutoff), spec)


def test_twice_the_same_bits() -> None:
    """Nothing is left to chance."""
    panel, promotions, spec = asked(MARKET)

    again = Ensemble().forecast(panel, promotions, spec)

    assert np.array_equal(again.samples, Ensemble().forecast(panel, promotions, spec).samples)
    assert len(again.frame) == 2 * len(series_of(panel))


def test_what_never_sold_is_forecast_at_nothing() -> None:
    """The average of no sale and no sale is no sale."""
    silent = Market(MARKET.sales.assign(units=0), MARKET.promotions, MARKET.cutoff)

    assert Ensemble().forecast(*asked(silent)).samples.max() == 0
