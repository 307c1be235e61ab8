"""The choice of model by backtest, product by product, inside the panel that is given."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution, point_of
from forecasting.core.metrics import METRICS
from forecasting.core.panel import series_of
from forecasting.core.partition import Pooled
from forecasting.models.model import OnePassModel
from forecasting.models.registry import get_model
from forecasting.models.response.spread import SAMPLES

DEFAULT = "price_response"
CHALLENGERS = ("ets", "mean", "seasonal_naive")
ORIGINS = 4
WEEKS_APART = 4  # at least, from one origin to the next; more where the horizon is longer
FEWEST_WEEKS = 26  # of a product's history before its earliest origin
CLEARLY = 0.05  # share by which a challenger must be better in sum
WINS = 3  # origins of `ORIGINS` in which it must be better


class Auto(OnePassModel):
    """Forecast each product by the model that did best on it of late, in doubt by `DEFAULT`.

    At `ORIGINS` earlier cutoffs every candidate forecasts weeks that have been sold since, from the sales up to that
    cutoff and all promotions; `choose` decides. Products are judged one by one, so no product depends on the others.
    """

    name = "auto"
    summary = "per product the model that did best in a backtest, price_response in doubt"
    pooled: Pooled = "product"
    trainable = False

    def forecast(self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> PredictiveDistribution:
        """Return the chosen models' forecasts, product by product."""
        answers = [_product_forecast(sales, promotions, spec) for _, sales in panel.groupby("product", sort=True)]
        return PredictiveDistribution(
            pd.concat([answer.frame for answer in answers], ignore_index=True),
            np.concatenate([_resampled(answer.samples) for answer in answers]),
        )


def choose(scores_of: Mapping[str, Sequence[float]]) -> str:
    """The model to use, by its scores at the origins; lower is better, and a lost origin is infinite.

    That is `DEFAULT`, unless another was better by more than `CLEARLY` in sum and at `WINS` origins or more;
    of several such the one with the lowest sum. Without scores of `DEFAULT` it stays.

    Args:
        scores_of: one score per origin, the same origins for all, of each model that was backtested.
    """
    if not scores_of.get(DEFAULT):
        return DEFAULT
    standard = np.array(scores_of[DEFAULT])
    winners = {
        name: sum(found)
        for name, found in scores_of.items()
        if sum(found) < (1 - CLEARLY) * standard.sum() and (np.array(found) < standard).sum() >= WINS
    }
    return min(winners, key=winners.__getitem__, default=DEFAULT)


def backtest_origins(first_week: date, spec: ForecastSpec) -> list[date]:
    """The cutoffs of a product's backtest, latest first, whose weeks to forecast are all known by now.

    None at all where the earliest would have less than `FEWEST_WEEKS` behind it.
    """
    apart = WEEK * max(WEEKS_APART, spec.horizon)
    latest = spec.cutoff - WEEK * spec.steps[-1]
    origins = [latest - apart * back for back in range(ORIGINS)]
    return origins if origins[-1] - first_week >= WEEK * (FEWEST_WEEKS - 1) else []


def _product_forecast(sales: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> PredictiveDistribution:
    """The chosen model's answer; the default's where the chosen one, which could forecast then, cannot now."""
    chosen = choose(_backtest(sales, promotions, spec))
    if chosen != DEFAULT:
        try:
            return get_model(chosen).forecast(sales, promotions, replace(spec, model=chosen))
        except ValueError:
            pass
    return get_model(DEFAULT).forecast(sales, promotions, replace(spec, model=DEFAULT))


def _backtest(sales: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> dict[str, list[float]]:
    """Scores at every origin of each candidate; empty where the history is too short or nothing was sold."""
    scores_of: dict[str, list[float]] = {}
    for origin in backtest_origins(sales["week"].min().date(), spec):
        then = replace(spec, cutoff=origin)
        past = sales[sales["week"] <= pd.Timestamp(origin)]
        known = promotions[promotions["week"] <= pd.Timestamp(then.weeks[-1])]
        actuals = sales[sales["week"].isin(pd.DatetimeIndex(then.weeks))].dropna(subset="units")
        actuals = actuals.merge(series_of(past.dropna(subset="units")), on=schemas.SERIES)
        if not actuals["units"].sum():
            return {}
        for name in (DEFAULT, *CHALLENGERS):
            scores_of.setdefault(name, []).append(_score(name, past, known, actuals, then))
    return scores_of


def _score(name: str, past: pd.DataFrame, promotions: pd.DataFrame, actuals: pd.DataFrame, spec: ForecastSpec) -> float:
    """WAPE of the median; infinite where the model could not forecast."""
    try:
        answer = get_model(name).forecast(past, promotions, replace(spec, model=name))
    except ValueError:
        return np.inf
    rows = answer.frame.assign(forecast=point_of(answer.samples, "median"))
    rows = actuals.rename(columns={"units": "actual"})[[*schemas.CELL, "actual"]].merge(rows, on=schemas.CELL)
    return METRICS["wape"](rows)


def _resampled(samples: np.ndarray) -> np.ndarray:
    """The same distributions as `SAMPLES ` samples, whatever the model's own number."""
    if samples.shape[1] == SAMPLES:
        return samples
    return np.quantile(samples, (np.arange(SAMPLES) + 0.5) / SAMPLES, axis=1, method="hazen").T
