"""Tests of the choice of model: decided by scores made up by hand, made among models made up by hand."""

from collections.abc import Callable
from datetime import date
from math import inf, nan

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.panel import build_panel, future_cells, series_of
from forecasting.models import MODELS, Model, get_model
from forecasting.models import auto as auto_module
from forecasting.models.auto import CHALLENGERS, DEFAULT, FEWEST_WEEKS, ORIGINS, WEEKS_APART, backtest_origins, choose
from tests.forecasting.models.series import CUTOFF, Units, forecast_of

ALIKE = [0.4, 0.4, 0.4, 0.4]
STEADY: Units = [100] * 60


@pytest.mark.parametrize(
    ("challenger", "chosen"),
    [
        ([0.3, 0.3, 0.3, 0.3], "mean"),
        ([0.3, 0.3, 0.3, 0.5], "mean"),  # three wins, and 12 % better in sum
        ([0.1, 0.1, 0.41, 0.41], DEFAULT),  # far better in sum, but two wins only
        ([0.39, 0.39, 0.39, 0.39], DEFAULT),  # four wins, but 2.5 % better only
        ([0.38, 0.38, 0.38, 0.38], DEFAULT),  # exactly 5 % is not more than 5 %
        ([0.3, 0.3, 0.3, 0.9], DEFAULT),  # three wins, but worse in sum
        (ALIKE, DEFAULT),
        ([0.3, 0.3, 0.3, inf], DEFAULT),  # could not forecast once
        ([0.3, 0.3, 0.3, nan], DEFAULT),
        ([inf] * 4, DEFAULT),
    ],
)
def test_only_a_clear_and_repeated_win_unseats_the_default(challenger: list[float], chosen: str) -> None:
    """More than 5 % better in sum, and better at three of four origins."""
    assert choose({DEFAULT: ALIKE, "mean": challenger}) == chosen


def test_of_several_winners_the_best_is_chosen() -> None:
    """The lowest sum wins, in whatever order they are named."""
    found = {"mean": [0.3] * 4, DEFAULT: ALIKE, "ets": [0.2] * 4, "seasonal_naive": [0.35] * 4}

    assert choose(found) == "ets"
    assert choose(dict(reversed(found.items()))) == "ets"


def test_a_default_that_cannot_forecast_gives_way() -> None:
    """It raised at every origin: whoever did not is better."""
    assert choose({DEFAULT: [inf] * 4, "mean": ALIKE}) == "mean"
    assert choose({DEFAULT: [inf] * 4, "mean": [inf] * 4}) == DEFAULT


@pytest.mark.parametrize("found", [{}, {DEFAULT: []}, {"mean": [0.1] * 4}])
def test_without_scores_the_default_stays(found: dict[str, list[float]]) -> None:
    """A challenger that nothing was compared with is not used."""
    assert choose(found) == DEFAULT


