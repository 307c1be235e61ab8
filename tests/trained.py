"""A small lake with two registered models: the default one, its champion, and the mean."""

from pathlib import Path
from typing import Any

import pytest

from flows import train as flow_of_training
from flows.prefect_tasks import run_flow
from flows.train import train
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.pipeline.challengers import Evaluation
from forecasting.storage.lake import Lake
from tests.small import compute_in_this_process, small_lake

LAST = dominicks_week(130)


def trained(lake: Lake, **options: Any) -> Evaluation:
    """Train without Prefect, on a cluster of one worker."""
    parameters = {"lake": str(lake.root), "max_concurrency_per_instance": 1, "folds": 4, **options}
    return run_flow(train, parameters, why_not="no Prefect is needed", warn=lambda _: None)


def untrained_lake(root: Path) -> Lake:
    """Four real stores, and no model yet."""
    return small_lake(root, dominicks_week(70), LAST)


def trained_lake(root: Path) -> tuple[Lake, list[Evaluation]]:
    """A lake in which the default model, then the mean, has been trained without Dask, and both decisions."""
    lake = untrained_lake(root)
    with pytest.MonkeyPatch.context() as patch:
        compute_in_this_process(patch, flow_of_training)
        return lake, [trained(lake), trained(lake, model="mean")]
