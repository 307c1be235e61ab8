"""A backtest: forecasts made at past cutoffs as they would have been made then, held against what was sold."""

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import DataError
from forecasting.core import scores


def with_actuals(forecasts: pd.DataFrame, sales: pd.DataFrame, promotions: pd.DataFrame, model: str) -> pd.DataFrame:
    """The forecasts of one model and cutoff beside what was sold: table `backtest`.

    Cells that nobody reported have no actual and are left out.

    Args:
        forecasts: table `all_points`.
        sales: table `sales`, with the weeks that were forecast.
        promotions: table `promotions`.
        model: the model that was asked, also where a fallback answered.
    """
    rows = forecasts.merge(sales.rename(columns={"units": "actual"}), on=schemas.CELL)
    plan = promotions.assign(promoted=(promotions["deal"] > 0) | (promotions["feat"] > 0))
    rows = rows.merge(plan[[*schemas.CELL, "promoted"]], on=schemas.CELL, how="left")
    rows["promoted"] = rows["promoted"].fillna(False).astype(bool)
    return schemas.BACKTEST.cast(rows.assign(model=model))


def score_models(rows: pd.DataFrame, sales: pd.DataFrame) -> pd.DataFrame:
    """Scores of each model over all its forecasts, one row a model, in the order in which they first appear.

    Each score is taken of the point that it is meant for: MAPE of `mape`; WAPE, MASE and pinball of `median`;
    bias of `mean`. Shares, not percent; widths and pinball are relative to mean sales.

    Args:
        rows: table `backtest`.
        sales: table `sales`, for the scale of MASE.

    Raises:
        DataError: there is nothing to compare with.
    """
    if rows.empty:
        raise DataError(
            "None of the weeks that were forecast has been sold yet",
            "name an earlier --last-cutoff, or a shorter horizon",
        )
    scale = scores.naive_error(sales, list(rows["cutoff"].unique()))
    return pd.DataFrame(
        {name: _scores_of(of_model, scale) for name, of_model in rows.groupby("model", sort=False)}
    ).T.rename_axis("model")


def _scores_of(rows: pd.DataFrame, scale: pd.Series) -> dict[str, float]:
    of_point = {point: rows.assign(forecast=rows[point]) for point in ("median", "mean", "mape")}
    found = {
        "mape": scores.mape(of_point["mape"]),
        "wape": scores.wape(of_point["median"]),
        "bias": scores.bias(of_point["mean"]),
        "mase": scores.mase(of_point["median"], scale),
        "pinball": scores.pinball(of_point["median"]),
    }
    for level in schemas.LEVELS:
        found[f"coverage_{level}"] = scores.coverage(rows, level)
        found[f"width_{level}"] = scores.width(rows, level)
    return found
