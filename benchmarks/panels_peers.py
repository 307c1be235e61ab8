"""Forecast the folds of `panels.py` by other libraries: statsforecast, and LightGBM by mlforecast.

    PYTHON benchmarks/panels_peers.py FOLDER --price price --at-most AutoETS=100

These libraries need pandas below 3, so that PYTHON is that of an environment of their own (panels_peers.txt lists what
it holds), and nothing of this project is imported. FOLDER holds what `panels.py` wrote:

    sales.parquet       store, product, week, units
    covariates.parquet  store, product, week, and a column for each covariate, coming weeks among them
    cells.parquet       cutoff, store, product, week, step: what to forecast

It gets `forecasts.parquet` (model, cutoff, store, product, week, forecast, and lo_80 … hi_95 where the model has
intervals) and `cost.parquet` (model, series, cpu_ms: milliseconds of CPU for a series and fold).
"""

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SERIES = ["store", "product"]
CELL = [*SERIES, "week"]
LEVELS = (80, 95)
ENDS = [f"{side}_{level}" for side in ("lo", "hi") for level in LEVELS]
YEAR = 52
# Weeks of history from which on last year's own sales are features.
ENOUGH_FOR_LAST_YEAR = 70
LAGS, LAGS_OF_LAST_YEAR = (1, 2, 3, 4, 5, 6, 8, 13), (26, 51, 52, 53)
MEANS, MEAN_OF_LAST_YEAR = (4, 13), (52,)
TREES: dict[str, Any] = {
    "n_estimators": 400,
    "learning_rate": 0.05,
    "num_leaves": 31,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.8,
    "n_jobs": 1,
    "random_state": 0,
    "verbosity": -1,
}

# (history, features of past and coming weeks, horizon) -> one row a series and coming week
Peer = Callable[[pd.DataFrame, pd.DataFrame, int], pd.DataFrame]


def main() -> None:
    """Forecast all folds by all models, one after the other."""
    parser = argparse.ArgumentParser(description="Forecasts of other libraries, for benchmarks/panels.py.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--price", help="the covariate that is a price")
    parser.add_argument("--at-most", nargs="*", default=[], metavar="MODEL=SERIES", help="fit a slow model to fewer")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    sales, covariates, cells = (
        pd.read_parquet(options.folder / f"{name}.parquet") for name in ("sales", "covariates", "cells")
    )
    at_most = dict(each.split("=") for each in options.at_most)
    found, costs = [], []
    for model in options.models:
        asked = sample(cells, int(at_most[model])) if model in at_most else cells
        rows, milliseconds = forecast_folds(PEERS[model], sales, covariates, asked, options.price)
        found.append(rows.assign(model=model))
        costs.append({"model": model, "series": len(asked[SERIES].drop_duplicates()), "cpu_ms": milliseconds})
    pd.concat(found, ignore_index=True).to_parquet(options.folder / "forecasts.parquet", index=False)
    pd.DataFrame(costs).to_parquet(options.folder / "cost.parquet", index=False)


def sample(cells: pd.DataFrame, series: int) -> pd.DataFrame:
    """Return the cells of so many series, always the same ones."""
    every = cells[SERIES].drop_duplicates().sort_values(SERIES)
    return cells.merge(every.sample(min(series, len(every)), random_state=0), on=SERIES)


def forecast_folds(
    peer: Peer, sales: pd.DataFrame, covariates: pd.DataFrame, cells: pd.DataFrame, price: str | None
) -> tuple[pd.DataFrame, float]:
    """Return the forecasts of every cell, and the CPU milliseconds for a series and fold."""
    parts, seconds, series = [], 0.0, 0
    for cutoff, asked in cells.groupby("cutoff"):
        past = history(sales, asked, cutoff)
        known = features(past, asked, covariates, price)
        began = time.process_time()
        rows = peer(past, known, int(asked["step"].max()))
        seconds += time.process_time() - began
        series += rows["unique_id"].nunique()
        keyed = known[["unique_id", "ds", *CELL]]
        parts.append(rows.merge(keyed, on=["unique_id", "ds"]).drop(columns=["unique_id", "ds"]).assign(cutoff=cutoff))
    rows = pd.concat(parts, ignore_index=True)
    rows["forecast"] = rows["forecast"].clip(lower=0)
    return cells[["cutoff", *CELL]].merge(rows, on=["cutoff", *CELL]), 1000 * seconds / series


