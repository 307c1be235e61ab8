"""Scoring: published forecasts beside what was sold in the weeks they were made for."""

from dataclasses import replace

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.metrics import MEASURES, NAIVE_SUMS, score_rows
from forecasting.core.panel import build_panel
from forecasting.models import get_model


def score_published(published: pd.DataFrame, run_id: str, sales: pd.DataFrame) -> pd.DataFrame:
    """Score every step of a published forecast whose week has been collected.

    A series without a reported sale in a week does not count in it. The naive forecast is that of the model `naive`:
    each series' last observed week at the cutoff.

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
    rows = rows.merge(_naive_measures(rows, sales), on=[*schemas.SERIES, "step"])
    return schemas.SCORES.cast(score_rows(rows).assign(run_id=run_id))


def _naive_measures(rows: pd.DataFrame, sales: pd.DataFrame) -> pd.DataFrame:
    """Return `store, product, step, naive_…`: the measures of the naive forecast of the same rows."""
    cutoff, steps = rows["cutoff"].iloc[0].date(), rows["step"]
    # Its forecast of a week does not depend on the other weeks asked for, nor on the day on which weeks open.
    spec = ForecastSpec(
        cutoff,
        horizon=int(steps.max() - steps.min() + 1),
        gap=int(steps.min()) - 1,
        model="naive",
        definition=replace(ORANGE_JUICE, week_starts_on=cutoff.weekday(), covariates=()),
    )
    no_plan = schemas.promotions(spec.definition).empty()
    panel = build_panel(sales, no_plan, rows[schemas.SERIES].drop_duplicates(), cutoff)
    naive = get_model(spec.model).forecast(panel, no_plan, spec).summarise(schemas.LEVELS)
    row = [*schemas.SERIES, "step"]
    naive = naive.rename(columns={spec.point: "forecast"}).merge(rows[[*row, "actual"]], on=row)
    return naive[row].assign(**{name: MEASURES[name.removeprefix("naive_")](naive) for name in NAIVE_SUMS})
