"""Monitoring: published forecasts held against what was sold in the weeks they were made for."""

import math
from collections.abc import Sequence

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.spec import ForecastSpec
from forecasting.core import scores
from forecasting.core.panel import build_panel
from forecasting.models import get_model

DIMENSIONS = ("total", "product", "store", "model")
_MATURING = ["cutoff", "week", "step"]


def mature(published: pd.DataFrame, run_id: str, sales: pd.DataFrame) -> pd.DataFrame:
    """Score every step of a published forecast whose week has been collected.

    A series of which nothing was reported in a week does not count in it. The naive forecast is that of the model
    `naive`: each series' last observed week at the cutoff, so that a series without a sale in the last week is
    held against an earlier one.

    Args:
        published: table `forecast` of one cutoff.
        run_id: the run that published it.
        sales: table `sales`, of closed weeks only.

    Returns:
        Table `scores`; empty where no week of it has been collected.
    """
    rows = published.merge(sales.rename(columns={"units": "actual"}), on=schemas.CELL)
    if rows.empty:
        return schemas.SCORES.empty()
    rows = rows.merge(_naive_losses(rows, sales), on=[*schemas.SERIES, "step"])
    return schemas.SCORES.cast(score_rows(rows, DIMENSIONS).assign(run_id=run_id))


def score_rows(rows: pd.DataFrame, dimensions: Sequence[str] = DIMENSIONS) -> pd.DataFrame:
    """Sums and shares of forecasts whose actual is known, by cutoff, step and member of each dimension.

    Sums are rounded once, not at each addition, so that they do not depend on the order of the rows.

    Args:
        rows: one row per forecast, with `actual`; where they have `naive_absolute_error` and `naive_pinball`, these
            are added up too.
        dimensions: of `total`, `product`, `store` and `model`.

    Returns:
        The columns of the table `scores` but `run_id`.
    """
    losses = rows.assign(
        series=1,
        absolute_error=scores.absolute_error(rows),
        pinball=scores.pinball_loss(rows),
        **{f"within_{level}": scores.is_within(rows, level) for level in schemas.LEVELS},
    )
    summed = ["actual", "forecast", "absolute_error", "pinball", "naive_absolute_error", "naive_pinball"]
    sums: dict[str, object] = {name: math.fsum for name in summed if name in losses}
    sums |= dict.fromkeys(["series", *(f"within_{level}" for level in schemas.LEVELS)], "sum")
    parts = []
    for dimension in dimensions:
        member = "" if dimension == "total" else losses[dimension].astype("str")
        grouped = losses.assign(dimension=dimension, member=member).groupby([*_MATURING, "dimension", "member"])
        parts.append(grouped.agg(sums).reset_index())
    return _with_shares(pd.concat(parts, ignore_index=True))


def _with_shares(table: pd.DataFrame) -> pd.DataFrame:
    sold = table["actual"].where(table["actual"] > 0)
    shares = {"wape": table["absolute_error"] / sold, "bias": table["forecast"] / sold - 1}
    if "naive_absolute_error" in table:
        shares["naive_wape"] = table["naive_absolute_error"] / sold
    for level in schemas.LEVELS:
        shares[f"coverage_{level}"] = table[f"within_{level}"] / table["series"]
    return table.assign(**shares)


def _naive_losses(rows: pd.DataFrame, sales: pd.DataFrame) -> pd.DataFrame:
    """Return `store, product, step, naive_absolute_error, naive_pinball` of the naive forecast of the same rows."""
    cutoff, steps = rows["cutoff"].iloc[0].date(), rows["step"]
    # Its forecast of a week does not depend on the other weeks asked for, nor on the day on which weeks open.
    spec = ForecastSpec(
        cutoff,
        horizon=int(steps.max() - steps.min() + 1),
        gap=int(steps.min()) - 1,
        model="naive",
        week_starts_on=cutoff.weekday(),
    )
    no_plan = schemas.PROMOTIONS.empty()
    panel = build_panel(sales, no_plan, rows[schemas.SERIES].drop_duplicates(), cutoff)
    naive = get_model(spec.model).forecast(panel, no_plan, spec).summarise(schemas.LEVELS)
    row = [*schemas.SERIES, "step"]
    naive = naive.rename(columns={spec.point: "forecast"}).merge(rows[[*row, "actual"]], on=row)
    losses = {"naive_absolute_error": scores.absolute_error(naive), "naive_pinball": scores.pinball_loss(naive)}
    return naive[row].assign(**losses)