def history(sales: pd.DataFrame, asked: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    """Return one row a series and week, from its first sale to the cutoff: `unique_id`, `ds`, `y`, `seen`.

    A week without a row has the units of the one before, and 0 in `seen`: these libraries know no gaps.
    """
    past = sales[sales["week"] <= cutoff].merge(asked[SERIES].drop_duplicates(), on=SERIES)
    first = past.groupby(SERIES, as_index=False)["week"].min().rename(columns={"week": "first"})
    weeks = pd.DataFrame({"week": pd.date_range(past["week"].min(), cutoff, freq="7D")})
    grid = first.merge(weeks, how="cross")
    grid = grid[grid["week"] >= grid["first"]].merge(past, on=CELL, how="left").sort_values(CELL, ignore_index=True)
    grid["seen"] = grid["units"].notna().astype(float)
    grid["y"] = grid.groupby(SERIES)["units"].ffill().astype(float)
    return _numbered(grid)[["unique_id", "ds", *CELL, "y", "seen"]]


def features(past: pd.DataFrame, asked: pd.DataFrame, covariates: pd.DataFrame, price: str | None) -> pd.DataFrame:
    """Return what is known of past and coming weeks, one row a series and week: covariates, prices, the season.

    A price is there as its logarithm, its change of a week, and relative to the series' median up to the cutoff.
    Where nothing is known the last value stands.
    """
    names = [name for name in covariates if name not in CELL]
    coming = pd.DataFrame({"week": sorted(asked["week"].unique())})
    rows = pd.concat([past[CELL], past[SERIES].drop_duplicates().merge(coming, how="cross")], ignore_index=True)
    rows = rows.merge(covariates, on=CELL, how="left").sort_values(CELL, ignore_index=True)
    rows[names] = rows.groupby(SERIES)[names].ffill()
    if price:
        log_price = np.log(rows[price].where(rows[price] > 0))
        usual = log_price.where(rows["week"] <= past["week"].max()).groupby([rows[name] for name in SERIES])
        rows["price_change"] = log_price - log_price.groupby([rows[name] for name in SERIES]).shift()
        rows["price_relative"] = log_price - usual.transform("median")
        rows[price] = log_price
    rows["week_of_year"] = (rows["week"].dt.dayofyear - 1) // 7
    return _numbered(rows)


def _numbered(rows: pd.DataFrame) -> pd.DataFrame:
    """Name series and weeks by whole numbers, which stand for any id and any first day of the week."""
    return rows.assign(
        unique_id=rows.groupby(SERIES, sort=True).ngroup(),
        ds=(rows["week"] - pd.Timestamp(0)).dt.days // 7,
    )


def _of_statsforecast(name: str) -> Peer:
    def forecast(past: pd.DataFrame, _: pd.DataFrame, horizon: int) -> pd.DataFrame:
        import statsforecast.models as library
        from statsforecast import StatsForecast

        models = [getattr(library, name)(season_length=YEAR), library.Naive()]
        engine = StatsForecast(models=models, freq=1, n_jobs=1, fallback_model=library.Naive())
        rows = engine.forecast(df=past[["unique_id", "ds", "y"]], h=horizon, level=list(LEVELS))
        found = rows[["unique_id", "ds"]].copy()
        for suffix, column in {"": "forecast", **{f"-{end.replace('_', '-')}": end for end in ENDS}}.items():
            # A seasonal naive forecast of less than a year is empty.
            found[column] = rows[name + suffix].fillna(rows["Naive" + suffix])
        return found

    return forecast


def _of_trees(*, differences: bool) -> Peer:
    """One LightGBM for all series, recursive, of the log units: of their weekly changes, or standardised by series."""

    def forecast(past: pd.DataFrame, known: pd.DataFrame, horizon: int) -> pd.DataFrame:
        from lightgbm import LGBMRegressor
        from mlforecast import MLForecast
        from mlforecast.lag_transforms import RollingMean
        from mlforecast.target_transforms import Differences, GlobalSklearnTransformer, LocalStandardScaler
        from sklearn.preprocessing import FunctionTransformer

        has_year = past["week"].nunique() > ENOUGH_FOR_LAST_YEAR
        means = MEANS + MEAN_OF_LAST_YEAR * has_year
        logs = GlobalSklearnTransformer(FunctionTransformer(np.log1p, np.expm1))
        engine = MLForecast(
            models={"forecast": LGBMRegressor(**TREES)},
            freq=1,
            lags=LAGS + LAGS_OF_LAST_YEAR * has_year,
            lag_transforms={1: [RollingMean(weeks, min_samples=1) for weeks in means]},
            target_transforms=[logs, Differences([1]) if differences else LocalStandardScaler()],
        )
        known = known.assign(**{name: known[name].astype("category") for name in SERIES})
        rows = known.merge(past[["unique_id", "ds", "y", "seen"]], on=["unique_id", "ds"], how="left")
        coming = known["week"] > past["week"].max()
        engine.fit(rows[~coming].drop(columns="week"), static_features=SERIES, dropna=False, weight_col="seen")
        return engine.predict(horizon, X_df=known[coming].drop(columns=CELL))

    return forecast


PEERS: dict[str, Peer] = {
    "SeasonalNaive": _of_statsforecast("SeasonalNaive"),
    "AutoTheta": _of_statsforecast("AutoTheta"),
    "AutoETS": _of_statsforecast("AutoETS"),
    "LightGBM": _of_trees(differences=False),
    "LightGBM of changes": _of_trees(differences=True),
}


if __name__ == "__main__":
    main()
