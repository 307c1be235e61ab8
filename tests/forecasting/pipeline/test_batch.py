"""The stages as plain functions, without a cluster and without Prefect."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest

from forecasting.clock import now
from forecasting.compute import Cluster
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import BatchSpec, ForecastSpec, GateSpec
from forecasting.core import partition, pool
from forecasting.core.retry_queue import RetryQueue, Task
from forecasting.models.price_response import PriceResponse
from forecasting.models.response import panel_fit
from forecasting.pipeline import batch as stages
from forecasting.pipeline import ingest
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.model_selection import ModelChoice
from forecasting.pipeline.simulation import simulate
from forecasting.storage.lake import Lake
from tests.small import InThisProcess, half_announced_lake


def test_a_resumed_run_does_not_start_over(simulated_lake: Lake) -> None:
    """Partitions that a broken run had finished are taken from staging, and the result is the same."""
    spec = ForecastSpec(dominicks_week(135), model="mean")
    work = stages.prepare(simulated_lake, spec, ModelChoice("mean", "always"), BatchSpec(mini_batch_size=100))
    whole = forecast(simulated_lake.sales.read(), simulated_lake.promotions.read(), spec)

    class PowerCut(Exception):
        pass

    def cut_after_four(done: int, total: int) -> None:
        if done == 5:
            raise PowerCut

    tasks = []
    for on_progress in (cut_after_four, lambda done, total: None):
        cluster = InThisProcess()
        with suppress(PowerCut):
            staged = stages.forecast(cast("Cluster", cluster), simulated_lake, work, on_progress=on_progress)
        tasks.append(cluster.usage.tasks)
    assert len(work.partitions) == 10
    assert tasks[1] == 5
    pd.testing.assert_frame_equal(pd.concat(staged.frames(), ignore_index=True), whole, check_exact=True)


def test_a_plan_that_came_after_the_cutoff_is_not_seen(simulated_lake: Lake) -> None:
    """The next week's files change every price ahead; run again, the week before gives the very same run."""
    week = dominicks_week(136)
    spec, works = ForecastSpec(week, horizon=4), []
    for cutoff in (week, dominicks_week(137)):
        arrived = ingest.collect(simulated_lake, cutoff)
        checked = ingest.validate(simulated_lake, arrived)
        ingest.admit(simulated_lake, cutoff, arrived, checked, GateSpec(now()), now())
        works.append(stages.prepare(simulated_lake, spec, ModelChoice(spec.model, "always"), BatchSpec()))
        if cutoff == week:
            simulate(simulated_lake)
            for file in Path(simulated_lake.inbox).glob("*.csv"):
                file.write_text(
                    re.sub(r"^((?:[^,\n]*,){4})[0-9.]+,", r"\g<1>2.473,", file.read_text(), flags=re.MULTILINE)
                )
    assert works[0].run_id == works[1].run_id
    assert works[0].as_of < works[1].as_of
    now_known = simulated_lake.promotions.read()
    assert (now_known.loc[now_known["week"] > pd.Timestamp(week), "price"] == 2.473).mean() > 0.9
    assert not (simulated_lake.promotions.read(week)["price"] == 2.473).any()


def test_a_changed_model_of_ones_own_is_another_run(
    simulated_lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the week is made again; with other words about the same it is the same run."""
    module = tmp_path / "models_that_change.py"
    monkeypatch.syspath_prepend(tmp_path)
    spec = ForecastSpec(dominicks_week(135), model="models_that_change:model")
    ids = []
    for words, share in (("Once.", 0.5), ("Twice.", 0.5), ("Twice.", 0.6)):
        module.write_text(f'"""{words}"""\n\ndef model(panel, promotions, spec):\n    return {share}\n')
        ids.append(stages.prepare(simulated_lake, spec, ModelChoice(spec.model, "always"), BatchSpec()).run_id)
    assert ids[0] == ids[1]
    assert ids[1] != ids[2]


@pytest.mark.parametrize("transfer", ["shared storage", "message"])
def test_a_product_of_more_stores_than_are_pooled_is_learnt_first(
    transfer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then any stores are forecast by the pool: the rows are those of one piece, where all stores are at hand."""
    lake = half_announced_lake(tmp_path / "lake", dominicks_week(90), dominicks_week(130))
    for module in (pool, panel_fit):
        monkeypatch.setattr(module, "MOST_POOLED", 2)
    monkeypatch.setattr(PriceResponse, "most_pooled", 2)
    monkeypatch.setattr(partition, "FEWEST_BUCKETS", 4)
    spec, tasks = ForecastSpec(dominicks_week(130)), []

    class Recording(InThisProcess):
        def map_partitions(self, function: Any, batch: RetryQueue, *args: Any, **options: Any) -> Any:
            waiting, rows = batch.next_task, options["rows"]

            def next_task() -> Task | None:
                task = waiting()
                if task:
                    tasks.append(task.partition.name)
                    if transfer == "message":
                        task.partition = rows(task.partition)
                return task

            monkeypatch.setattr(batch, "next_task", next_task)
            return super().map_partitions(function, batch, *args, **options)

    work = stages.prepare(lake, spec, ModelChoice(spec.model, "always"), BatchSpec(mini_batch_size=3))
    staged = stages.forecast(cast("Cluster", Recording()), lake, work, on_progress=lambda *_: None)
    found = pd.concat(staged.frames(), ignore_index=True)

    whole = forecast(lake.sales.read(), lake.promotions.read(), spec)
    pd.testing.assert_frame_equal(found, whole, rtol=1e-9)
    assert tasks == [*(f"pool-{number:04d}" for number in range(11)), *(f"part-{number:04d}" for number in range(4))]
