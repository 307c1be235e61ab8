"""The stage that publishes a week's forecast."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import SchemaError
from forecasting.core.revision import Revision, revision_of
from forecasting.pipeline.batch import ForecastBatch
from forecasting.storage.lake import Lake

# What happened to a partition by chance, and may not happen to it in another run.
CHANCE = ["timed_out", "worker_lost"]


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
    if lake.forecasts.run_id(batch.cutoff) != batch.run_id:
        return False
    table = current_forecast(lake, batch.cutoff)
    return table is not None and not table["reason"].isin(CHANCE).any()


def current_forecast(lake: Lake, cutoff: date) -> pd.DataFrame | None:
    """Return the published forecast of a cutoff; None where there is none, or its file is damaged."""
    try:
        return lake.forecasts.read(cutoff) if lake.forecasts.run_id(cutoff) else None
    except SchemaError:
        return None


def publish(lake: Lake, forecast: pd.DataFrame, batch: ForecastBatch) -> PublishedForecast:
    """Publish the forecast of a batch in one atomic step, in the place of the current one."""
    replaced = current_forecast(lake, batch.cutoff)
    lake.forecasts.publish(forecast, batch.series, batch.spec, batch.run_id, batch.as_of, batch.version)
    revision = None if replaced is None else revision_of(replaced, forecast)
    return _published(lake, batch, lake.forecasts.read(batch.cutoff), is_new=True, revision=revision)


def already_published(lake: Lake, batch: ForecastBatch) -> PublishedForecast:
    """Return what an earlier run has published of this very batch."""
    return _published(lake, batch, lake.forecasts.read(batch.cutoff), is_new=False)


def _published(
    lake: Lake, batch: ForecastBatch, forecast: pd.DataFrame, *, is_new: bool, revision: Revision | None = None
) -> PublishedForecast:
    series = forecast.drop_duplicates(schemas.SERIES)
    return PublishedForecast(
        path=str(lake.forecasts.path(batch.cutoff)),
        run_id=batch.run_id,
        as_of=batch.as_of,
        is_new=is_new,
        series=len(series),
        rows=len(forecast),
        series_by_model=_counts(series["model"]),
        fallbacks_by_reason=_counts(series["reason"].dropna()),
        rows_without_plan=int((~forecast["promotion_known"]).sum()),
        partitions=len(batch.partitions),
        revision=revision,
    )


def _counts(values: pd.Series) -> dict[str, int]:
    return {str(value): int(count) for value, count in values.value_counts().sort_index().items()}
