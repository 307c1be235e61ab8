"""What tests of all clusters need: three real stores, their partitions, a local cluster, and a map over it."""

from collections.abc import Iterator

import pandas as pd
import pytest

from forecasting.compute import Cluster, PartitionFunction, dask_cluster
from forecasting.contracts.orange_juice import PROMOTIONS, SALES, dominicks_week
from forecasting.contracts.panel_definition import Series
from forecasting.contracts.spec import ClusterSpec, ForecastSpec
from forecasting.core.partition import PartitionData
from forecasting.core.retry_queue import RetryQueue
from forecasting.pipeline.forecast import assemble, make_partitions
from forecasting.pipeline.simulation import SHIPPED
from forecasting.storage.files import read_table
from forecasting.storage.lake import Lake
from forecasting.storage.location import local_file

WORKERS = ClusterSpec(max_concurrency_per_instance=2)
SPEC = ForecastSpec(dominicks_week(70), model="mean")


@pytest.fixture(scope="session")
def few_stores() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sales and promotions of three real stores."""
    sales, promotions = (
        read_table(local_file(SHIPPED / f"{table.name}.parquet"), table) for table in (SALES, PROMOTIONS)
    )
    return sales[sales["store"].isin([2, 5, 8])], promotions[promotions["store"].isin([2, 5, 8])]


@pytest.fixture
def partitions(few_stores: tuple[pd.DataFrame, pd.DataFrame]) -> list[PartitionData]:
    return make_partitions(*few_stores, SPEC, mini_batch_size=8)


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers on this machine, for all tests that leave a cluster in working order."""
    with dask_cluster(WORKERS, Lake(tmp_path_factory.mktemp("lake"))) as cluster:
        yield cluster


def mapped(
    cluster: Cluster,
    function: PartitionFunction,
    partitions: list[PartitionData],
    *args: object,
    timeout: float = 60,
    max_retries: int = 0,
    spec: ForecastSpec = SPEC,
) -> tuple[pd.DataFrame, dict[Series, str]]:
    batch = RetryQueue(
        partitions,
        max_retries=max_retries,
        pooled=False,
        error_threshold=-1,
    )
    outcomes = cluster.map_partitions(function, batch, spec, *args, timeout=timeout)
    reasons = {key: why for outcome in outcomes for key, why in outcome.reasons.items()}
    frames = [part.rows for outcome in outcomes for part in outcome.parts if part.rows is not None]
    return assemble(frames, partitions, reasons, spec), reasons
