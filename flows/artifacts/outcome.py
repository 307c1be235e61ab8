"""The outcome: by which model each series was forecast, and which series failed, by their names."""

import logging
from typing import Any

import pandas as pd

from flows.artifacts.markdown import count, name, table, text
from flows.artifacts.posting import post
from flows.telling import describe_choice
from forecasting import schemas
from forecasting.adapters.lake import Lake
from forecasting.report import REASONS
from forecasting.spec import ForecastSpec

logger = logging.getLogger(__name__)

MOST_NAMED = 50


def show_outcome(lake: Lake, spec: ForecastSpec, receipt: dict[str, Any]) -> None:
    """How every series was forecast."""
    by_model = ", ".join(f"{number:,} by {model}" for model, number in receipt["series_by_model"].items())
    fallbacks = sum(receipt["fallbacks_by_reason"].values())
    logger.info(
        "%s %s: %s; %s on fallback.",
        count(receipt["series"], "series", "series"),
        "were forecast" if receipt["outcome"] == "published" else "stand as they were published before",
        by_model,
        fallbacks or "none",
    )
    post("outcome", "By which model each series was forecast, and why", _read_and_write, lake, spec, receipt)


def _read_and_write(lake: Lake, spec: ForecastSpec, receipt: dict[str, Any]) -> str:
    return outcome_markdown(lake.published(spec.cutoff), lake.brands(), spec, receipt)


def outcome_markdown(forecast: pd.DataFrame, brands: pd.DataFrame, spec: ForecastSpec, receipt: dict[str, Any]) -> str:
    """Series by model, fallbacks by reason, and the failed series by name.

    Args:
        forecast: table `forecast` of one cutoff.
        brands: table `brands`.
    """
    models = [
        (text(model), "asked for" if model == spec.model else "fallback", f"{number:,}")
        for model, number in sorted(receipt["series_by_model"].items(), key=lambda item: item[0] != spec.model)
    ]
    parts = [
        f"## {count(receipt['series'], 'series', 'series')} × {count(spec.horizon, 'week')}",
        table(["model", "", "series"], models, ["left", "left", "right"]),
    ]
    if choice := describe_choice(receipt.get("training", {})):
        parts.append(text(choice))
    failed = forecast.dropna(subset="reason").drop_duplicates(schemas.SERIES)
    if failed.empty:
        parts.append("No series failed, and none was refused.")
    else:
        parts += ["## Series on fallback", _failed(failed, brands), _limit(len(failed))]
    if unknown := receipt["rows_with_unknown_promotion"]:
        parts.append(f"{count(unknown, 'forecast row')} had no known promotion plan.")
    return "\n\n".join(parts)


def _failed(failed: pd.DataFrame, brands: pd.DataFrame) -> str:
    names = brands.set_index("brand")["name"]
    rows = [
        (str(row.store), name(names.get(row.brand, row.brand)), text(row.reason), REASONS.get(str(row.reason), ""))
        for row in failed.head(MOST_NAMED).itertuples()
    ]
    return table(["store", "brand", "reason", ""], rows, ["right", "left", "left", "left"])


def _limit(failed: int) -> str:
    more = f"{failed - MOST_NAMED:,} more are in the published table's column `reason`. " if failed > MOST_NAMED else ""
    return more + "Their forecast takes every past week as equally probable; none was refused."
