"""Lakes whose weeks are shown."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from forecasting.clock import now
from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.run_record import Outcome, RunRecord
from forecasting.contracts.spec import BatchSpec, ForecastSpec, GateSpec
from forecasting.pipeline import batch as batches
from forecasting.pipeline import ingest, publication
from forecasting.pipeline import report as reporting
from forecasting.pipeline.forecast import assemble, forecast_partition
from forecasting.pipeline.model_selection import ModelChoice
from forecasting.presentation.view import RunView, run_view
from forecasting.storage.files import write_json, write_table
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.material import CUTOFF, WEEK, forecast_of, made_up

EVIL = "**Evil** <img src=x onerror=alert(1)> | [click](http://evil.example)"


@pytest.fixture(scope="session")
def published(simulated_lake_template: Path, tmp_path_factory: pytest.TempPathFactory) -> RunView:
    """Not to be changed. Store 2 product 5 timed out, and its product has a hostile name."""
    root = tmp_path_factory.mktemp("published") / "lake"
    shutil.copytree(simulated_lake_template, root)
    lake = Lake(root)
    products = lake.reference.products()
    products.loc[products["product"] == 5, "name"] = EVIL
    lake.reference.write(lake.reference.stores(), products)
    spec = ForecastSpec(dominicks_week(136), model="mean")
    arrived = ingest.collect(lake, spec.cutoff)
    checked = ingest.validate(lake, arrived)
    admitted = ingest.admit(lake, spec.cutoff, arrived, checked, GateSpec(now()), now())
    batch = batches.prepare(lake, spec, ModelChoice(spec.model, "always"), BatchSpec())
    data = [batch.reader.read(partition) for partition in batch.partitions]
    rows = [forecast_partition(each, spec) for each in data]
    table = assemble(rows, data, {(2, 5): "timed_out"}, spec)
    forecast = publication.publish(lake, [table], batch)
    report = reporting.report(lake)
    record = RunRecord(
        spec,
        now().replace(microsecond=0),
        Outcome.PUBLISHED,
        seconds_by_stage={"collect": 0.5, "forecast": 2.0, "total": 4.0},
    )
    for result in (admitted, forecast, report):
        record = record.with_result(result)
    return run_view(lake, record)


@pytest.fixture
def page_lake(tmp_path: Path) -> Lake:
    """A lake with 30 weeks of sales and one published forecast."""
    week = made_up()
    lake = Lake(tmp_path / "lake")
    lake.prepare()
    products = pd.DataFrame({"product": week.product_names.keys(), "name": week.product_names.values(), "ounces": 64})
    lake.reference.write(week.stores.reindex(columns=orange_juice.STORES.columns), products)
    lake.sales.add(week.actual)
    lake.promotions.add(week.report.assign(announced=week.report["week"].min()))
    forecast = forecast_of(week.forecast[schemas.CELL], CUTOFF)
    write_json(lake.forecasts.run_folder(WEEK, "run-1") / "manifest.json", {})
    for path in (lake.forecasts.path(WEEK), lake.forecasts.run_folder(WEEK, "run-1") / "forecast.parquet"):
        write_table(path, forecast, orange_juice.FORECAST, {"run_id": "run-1"})
    return lake
