"""The stages as plain functions, on a real cluster and without Prefect."""

from contextlib import suppress
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from flows import stages
from forecasting.adapters.cluster import dask_cluster
from forecasting.adapters.feed import feed
from forecasting.adapters.lake import Lake
from forecasting.errors import DataError
from forecasting.forecast import forecast
from forecasting.spec import BatchSpec, ClusterSpec, ForecastSpec
from forecasting.weeks import dominicks_week


def test_the_oldest_week_that_waits_is_chosen(fed_lake: Lake) -> None:
    """Two weeks in the inbox: the older comes first. An empty lake has nothing to choose."""
    feed(fed_lake)
    assert stages.choose_cutoff(fed_lake) == dominicks_week(136)
    with pytest.raises(DataError, match="has no sales and its inbox is empty"):
        stages.choose_cutoff(Lake(fed_lake.root / "elsewhere"))


def test_files_of_later_weeks_stay_in_the_inbox(fed_lake: Lake) -> None:
    """A run collects the weeks up to its cutoff, and files whose name tells no week."""
    feed(fed_lake)
    (fed_lake.inbox / "notes.txt").write_text("hello")
    arrived = stages.collect(fed_lake, dominicks_week(136))
    weeks: set[date | None] = {file.week for file in arrived.files}
    assert weeks == {dominicks_week(136), None}
    assert set(arrived.rows["rule"]) == {"", "wrong_file_name"}


def test_a_resumed_run_does_not_start_over(fed_lake: Lake, tmp_path: Path) -> None:
    """Partitions that a broken run had finished are taken from staging, and the result is the same."""
    spec, batch = ForecastSpec(dominicks_week(135), model="mean"), BatchSpec(mini_batch_size=100)
    work = stages.prepare(fed_lake, spec, batch)
    whole = forecast(fed_lake.sales(), fed_lake.promotions(), spec)

    class PowerCut(Exception):
        pass

    def cut_after_four(done: int, total: int) -> None:
        if done == 5:
            raise PowerCut

    tasks = []
    for on_progress in (cut_after_four, lambda done, total: None):
        with dask_cluster(ClusterSpec(), Lake(tmp_path)) as cluster:
            with suppress(PowerCut):
                table = stages.forecast(cluster, fed_lake, work, spec, batch, on_progress)
            tasks.append(cluster.receipt.tasks)
    assert len(work.partitions) == 10
    assert tasks[1] == 6
    pd.testing.assert_frame_equal(table, whole, check_exact=True)


def test_a_file_that_is_replaced_while_it_is_collected_is_not_lost(fed_lake: Lake) -> None:
    """Its old rows are taken in; the new content stays in the inbox for the next run."""
    week = dominicks_week(136)
    arrived = stages.collect(fed_lake, week)
    replaced = arrived.files[0].path
    replaced.write_text(replaced.read_text() + "\n")
    checked = stages.validate(fed_lake, arrived)
    stages.gate(fed_lake, week, arrived, checked, 0.9, None)
    assert [path.name for path in fed_lake.inbox.iterdir()] == [replaced.name]