def test_the_origins_end_where_all_their_weeks_are_known() -> None:
    """Two weeks after a gap of one: the latest origin lies three weeks back, the others four weeks apart."""
    spec = ForecastSpec(CUTOFF, horizon=2, gap=1, model="auto")

    origins = backtest_origins(date(1990, 6, 14), spec)

    assert [(CUTOFF - origin) // WEEK for origin in origins] == [3, 7, 11, 15]


def test_origins_of_a_long_horizon_do_not_share_weeks() -> None:
    """Eight weeks are forecast: the origins lie eight weeks apart."""
    origins = backtest_origins(date(1980, 1, 3), ForecastSpec(CUTOFF, horizon=8, model="auto"))

    assert [(CUTOFF - origin) // WEEK for origin in origins] == [8, 16, 24, 32]


def test_too_little_history_has_no_origins() -> None:
    """The earliest origin needs half a year behind it, its own week included."""
    spec = ForecastSpec(CUTOFF, horizon=2, model="auto")
    enough = CUTOFF - WEEK * (2 + (ORIGINS - 1) * WEEKS_APART + FEWEST_WEEKS - 1)

    assert len(backtest_origins(enough, spec)) == ORIGINS
    assert backtest_origins(enough + WEEK, spec) == []


Forecast = Callable[[pd.DataFrame, pd.DataFrame, ForecastSpec], PredictiveDistribution]
CALLS: list[tuple[str, date]] = []


def always(name: str, units: float, *, raises_after: date | None = None) -> Forecast:
    """A model that forecasts the same everywhere, and notes when it was called."""

    def forecast(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> PredictiveDistribution:
        CALLS.append((name, spec.cutoff))
        assert panel["week"].max() <= pd.Timestamp(spec.cutoff)
        if raises_after and spec.cutoff > raises_after:
            raise ValueError("too short")
        cells = future_cells(series_of(panel), spec)
        return PredictiveDistribution(cells, np.full((len(cells), 99), units))

    return forecast


@pytest.fixture
def given_models(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replace the candidates by models made up by hand; those not named forecast nonsense."""
    CALLS.clear()

    def replace(**models: Forecast) -> None:
        found = {name: models.get(name, always(name, 1e6)) for name in (DEFAULT, *CHALLENGERS)}

        class Found:
            def __init__(self, name: str) -> None:
                self.forecast = found[name]

        monkeypatch.setattr(auto_module, "get_model", Found)

    return replace


def test_the_winner_of_the_backtest_forecasts(given_models: Callable[..., None]) -> None:
    """A series of 100 a week: who says 100 is used, not who says 150, and always with 199 samples."""
    given_models(price_response=always("price_response", 150.0), ets=always("ets", 100.0))

    found = forecast_of("auto", STEADY, horizon=2)

    assert found.samples == pytest.approx(np.full((2, 199), 100.0))


def test_no_model_is_used_that_was_not_backtested(given_models: Callable[..., None]) -> None:
    """Who forecasts at the cutoff has forecast at all four origins before."""
    given_models(price_response=always("price_response", 150.0), mean=always("mean", 100.0))

    forecast_of("auto", STEADY, horizon=2)

    (used,) = [name for name, cutoff in CALLS if cutoff == CUTOFF]
    assert used == "mean"
    assert [(CUTOFF - cutoff) // WEEK for name, cutoff in CALLS if name == used] == [2, 6, 10, 14, 0]


def test_too_little_history_is_not_backtested_at_all(given_models: Callable[..., None]) -> None:
    """A product of twenty weeks is the default's, and nobody else is asked."""
    given_models(price_response=always("price_response", 150.0), mean=always("mean", 100.0))

    found = forecast_of("auto", [100] * 20, horizon=2)

    assert CALLS == [(DEFAULT, CUTOFF)]
    assert found.samples == pytest.approx(np.full((2, 199), 150.0))


def test_a_candidate_that_raises_loses(given_models: Callable[..., None]) -> None:
    """It would have been right, but could not forecast at the latest origin."""
    given_models(
        price_response=always("price_response", 150.0),
        ets=always("ets", 100.0, raises_after=CUTOFF - 3 * WEEK),
    )

    assert np.median(forecast_of("auto", STEADY, horizon=2).samples) == 150


def test_a_winner_that_cannot_forecast_today_gives_way_to_the_default(given_models: Callable[..., None]) -> None:
    """It won at every origin and raises at the cutoff: the default, backtested too, forecasts."""
    given_models(price_response=always("price_response", 150.0), ets=always("ets", 100.0, raises_after=CUTOFF - WEEK))

    assert np.median(forecast_of("auto", STEADY, horizon=2).samples) == 150


def test_weeks_without_sales_to_score_leave_the_default(given_models: Callable[..., None]) -> None:
    """Nothing was sold in the weeks of the latest origin: it cannot be scored."""
    given_models(price_response=always("price_response", 150.0), mean=always("mean", 0.0))

    assert np.median(forecast_of("auto", [*STEADY, 0, 0], horizon=2).samples) == 150


def test_each_product_has_its_own_choice(given_models: Callable[..., None]) -> None:
    """Product 1 sells 100 a week and product 2 sells 150; in which company they are asked changes nothing."""
    given_models(price_response=always("price_response", 150.0), mean=always("mean", 100.0))

    together = forecast_of("auto", {(2, 1): STEADY, (2, 2): [150] * 60, (5, 1): STEADY}, horizon=1)

    assert together.frame[schemas.SERIES].to_numpy().tolist() == [[2, 1], [5, 1], [2, 2]]
    assert np.median(together.samples, axis=1).tolist() == [100, 100, 150]


def test_every_candidate_is_registered() -> None:
    """The default is the spec's, and every challenger has a name of the registry."""
    assert ForecastSpec(CUTOFF).model == DEFAULT
    assert {DEFAULT, *CHALLENGERS} <= set(MODELS)
    assert isinstance(get_model("auto"), Model)


def test_where_the_default_is_chosen_its_bits_are_the_answer(
    real_sales: pd.DataFrame, real_promotions: pd.DataFrame
) -> None:
    """On two real products in eight stores, samples ascend, are finite, not negative and reproducible."""
    sales = real_sales[real_sales["product"].isin([1, 5]) & (real_sales["store"] < 30)]
    promotions = real_promotions[real_promotions["store"] < 30]
    spec = ForecastSpec(date(1991, 12, 26), horizon=2, gap=1, model="auto")
    panel = build_panel(sales, promotions, series_of(sales), spec.cutoff)

    found, again = (get_model("auto").forecast(panel, promotions, spec) for _ in range(2))

    assert found.samples.shape == (len(series_of(panel)) * 2, 199)
    assert np.isfinite(found.samples).all()
    assert (found.samples >= 0).all()
    assert (np.diff(found.samples, axis=1) >= 0).all()
    assert (found.samples == again.samples).all()
    assert (found.samples == get_model(DEFAULT).forecast(panel, promotions, spec).samples).all()
