"""The stage that publishes a week's forecast."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forecasting.contracts import schemas
from forecasting.contracts.errors import SchemaError
from forecasting.core.revision import Revision, revision_of
from forecasting.pipeline.batch import ForecastBatch
from forecasting.storage.lake import Lake

# What happened to a partition by chance, and may not happen to it in another run.
CHANCE = {"timed_out", "worker_lost"}
# Columns of a forecast that its revision is told from.
COMPARED = [*schemas.CELL, "step", "forecast"]


@dataclass(frozen=True)
class PublishedForecast:
    """The forecast that is published for the week.

    as_of: the moment up to which everything was collected that the run knows.
    is_new: False where an earlier run had published the very same.
    fallbacks_by_reason: series on fallback, by reason.
    rows_without_plan: forecast rows whose promotion plan was not announced.
    revision: the difference to the forecast that it replaced; None where it replaced none.
    """

    path: str
    run_id: str
    as_of: datetime
    is_new: bool
    series: int
    rows: int
    series_by_model: Mapping[str, int]
    fallbacks_by_reason: Mapping[str, int]
    rows_without_plan: int
    partitions: int
    revision: Revision | None = None


def is_final(lake: Lake, batch: ForecastBatch) -> bool:
    """Return whether this very batch is published, and no series of it is on fallback by chance."""
    if lake.forecasts.run_id(batch.cutoff) != batch.run_id or not lake.forecasts.is_whole(batch.cutoff):
        return False
    reasons = lake.forecasts.columns(batch.cutoff, ["reason"])["reason"].unique().to_pylist()
    return not set(reasons) & CHANCE


def current_forecast(lake: Lake, cutoff: date) -> pd.DataFrame | None:
    """Return the published forecast of a cutoff; None where there is none, or its file is damaged."""
    try:
        return lake.forecasts.read(cutoff) if lake.forecasts.run_id(cutoff) else None
    except SchemaError:
        return None


def publish(lake: Lake, frames: Iterable[pd.DataFrame], batch: ForecastBatch) -> PublishedForecast:
    """Publish the forecast of a batch in one atomic step, in the place of the current one.

    Args:
        frames: its rows, in order of the key; they are written one frame after the other.
    """
    replaced = _compared(lake, batch.cutoff)
    lake.forecasts.publish(frames, batch.series, batch.spec, batch.run_id, batch.as_of, batch.version)
    made = None if replaced is None else _compared(lake, batch.cutoff)
    revision = None if replaced is None or made is None else revision_of(replaced, made)
    return _published(lake, batch, is_new=True, revision=revision)


def _compared(lake: Lake, cutoff: date) -> pd.DataFrame | None:
    """Return what a revision is told from of the current forecast; None where there is none, or it is damaged."""
    if not lake.forecasts.run_id(cutoff):
        return None
    try:
        return lake.forecasts.columns(cutoff, COMPARED).to_pandas(date_as_object=False)
    except SchemaError:
        return None


def already_published(lake: Lake, batch: ForecastBatch) -> PublishedForecast:
    """Return what an earlier run has published of this very batch."""
    return _published(lake, batch, is_new=False)


def _published(
    lake: Lake, batch: ForecastBatch, *, is_new: bool, revision: Revision | None = None
) -> PublishedForecast:
    rows = lake.forecasts.columns(batch.cutoff, ["step", "model", "reason", "promotion_known"])
    # All steps of a series are made by one model.
    series = rows.filter(pc.field("step") == batch.spec.steps[0])
    return PublishedForecast(
        path=str(lake.forecasts.path(batch.cutoff)),
        run_id=batch.run_id,
        as_of=batch.as_of,
        is_new=is_new,
        series=len(series),
        rows=len(rows),
        series_by_model=_counts(series["model"]),
        fallbacks_by_reason=_counts(series["reason"].drop_null()),
        rows_without_plan=pc.sum(pc.invert(rows["promotion_known"])).as_py() or 0,
        partitions=len(batch.partitions),
        revision=revision,
    )


def _counts(values: pa.ChunkedArray) -> dict[str, int]:
    counts = {str(each["values"]): int(each["counts"]) for each in pc.value_counts(values).to_pylist()}
    return dict(sorted(counts.items()))
