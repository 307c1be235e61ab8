"""The stage that publishes a week's forecast."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from forecasting.core.revision import Revision


@dataclass(frozen=True)
class PublishedForecast:
    """The forecast that is published for the week.

    as_of: the moment up to which everything was collected that the run knows.
    is_new: False where an earlier run had published the very same.
    fallbacks_by_reason: series on fallback, by reason.
    rows_without_plan: forecast rows whose promotion plan was not announced.
    revision: the difference to the forecast that it replaced; None where it replaced none.
    """

    path: Path
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
