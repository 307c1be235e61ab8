"""The backfill: past weeks, oldest first, through a real Prefect server; forecast in the process of the test."""

import importlib
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows import weekly_forecast as module
from flows.backfill import backfill
from flows.prefect_tasks import run_flow
from forecasting.contracts.errors import DataError, WeekNotWhole
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import ForecastSpec
from forecasting.pipeline.forecast import forecast
from forecasting.storage.lake import Lake
from tests.small import compute_in_this_process

pytestmark = pytest.mark.usefixtures("prefect_server")

FIRST, LAST = dominicks_week(134), dominicks_week(135)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    compute_in_this_process(monkeypatch, module)


def run(lake: Lake, first: date = FIRST, last: date = LAST) -> list[str]:
    run_records = backfill(lake=str(lake.root), first=first, last=last, model="naive", horizon=1)
    return [record.outcome for record in run_records]


def test_missing_weeks_are_forecast_as_they_would_have_been_then(
    simulated_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted after the first week it goes on with the second; done, it changes nothing."""

    class PowerCut(Exception):
        pass

    def cut_after_one(*args: Any) -> Any:
        if simulated_lake.forecasts.cutoffs():
            raise PowerCut
        return run_flow(*args)

    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module("flows.run"), "run_flow", cut_after_one)
        with pytest.raises(PowerCut):
            run(simulated_lake)
    assert simulated_lake.forecasts.cutoffs() == [FIRST]

    assert run(simulated_lake) == ["unchanged", "published"]
    assert simulated_lake.forecasts.cutoffs() == [FIRST, LAST]
    before = [simulated_lake.forecasts.path(cutoff).read_bytes() for cutoff in simulated_lake.forecasts.cutoffs()]
    then = forecast(
        simulated_lake.sales.read(FIRST),
        simulated_lake.promotions.read(),
        ForecastSpec(FIRST, horizon=1, model="naive"),
    )
    pd.testing.assert_frame_equal(simulated_lake.forecasts.read(FIRST), then, check_exact=True)

    assert run(simulated_lake) == ["unchanged"] * 2
    assert [
        simulated_lake.forecasts.path(cutoff).read_bytes() for cutoff in simulated_lake.forecasts.cutoffs()
    ] == before


def test_a_week_that_is_refused_does_not_hold_up_the_others(simulated_lake: Lake) -> None:
    """Its record has the reason; only where no week can be forecast the backfill fails."""
    for file in sorted(Path(simulated_lake.inbox).iterdir())[:20]:
        file.unlink()
    waiting = dominicks_week(136)
    assert run(simulated_lake, LAST, waiting) == ["published", "failed"]
    with pytest.raises(WeekNotWhole, match="1992-04-16"):
        run(simulated_lake, waiting, waiting)


def test_weeks_that_never_came_are_refused(simulated_lake: Lake) -> None:
    """Nothing is started for them."""
    with pytest.raises(DataError, match="no week from 1992-04-23"):
        backfill(lake=str(simulated_lake.root), first=dominicks_week(137))
