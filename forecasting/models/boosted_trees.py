"""Boosted trees on the errors of the price response, pooled over all products and stores.

The regression knows each product and store well but is linear and sees few deep specials
of any one product; the trees learn from all products together what it misses.  They are
trained on errors of forecasts made without the week, so they learn what it misses
outside its sample.
"""

import lightgbm as lgb
import numpy as np
import pandas as pd

from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.partition import Pooled
from forecasting.core.pool import Pool
from forecasting.models.model import OnePassModel
from forecasting.models.price_response import as_predictive
from forecasting.models.response.choice import FIRST_ORIGIN
from forecasting.models.response.panel_fit import fit_products
from forecasting.models.response.product_fit import ProductFit
from forecasting.models.response.tree_features import tree_features

ROUNDS = 100
SEEDS = (1, 2, 3)  # averaged over seeds: each tree sees a fifth of the features
HALF_LIFE = 39.0  # weeks after which an error counts half
CHECK_EVERY, CHECKS = 10, 4  # earlier fits, weeks apart, whose errors the spread is learnt from
FEWEST_ERRORS = 500  # below this many past errors the regression is left as it is
PARAMETERS = {
    "objective": "l1",
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 300,
    "feature_fraction": 0.2,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


class BoostedTrees(OnePassModel):
    """The price response plus the error that the trees expect of it."""

    name = "boosted_trees"
    summary = "price_response, corrected by gradient-boosted trees (LightGBM)"
    pooled: Pooled = "everything"
    trainable = False

    def forecast(
        self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, pool: Pool | None = None
    ) -> PredictiveDistribution:
        """Return the corrected price response, spread by the past errors of the corrected forecasts."""
        fits = fit_products(panel, promotions, spec)
        features = [tree_features(fit.offers, fit.own, fit.rivals).astype(np.float32) for fit in fits]
        corrected = [np.full_like(fit.forecasts, np.nan) for fit in fits]
        furthest = int(spec.steps[-1])
        for back in range(CHECKS, -1, -1):
            known = back * CHECK_EVERY  # weeks before today up to which these trees were trained
            trees = _train(fits, features, known)
            for fit, x, forecasts in zip(fits, features, corrected, strict=True):
                for j, step in enumerate(fit.steps):
                    origins = _origins_between(fit.today, int(step), known, furthest)
                    forecasts[origins, j] = _corrected(trees, fit, x, origins, j)
        return as_predictive(((fit, fit.log_samples(f)) for fit, f in zip(fits, corrected, strict=True)), spec)


def _origins_between(today: int, step: int, known: int, furthest: int) -> np.ndarray:
    """Origins, not before the trees' last week, whose target no later trees forecast."""
    first = today - known + furthest - step
    if known == 0:
        return np.array([today])
    return np.arange(max(first, 0), max(min(first + CHECK_EVERY, today), 0))


def _train(fits: list[ProductFit], features: list[np.ndarray], known: int) -> list[lgb.Booster]:
    """One model a seed, trained on all errors up to `known` weeks before today."""
    rows = [_training_rows(fit, x, known) for fit, x in zip(fits, features, strict=True)]
    x, errors, weight = (np.concatenate(part) for part in zip(*rows, strict=True))
    if len(errors) < FEWEST_ERRORS:
        return []
    data = lgb.Dataset(x, errors, weight=weight, free_raw_data=False)
    return [lgb.train(PARAMETERS | {"seed": seed}, data, ROUNDS) for seed in SEEDS]


def _training_rows(fit: ProductFit, x: np.ndarray, known: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(features, errors of the first step, weights) of the weeks up to `known` before today."""
    step = int(fit.steps[0])
    origins = np.arange(min(FIRST_ORIGIN, fit.today), max(fit.today - known - step + 1, 0))
    forecast = fit.forecasts[origins, 0]
    errors = fit.sales.logs[origins + step] - forecast
    weight = np.broadcast_to(0.5 ** ((fit.today - origins) / HALF_LIFE)[:, None], errors.shape)
    seen = ~np.isnan(errors)
    return _with_forecast(x[origins + step], forecast)[seen], errors[seen], weight[seen]


def _corrected(trees: list[lgb.Booster], fit: ProductFit, x: np.ndarray, origins: np.ndarray, j: int) -> np.ndarray:
    """The forecasts of step j plus what the trees expect them to miss, (origins, S)."""
    forecast = fit.forecasts[origins, j]
    if not trees or not len(origins):
        return forecast
    rows = _with_forecast(x[origins + int(fit.steps[j])], forecast).reshape(forecast.size, -1)
    miss = np.mean([tree.predict(rows, num_threads=1) for tree in trees], axis=0)
    return forecast + miss.reshape(forecast.shape)


def _with_forecast(x: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    return np.concatenate([x, forecast[..., None].astype(np.float32)], axis=-1)
