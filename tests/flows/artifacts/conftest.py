"""What several pages tell of: a week that was forecast by the mean and published, with one series that failed."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasting.clock import now
from forecasting.contracts import orange_juice
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import BatchSpec, ForecastSpec, GateSpec
from forecasting.core.run_identity import outcome_counts
from forecasting.pipeline import batch as stages
from forecasting.pipeline import ingest as intake
from forecasting.pipeline import report as reporting
from forecasting.pipeline.batch import ForecastBatch
from forecasting.pipeline.forecast import assemble, forecast_partition
from forecasting.storage.files import read_table
from forecasting.storage.lake import Lake

EVIL = "**Evil** <img src=x onerror=alert(1)> | [click](http://evil.example)"


@dataclass(frozen=True)
class Published:
    """A lake, and the run that filled it."""

    lake: Lake
    spec: ForecastSpec
    work: ForecastBatch
    record: dict[str, Any]

    @property
    def report(self) -> pd.DataFrame:
        return read_table(self.lake.reports.table_path, orange_juice.REPORT)


@pytest.fixture(scope="session")
def published(fed_lake_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Not to be changed. Store 2 product 5 timed out, and its product has a hostile name."""
    root = tmp_path_factory.mktemp("published") / "lake"
    shutil.copytree(fed_lake_template, root)
    lake = Lake(root)
    products = lake.reference.products()
    products.loc[products["product"] == 5, "name"] = EVIL
    lake.reference.write(lake.reference.stores(), products)
    spec = ForecastSpec(dominicks_week(136), model="mean")
    arrived = intake.collect(lake, spec.cutoff)
    checked = intake.validate(lake, arrived)
    completeness = intake.gate(lake, spec.cutoff, arrived, checked, GateSpec(now()), now())
    intake.archive(lake, spec.cutoff, arrived, checked)
    work = stages.prepare(lake, spec, BatchSpec())
    rows = [forecast_partition(partition, spec) for partition in work.partitions]
    table = assemble(rows, work.partitions, {(2, 5): "timed_out"}, spec)
    path = stages.publish(lake, table, work, spec)
    record = {
        "spec": spec.as_dict(),
        "outcome": "published",
        "run_id": work.run_id,
        "started": "1992-04-23T06:00:00+00:00",
        "published": str(path),
        "report": str(reporting.report(lake).path),
        "report_page": {"path": str(lake.reports.page_path(spec.cutoff)), "bytes": 1_400_000},
        "seconds_by_stage": {"collect": 0.5, "forecast": 2.0, "total": 4.0},
        "cluster": {
            "workers": 2,
            "seconds_starting": 1.0,
            "seconds_up": 2.5,
            "seconds_busy": 3.0,
            "worker_seconds_provisioned": 5.0,
            "worker_seconds_idle": 2.0,
            "tasks": 5,
            "lost_tasks": 1,
            "left_over": [],
        },
        **intake.completeness_summary(completeness, checked),
        **outcome_counts(lake.forecasts.read(spec.cutoff)),
    }
    return Published(lake, spec, work, record)
