"""The outcome: by which model each series was forecast, and which series failed, by their names."""

import logging
from typing import Any

import pandas as pd

from flows.artifacts.markdown import count, name, table, text
from flows.artifacts.posting import post
from forecasting.contracts import schemas
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.report import REASONS
from forecasting.presentation.model_choice import describe_choice
from forecasting.storage.lake import Lake

logger = logging.getLogger(__name__)

MOST_NAMED = 50


def show_outcome(lake: Lake, spec: ForecastSpec, record: dict[str, Any]) -> None:
    """How every series was forecast."""
    by_model = ", ".join(f"{number:,} by {model}" for model, number in record["series_by_model"].items())
    fallbacks = sum(record["fallbacks_by_reason"].values())
    logger.info(
        "%s %s: %s; %s on fallback.",
        count(record["series"], "series", "series"),
        "were forecast" if record["outcome"] == "published" else "stand as they were published before",
        by_model,
        fallbacks or "none",
    )
    post("outcome", "By which model each series was forecast, and why", _read_and_write, lake, spec, record)


def _read_and_write(lake: Lake, spec: ForecastSpec, record: dict[str, Any]) -> str:
    return outcome_markdown(lake.forecasts.read(spec.cutoff), lake.reference.products(), spec, record)


def outcome_markdown(forecast: pd.DataFrame, products: pd.DataFrame, spec: ForecastSpec, record: dict[str, Any]) -> str:
    """Series by model, fallbacks by reason, and the failed series by name.

    Args:
        forecast: table `forecast` of one cutoff.
        products: table `products`.
    """
    models = [
        (text(model), "asked for" if model == spec.model else "fallback", f"{number:,}")
        for model, number in sorted(record["series_by_model"].items(), key=lambda item: item[0] != spec.model)
    ]
    parts = [
        f"## {count(record['series'], 'series', 'series')} × {count(spec.horizon, 'week')}",
        table(["model", "", "series"], models, ["left", "left", "right"]),
    ]
    if choice := describe_choice(record.get("training", {})):
        parts.append(text(choice))
    failed = forecast.dropna(subset="reason").drop_duplicates(schemas.SERIES)
    if failed.empty:
        parts.append("No series failed, and none was refused.")
    else:
        parts += ["## Series on fallback", _failed(failed, products), _limit(len(failed))]
    if unknown := record["rows_with_unknown_promotion"]:
        parts.append(f"{count(unknown, 'forecast row')} had no known promotion plan.")
    return "\n\n".join(parts)


def _failed(failed: pd.DataFrame, products: pd.DataFrame) -> str:
    names = products.set_index("product")["name"]
    rows = [
        (str(row.store), name(names.get(row.product, row.product)), text(row.reason), REASONS.get(str(row.reason), ""))
        for row in failed.head(MOST_NAMED).itertuples()
    ]
    return table(["store", "product", "reason", ""], rows, ["right", "left", "left", "left"])


def _limit(failed: int) -> str:
    more = f"{failed - MOST_NAMED:,} more are in the published table's column `reason`. " if failed > MOST_NAMED else ""
    return more + "Their forecast takes every past week as equally probable; none was refused."
