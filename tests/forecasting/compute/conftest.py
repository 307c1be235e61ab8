"""What tests of all clusters need: three real stores, their partitions, and the mapping of these."""

import pandas as pd
import pytest

from forecasting.compute import Cluster, PartitionFunction
from forecasting.contracts.orange_juice import PROMOTIONS, dominicks_week
from forecasting.contracts.schemas import SALES
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.forecast_checks import unusable_series
from forecasting.core.partition import Partition
from forecasting.core.retry_queue import RetryQueue
from forecasting.pipeline.forecast import assemble, make_partitions
from forecasting.pipeline.simulation import SHIPPED
from forecasting.storage.files import read_table

SPEC = ForecastSpec(dominicks_week(70), model="mean")


@pytest.fixture(scope="session")
def few_stores() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sales and promotions of three real stores."""
    sales, promotions = (read_table(SHIPPED / f"{table.name}.parquet", table) for table in (SALES, PROMOTIONS))
    return sales[sales["store"].isin([2, 5, 8])], promotions[promotions["store"].isin([2, 5, 8])]


@pytest.fixture
def partitions(few_stores: tuple[pd.DataFrame, pd.DataFrame]) -> list[Partition]:
    return make_partitions(*few_stores, SPEC, mini_batch_size=8)


def mapped(
    cluster: Cluster,
    function: PartitionFunction,
    partitions: list[Partition],
    *args: object,
    timeout: float = 60,
    max_retries: int = 0,
    spec: ForecastSpec = SPEC,
) -> tuple[pd.DataFrame, dict[tuple[int, int], str]]:
    batch = RetryQueue(
        partitions,
        max_retries=max_retries,
        pooled=False,
        error_threshold=-1,
        unusable=lambda rows, series: unusable_series(rows, series, spec),
    )
    outcomes = cluster.map_partitions(function, batch, spec, *args, timeout=timeout)
    reasons = {key: why for outcome in outcomes for key, why in outcome.reasons.items()}
    return assemble([rows for outcome in outcomes for rows in outcome.frames], partitions, reasons, spec), reasons
