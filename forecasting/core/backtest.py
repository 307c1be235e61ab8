"""A backtest: forecasts made at past cutoffs as they would have been made then, beside what was sold."""

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import DataError
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.core.metrics import METRICS, naive_error


def with_actuals(
    forecasts: pd.DataFrame, sales: pd.DataFrame, promotions: pd.DataFrame, model: str, definition: PanelDefinition
) -> pd.DataFrame:
    """Return the forecasts of one model and cutoff beside what was sold (table `backtest`).

    Cells that no store reported have no actual and are left out.

    Args:
        forecasts: table `all_points`.
        sales: table `sales`, with the weeks that were forecast.
        promotions: table `promotions` of this definition; a week is promoted where a flag or share is above 0.
        model: the model that was asked, also where a fallback answered.
    """
    rows = forecasts.merge(sales.rename(columns={"units": "actual"}), on=schemas.CELL)
    plan = promotions.assign(promoted=is_promoted(promotions, definition))
    rows = rows.merge(plan[[*schemas.CELL, "promoted"]], on=schemas.CELL, how="left")
    rows["promoted"] = rows["promoted"].fillna(False).astype(bool)
    return schemas.backtest(definition).cast(rows.assign(model=model))


def is_promoted(rows: pd.DataFrame, definition: PanelDefinition) -> pd.Series:
    """Return which rows have a flag or share above 0."""
    return (rows[[each.name for each in definition.promotions]] > 0).any(axis=1)


def score_models(rows: pd.DataFrame, sales: pd.DataFrame) -> pd.DataFrame:
    """Return every metric of each model over all its forecasts, each of the point that it is meant for.

    Args:
        rows: table `backtest`.
        sales: table `sales`, for the scale of MASE.

    Returns:
        One row a model, in the order in which they first appear, with the columns `METRICS`.

    Raises:
        DataError: no forecast has an actual.
    """
    if rows.empty:
        raise DataError(
            "None of the weeks that were forecast has been sold yet",
            "name an earlier --last-cutoff, or a shorter horizon",
        )
    errors = naive_error(sales, list(rows["cutoff"].unique()))
    rows = rows.join(errors, on=["cutoff", *schemas.SERIES])
    scores = {}
    for model, of_model in rows.groupby("model", sort=False):
        of_point = {point: of_model.assign(forecast=of_model[point]) for point in ("median", "mean", "mape")}
        scores[model] = {name: metric(of_point[metric.point]) for name, metric in METRICS.items()}
    return pd.DataFrame(scores).T.rename_axis("model")
