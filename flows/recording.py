"""The receipt of a run: written when the run ends, however it ends."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from flows.prefect_tasks import stopwatch
from forecasting.clock import Stopwatch, now
from forecasting.compute import Cluster
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.completeness import CompletenessReport
from forecasting.core.revision import summary
from forecasting.core.validation import Validated
from forecasting.pipeline.ingest import completeness_summary
from forecasting.storage.lake import Lake

logger = logging.getLogger(__name__)


class RunRecorder:
    """What a run did, filled in as it goes. `content` is plain values."""

    def __init__(self, spec: ForecastSpec, started: datetime) -> None:
        self._started = started.isoformat(timespec="seconds")
        self.content: dict[str, Any] = {"spec": spec.as_dict(), "outcome": "running"}
        self._cluster: Cluster | None = None

    def noted(self, notes: list[str]) -> None:
        """`notes`: sentences about files of the inbox that somebody should look at; they are logged, too."""
        for note in notes:
            logger.warning("%s", note)
        self.content["inbox_notes"] = [*self.content.get("inbox_notes", []), *notes]

    def collected(
        self, completeness: CompletenessReport, checked: Validated, late_files: dict[date, list[str]]
    ) -> None:
        """`late_files`: those that came of earlier weeks, which are published without them."""
        self.content |= completeness_summary(completeness, checked)
        self.content["late_files"] = {str(earlier): names for earlier, names in late_files.items()}

    def monitored(self, content: dict[str, Any]) -> None:
        """How earlier forecasts came out, as `forecasting.pipeline.monitoring.monitor` tells it."""
        self.content["monitoring"] = content

    def expected(self, folds: int) -> None:
        """`folds`: past weeks whose backtest says from now on what is to be expected."""
        self.content["monitoring"]["baseline_folds"] = folds

    def chose(self, spec: ForecastSpec, training: dict[str, Any]) -> ForecastSpec:
        """The spec with the model that was chosen, and how it was chosen; gives the spec back."""
        self.content |= {"spec": spec.as_dict(), "training": training}
        return spec

    def identified(self, run_id: str, as_of: datetime) -> None:
        """`as_of`: the moment up to which everything had been collected that the run knows."""
        self.content |= {"run_id": run_id, "as_of": as_of.isoformat()}

    def cluster_started(self, cluster: Cluster) -> None:
        """Read what `cluster` has used whenever the record is written."""
        self._cluster = cluster

    def published(self, counts: dict[str, Any], path: Path) -> None:
        self.content |= {"outcome": "published", "published": str(path), **counts}

    def moved(self, before: pd.DataFrame, after: pd.DataFrame) -> None:
        """The forecast replaced another one of the same week."""
        self.content["moved"] = summary(before, after)

    def unchanged(self, counts: dict[str, Any], path: Path) -> None:
        self.content |= {"outcome": "unchanged", "published": str(path), **counts}

    def reported(self, path: Path) -> None:
        self.content["report"] = str(path)

    def loaded(self, database: dict[str, Any]) -> None:
        self.content["database"] = database

    def page_written(self, page: dict[str, Any]) -> None:
        """`page`: where it is and how big, or the error that there is none."""
        self.content["report_page"] = page

    def so_far(self) -> dict[str, Any]:
        """What would be kept if the run ended now."""
        return {**self.content, **self._measured(stopwatch.get().seconds), "started": self._started}

    def failed(self, error: BaseException) -> None:
        """What ended the run; a forecast that had been published by then stays published."""
        if self.content["outcome"] == "running":
            self.content["outcome"] = "failed"
        self.content |= {"error": str(error), "error_type": type(error).__name__}

    def close(self, seconds_by_stage: dict[str, float]) -> None:
        self.content |= {**self._measured(seconds_by_stage), "started": self._started}

    def _measured(self, seconds_by_stage: dict[str, float]) -> dict[str, Any]:
        measured: dict[str, Any] = {
            "seconds_by_stage": {name: round(seconds, 3) for name, seconds in seconds_by_stage.items()}
        }
        if self._cluster:
            measured["cluster"] = self._cluster.usage.as_dict(forecasts=self.content.get("rows"))
        return measured


@contextmanager
def recording(lake: Lake, spec: ForecastSpec) -> Iterator[RunRecorder]:
    """Time the stages of a run and keep its receipt in the lake when the `with` block ends, also by an error."""
    started = now()
    record, clock = RunRecorder(spec, started), Stopwatch()
    token = stopwatch.set(clock)
    try:
        with clock.stage("total"):
            yield record
    except BaseException as error:
        record.failed(error)
        raise
    finally:
        stopwatch.reset(token)
        record.close(clock.seconds)
        lake.runs.write(spec.cutoff, started, record.content)
