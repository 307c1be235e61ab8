"""How often quiet weeks raise an alarm of drift, and how soon a break does: a hundred real weeks of the shipped data.

    python benchmarks/drift.py [FOLDER]

Forecasts every week of the shipped data by the default model, a week ahead, as a live run would have, and once more
with the promotions ahead hidden from it (about two minutes; kept in FOLDER, where one is given, for the next time).
Then, for several origins, a year of weeks is the baseline and the weeks after it are monitored.

- quiet, as it was: the real weeks in their real order;
- quiet, resampled: sequences of 100 weeks, drawn in blocks of 8 from the weeks after the baseline, and from it;
- breaks: from each week on, the forecasts are spoiled; the figure is the number of weeks until the alarm.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.backtest import with_actuals
from forecasting.core.drift import Charts, added, weekly_statistics
from forecasting.core.metrics import score_rows
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.simulation import shipped

MODEL = "price_response"
CUTOFFS = [dominicks_week(number) for number in range(60, 160)]
BASELINE_WEEKS = 52
ORIGINS = range(0, 41, 5)
REPLICATIONS, QUIET_WEEKS, BLOCK = 1000, 100, 8
WEEKS_MONITORED = 8  # weeks after a break
NUMBERS = ["forecast", "lo_80", "hi_80", "lo_95", "hi_95"]


def main(folder: Path) -> None:
    """Print the rates."""
    as_it_was = _forecasts(folder / "as_it_was.parquet", hidden=False)
    quiet = _statistics(as_it_was)
    broken = {name: _statistics(rows) for name, rows in _breaks(as_it_was, folder)}
    real, resampled, of_baseline = [0, 0], [], []
    soon: dict[str, list[int]] = {name: [] for name in broken}
    for origin in ORIGINS:
        charts = Charts(quiet.iloc[origin : origin + BASELINE_WEEKS], ORANGE_JUICE.product)
        expected = charts.standardised(quiet.iloc[origin : origin + BASELINE_WEEKS])
        after = charts.standardised(quiet.iloc[origin + BASELINE_WEEKS :])
        real[0] += _alarm_weeks(after[None], charts.limits)[0]
        real[1] += len(after)
        if origin <= 10:  # later ones leave too few weeks to draw from
            resampled.append(_alarm_weeks(after[_blocks(len(after))], charts.limits).mean())
        of_baseline.append(_alarm_weeks(expected[_blocks(BASELINE_WEEKS)], charts.limits).mean())
        for name, statistics in broken.items():
            soon[name] += _weeks_until_alarm(
                after, charts.standardised(statistics.iloc[origin + BASELINE_WEEKS :]), charts
            )
    print(
        f"{len(quiet)} weeks, {quiet.index[0].date()} to {quiet.index[-1].date()}, by {MODEL}; {len(ORIGINS)} origins"
    )
    print(f"quiet, as it was: {real[0]} weeks with an alarm of {real[1]} (the origins share weeks)")
    print(f"quiet, resampled from after the baseline: {np.mean(resampled):.2f} per 100 weeks")
    print(f"quiet, resampled from the baseline: {np.mean(of_baseline):.2f} per 100 weeks")
    for many in (26, 39, 52):
        charts = Charts(quiet.iloc[:many], ORANGE_JUICE.product)
        alarmed = {alarm.week for alarm in charts.alarms(quiet.iloc[many:])}
        weeks = ", ".join(map(str, sorted(alarmed))) or "none"
        print(f"baseline of the first {many} weeks, alarms in the other {len(quiet) - many}: {weeks}")
    print(f"{'break':34} alarm within 1  2  3  {WEEKS_MONITORED} weeks, percent")
    for name, waited in soon.items():
        shares = [f"{100 * np.mean(np.array(waited) <= most):4.0f}" for most in (1, 2, 3, WEEKS_MONITORED)]
        print(f"{name:34} {' '.join(shares)}")


def _breaks(rows: pd.DataFrame, folder: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "1.5 times too high", _scaled(rows, 1.5)
    yield "1.5 times too low", _scaled(rows, 1 / 1.5)
    half = {name: (rows["forecast"] + rows[name]) / 2 for name in NUMBERS[1:]}
    yield "intervals half as wide", rows.assign(**half)
    yield "promotions ahead ignored", _forecasts(folder / "promotions_hidden.parquet", hidden=True)
    products = shipped(orange_juice.PRODUCTS).set_index("product")["name"]
    groups = products.str.split().str[0]
    for group in groups.unique():
        members = groups.index[groups == group]
        yield f"{group} ({len(members)}) three times too high", _scaled(rows, 3.0, members)
        yield f"{group} ({len(members)}) at a third", _scaled(rows, 1 / 3, members)
    for product in products.index:
        yield f"product {product} three times too high", _scaled(rows, 3.0, [product])


def _scaled(rows: pd.DataFrame, factor: float, products: "pd.Index | list[int] | None" = None) -> pd.DataFrame:
    factors = np.where(rows["product"].isin(products), factor, 1.0) if products is not None else factor
    return rows.assign(**{name: rows[name] * factors for name in NUMBERS})


def _statistics(rows: pd.DataFrame) -> pd.DataFrame:
    return weekly_statistics(score_rows(rows, ("total", "product")))


def _forecasts(file: Path, *, hidden: bool) -> pd.DataFrame:
    """Table `backtest` without its other points, of one step."""
    if not file.exists():
        sales, promotions = shipped(orange_juice.SALES), shipped(orange_juice.PROMOTIONS)
        tables = []
        for cutoff in CUTOFFS:
            plan = _hidden(promotions, pd.Timestamp(cutoff)) if hidden else promotions
            tables.append(forecast(sales, plan, ForecastSpec(cutoff, horizon=1, model=MODEL)))
        pd.concat(tables).to_parquet(file)
    table = pd.read_parquet(file).assign(median=0.0, mean=0.0, mape=0.0)
    return with_actuals(
        table[table["step"] == 1], shipped(orange_juice.SALES), shipped(orange_juice.PROMOTIONS), MODEL, ORANGE_JUICE
    )


def _hidden(promotions: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    """The plan as a model sees it that has lost its promotions: each series' usual price, no deal, no advert."""
    past = promotions[(promotions["week"] <= cutoff) & (promotions["week"] > cutoff - pd.Timedelta(weeks=26))]
    usual = promotions[schemas.SERIES].join(past.groupby(schemas.SERIES)["price"].median(), on=schemas.SERIES)["price"]
    plan, ahead = promotions.copy(), promotions["week"] > cutoff
    plan.loc[ahead, "price"] = usual[ahead].fillna(plan.loc[ahead, "price"])
    plan.loc[ahead, [each.name for each in ORANGE_JUICE.promotions]] = 0
    return orange_juice.PROMOTIONS.cast(plan)


