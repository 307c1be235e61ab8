"""Weeks that are replayed in the process of the test by a cheap model, without a server or a cluster."""

import shutil
from pathlib import Path
from typing import Any

from forecasting.contracts import schemas
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import ForecastSpec
from forecasting.pipeline import ingest
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.monitoring import MonitoringResult, monitor
from forecasting.pipeline.simulation import simulate
from forecasting.storage.lake import Lake

WEEKS = [dominicks_week(number) for number in range(136, 141)]
FEW = [2, 5, 8, 9]


def spec_of(cutoff: Any) -> ForecastSpec:
    return ForecastSpec(cutoff, model="mean")


def let_a_week_go_by(lake: Lake, source: Path) -> MonitoringResult:
    """Collect the next week, monitor, forecast and publish."""
    week = simulate(lake, source=source).week
    arrived = ingest.collect(lake, week)
    checked = ingest.validate(lake, arrived)
    lake.sales.add(checked.sales)
    lake.promotions.add(checked.promotions)
    shutil.rmtree(lake.inbox)
    found = monitor(lake, spec_of(week))
    publish_week(lake, week)
    return found


def publish_week(lake: Lake, week: Any, factor: float = 1.0) -> None:
    sales = lake.sales.read(week)
    table = forecast(sales, lake.promotions.read(), spec_of(week))
    numbers = ["forecast", *(f"{side}_{level}" for side in ("lo", "hi") for level in schemas.LEVELS)]
    table[numbers] *= factor
    lake.forecasts.publish([table], table[schemas.SERIES].drop_duplicates(), spec_of(week), f"{int(factor * 10):016x}")
