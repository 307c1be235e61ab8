"""Functions of a partition that go wrong on a real worker; in a module of their own, as workers import it."""

import logging
import os
import signal
import time
import warnings
from pathlib import Path

import pandas as pd
from distributed import get_worker

from forecasting.contracts.spec import ForecastSpec
from forecasting.core.partition import Partition
from forecasting.pipeline.forecast import forecast_partition

POISONED = (5, 3)  # store, product


def has_poison(partition: Partition) -> bool:
    """Whether the poisoned series is in this partition."""
    return POISONED in set(partition.series.itertuples(index=False, name=None))


def raise_always(partition: Partition, spec: ForecastSpec) -> pd.DataFrame:
    """A model that cannot stand anything."""
    raise ZeroDivisionError


def raise_on_poison(partition: Partition, spec: ForecastSpec) -> pd.DataFrame:
    """A model that cannot stand one series."""
    if has_poison(partition):
        raise ZeroDivisionError("poisoned")
    return forecast_partition(partition, spec)


def nan_on_poison(partition: Partition, spec: ForecastSpec) -> pd.DataFrame:
    """A model that answers with NaN for one series."""
    rows = forecast_partition(partition, spec)
    rows.loc[(rows["store"] == POISONED[0]) & (rows["product"] == POISONED[1]), "forecast"] = float("nan")
    return rows


def hang_on_poison(partition: Partition, spec: ForecastSpec) -> pd.DataFrame:
    """A model that never ends on one series."""
    if has_poison(partition):
        time.sleep(600)
    return forecast_partition(partition, spec)


def die_on_poison(partition: Partition, spec: ForecastSpec) -> pd.DataFrame:
    """A model that takes its whole process with it on one series."""
    if has_poison(partition):
        os.kill(os.getpid(), signal.SIGKILL)
    return forecast_partition(partition, spec)


def die_once(partition: Partition, spec: ForecastSpec, marker: Path) -> pd.DataFrame:
    """A worker that is killed while it computes one partition for the first time."""
    if has_poison(partition) and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return forecast_partition(partition, spec)


def hang_unless_nanny(partition: Partition, spec: ForecastSpec) -> pd.DataFrame:
    """A worker that nobody watches never ends a partition."""
    if not get_worker().nanny:
        time.sleep(600)
    return forecast_partition(partition, spec)


def take_a_while(partition: Partition, spec: ForecastSpec) -> pd.DataFrame:
    """A model that is slow enough for others to join."""
    time.sleep(0.5)
    return forecast_partition(partition, spec)


def talk(partition: Partition, spec: ForecastSpec) -> pd.DataFrame:
    """A model that logs, and warns of the same thing in every partition."""
    logging.getLogger("forecasting.models.talking").warning("here speaks %s", partition.name)
    warnings.warn("dust on the shelf", RuntimeWarning, stacklevel=1)
    return forecast_partition(partition, spec)


def die_twice(partition: Partition, spec: ForecastSpec, folder: Path) -> pd.DataFrame:
    """The first two tasks of a run are lost with their workers, just when they have their rows."""
    rows = forecast_partition(partition, spec)
    for marker in (folder / "first", folder / "second"):
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            continue
        os.kill(os.getpid(), signal.SIGKILL)
    return rows