def _blocks(weeks: int) -> np.ndarray:
    """Positions of resampled weeks; shape (replications, weeks)."""
    starts = np.random.default_rng(1).integers(weeks, size=(REPLICATIONS, -(-QUIET_WEEKS // BLOCK), 1))
    return ((starts + np.arange(BLOCK)) % weeks).reshape(REPLICATIONS, -1)[:, :QUIET_WEEKS]


def _alarm_weeks(weeks: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Weeks with any alarm in each sequence; shape of weeks (sequences, weeks, sums)."""
    sums, count = np.zeros((len(weeks), len(limits))), np.zeros(len(weeks), dtype=int)
    for week in range(weeks.shape[1]):
        sums = added(sums, weeks[:, week])
        raised = sums >= limits
        count += raised.any(axis=1)
        sums[raised] = 0.0
    return count


def _weeks_until_alarm(quiet: np.ndarray, broken: np.ndarray, charts: Charts) -> list[int]:
    """Return the weeks until the alarm for a break at each week, one more than are monitored where there is none."""
    until, before = [], np.zeros(len(charts.limits))
    for week in range(len(quiet) - WEEKS_MONITORED + 1):
        sums, first = before, WEEKS_MONITORED + 1
        for after in range(WEEKS_MONITORED):
            sums = added(sums, broken[week + after])
            if (sums >= charts.limits).any():
                first = after + 1
                break
        until.append(first)
        before = added(before, quiet[week])
        before = np.where(before >= charts.limits, 0.0, before)
    return until


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
