"""Partitions are mapped whatever they do to their workers."""

import logging
from pathlib import Path

import pandas as pd
import pytest

from forecasting.compute import Cluster, PartitionFunction
from forecasting.contracts.schemas import SERIES
from forecasting.core.partition import PartitionData
from forecasting.pipeline.forecast import forecast, make_partitions
from tests.forecasting.compute import partition_functions as functions
from tests.forecasting.compute.conftest import SPEC, mapped


def test_what_models_log_on_workers_is_logged_here(
    cluster: Cluster, partitions: list[PartitionData], caplog: pytest.LogCaptureFixture
) -> None:
    """Log lines of every partition; a warning once, however many partitions raise it."""
    caplog.set_level(logging.INFO)  # Dask has silenced pytest's handler too
    mapped(cluster, functions.talk, partitions)
    logged = [record.getMessage() for record in caplog.records]
    assert {f"here speaks {partition.name}" for partition in partitions} <= set(logged)
    assert sum("was the first to warn: RuntimeWarning: dust on the shelf" in line for line in logged) == 1


def test_a_series_that_fails_names_itself(
    cluster: Cluster, partitions: list[PartitionData], caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the model raised nothing."""
    caplog.set_level(logging.INFO)  # Dask has silenced pytest's handler too
    mapped(cluster, functions.useless_on_poison, partitions)
    logged = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert ("WARNING", "Store 5 product 3 failed (not_finite) and gets a fallback") in logged


@pytest.mark.parametrize(
    ("function", "mini_batch_size", "reason"),
    [
        (functions.raise_on_poison, 8, "raised"),
        (functions.useless_on_poison, 8, "not_finite"),
        (functions.die_on_poison, 1, "worker_lost"),
    ],
)
def test_a_bad_series_costs_itself_only(
    cluster: Cluster,
    few_stores: tuple[pd.DataFrame, pd.DataFrame],
    function: PartitionFunction,
    mini_batch_size: int,
    reason: str,
) -> None:
    """A series that raises, gives NaN or kills its worker gets a fallback and the reason; all others are unharmed."""
    partitions = make_partitions(*few_stores, SPEC, mini_batch_size=mini_batch_size)
    table, reasons = mapped(cluster, function, partitions)
    assert reasons == {functions.POISONED: reason}
    failed = pd.MultiIndex.from_frame(table[SERIES]).isin([functions.POISONED])
    assert table.loc[failed, "reason"].tolist() == [reason, reason]
    undisturbed = forecast(*few_stores, SPEC)
    pd.testing.assert_frame_equal(table[~failed], undisturbed[~failed])


def test_a_series_that_hangs_costs_itself_only(cluster: Cluster, few_stores: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Its worker is ended at the deadline, which a busy machine keeps with all others, and these go on."""
    partitions = make_partitions(*few_stores, SPEC, mini_batch_size=1)
    table, reasons = mapped(cluster, functions.hang_on_poison, partitions, timeout=3.0)
    assert reasons == {functions.POISONED: "timed_out"}
    assert len(table) == 33 * SPEC.horizon


def test_a_killed_worker_does_not_change_the_result(
    cluster: Cluster,
    partitions: list[PartitionData],
    few_stores: tuple[pd.DataFrame, pd.DataFrame],
    tmp_path: Path,
) -> None:
    """Its partition is tried again on another worker."""
    lost_before = cluster.usage.lost_tasks
    table, reasons = mapped(cluster, functions.die_once, partitions, tmp_path / "died", max_retries=2)
    assert cluster.usage.lost_tasks > lost_before
    assert reasons == {}
    pd.testing.assert_frame_equal(table, forecast(*few_stores, SPEC))
