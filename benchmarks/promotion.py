"""How often a challenger that is no better is promoted, and how often a better one is.

    python benchmarks/promotion.py

Add noise to real forecasts of the default model over 30 past weeks, and compare champion and challenger in windows as
long as an evaluation. With noise of one law both are equally good: whichever is promoted is promoted by chance. Then do
the same for made-up gains, which may be correlated from week to week.
"""

import numpy as np
import pandas as pd

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.backtest import with_actuals
from forecasting.core.comparison import LEVEL, chance_of_gain, compare
from forecasting.pipeline.forecast import assemble, forecast_partition, make_partitions
from forecasting.pipeline.simulation import shipped

STORES = 20
CUTOFFS = range(126, 158)
WINDOWS = (4, 8, 12)
REPLICATES = 400
MADE_UP = 20_000
QUANTILES = ["median", *(f"{side}_{level}" for level in schemas.LEVELS for side in ("lo", "hi"))]


def real_forecasts() -> pd.DataFrame:
    """Table `backtest` of the default model."""
    sales, promotions = shipped(orange_juice.SALES), shipped(orange_juice.PROMOTIONS)
    stores = sorted(sales["store"].unique())[:STORES]
    sales, promotions = (rows[rows["store"].isin(stores)] for rows in (sales, promotions))
    tables = []
    for number in CUTOFFS:
        spec = ForecastSpec(dominicks_week(number))
        partitions = make_partitions(sales, promotions, spec, 1_000)
        rows = [forecast_partition(partition, spec) for partition in partitions]
        table = assemble(rows, partitions, {}, spec, orange_juice.ALL_POINTS)
        tables.append(with_actuals(table, sales, promotions, spec.model, spec.definition))
    return pd.concat(tables, ignore_index=True)


def disturbed(rows: pd.DataFrame, size: float, memory: float, values: np.random.Generator) -> pd.DataFrame:
    """Every product's forecasts of a week times exp(noise); the noise of a week keeps `memory` of the week before's."""
    cells = rows.groupby(["product", "week"]).ngroup().to_numpy()
    products, weeks = rows["product"].nunique(), rows["week"].nunique()
    noise = values.normal(size=(products, weeks))
    for week in range(1, weeks):
        noise[:, week] = memory * noise[:, week - 1] + np.sqrt(1 - memory**2) * noise[:, week]
    factor = np.exp(size * noise.ravel()[cells])
    return rows.assign(**{name: rows[name] * factor for name in QUANTILES})


def promoted(rows: pd.DataFrame, weeks: int, sizes: tuple[float, float], memory: float) -> float:
    """Share of evaluations over `weeks` weeks that the challenger wins; sizes of the champion's and its own noise."""
    values = np.random.default_rng(weeks)
    all_weeks = np.sort(rows["week"].unique())
    won = 0
    for _ in range(REPLICATES):
        first = values.integers(len(all_weeks) - weeks + 1)
        window = rows[rows["week"].isin(all_weeks[first : first + weeks])]
        champion, challenger = (disturbed(window, size, memory, values) if size else window for size in sizes)
        won += compare(champion, challenger, lags=2).is_better
    return won / REPLICATES


def made_up(weeks: int, memory: float, tail: float | None) -> float:
    """Share of made-up gains of mean zero that are believed; `tail`: degrees of freedom, None: normal."""
    values = np.random.default_rng(weeks)
    shape = (MADE_UP, weeks + 20)
    gains = values.normal(size=shape) if tail is None else values.standard_t(tail, size=shape)
    for week in range(1, shape[1]):
        gains[:, week] += memory * gains[:, week - 1]
    return float(np.mean([chance_of_gain(row, lags=2) < LEVEL for row in gains[:, 20:]]))


def main() -> None:
    """Simulate, and print shares of promotions in percent."""
    rows = real_forecasts()
    print(f"Real forecasts, {STORES} stores, {REPLICATES} evaluations each; percent promoted at {LEVEL:.0%}")
    print(f"{'weeks':>42}" + "".join(f"{weeks:>7}" for weeks in WINDOWS))
    for name, sizes, memory in (
        ("the same model, noise on both (equal)", (0.2, 0.2), 0.0),
        ("the same, noise kept from week to week", (0.2, 0.2), 0.5),
        ("the same model, noise on the challenger", (0.0, 0.2), 0.0),
        ("a better one: noise on the champion", (0.4, 0.0), 0.0),
    ):
        shares = [promoted(rows, weeks, sizes, memory) for weeks in WINDOWS]
        print(f"{name:>42}" + "".join(f"{100 * share:>7.1f}" for share in shares), flush=True)
    print("Made-up gains of mean zero")
    for name, memory, tail in (("normal", 0.0, None), ("heavy tails (t3)", 0.0, 3.0), ("related (0.3)", 0.3, None)):
        shares = [made_up(weeks, memory, tail) for weeks in WINDOWS]
        print(f"{name:>42}" + "".join(f"{100 * share:>7.1f}" for share in shares))


if __name__ == "__main__":
    main()
