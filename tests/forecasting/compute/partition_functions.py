"""Functions of a partition that go wrong on a real worker; in a module of their own, as workers import it."""

import logging
import os
import signal
import time
import warnings
from dataclasses import replace
from pathlib import Path

from distributed import get_worker

from forecasting.contracts.spec import ForecastSpec
from forecasting.core.partition import Partition, PartitionData
from forecasting.core.retry_queue import Part
from forecasting.pipeline.parts import PartitionReader, forecast_data, forecast_part

POISONED = (5, 3)  # store, product


def has_poison(partition: PartitionData) -> bool:
    """Whether the poisoned series is in this partition."""
    return POISONED in set(partition.series.itertuples(index=False, name=None))


def raise_always(*_: object) -> Part:
    """A model that cannot stand anything."""
    raise ZeroDivisionError


def raise_on_poison(partition: PartitionData, spec: ForecastSpec) -> Part:
    """A model that cannot stand one series."""
    if has_poison(partition):
        raise ZeroDivisionError("poisoned")
    return forecast_data(partition, spec)


def useless_on_poison(partition: PartitionData, spec: ForecastSpec) -> Part:
    """A model whose rows of one series cannot be used."""
    part = forecast_data(partition, spec)
    return replace(part, reasons={POISONED: "not_finite"}) if has_poison(partition) else part


def hang_on_poison(partition: PartitionData, spec: ForecastSpec) -> Part:
    """A model that never ends on one series."""
    if has_poison(partition):
        time.sleep(600)
    return forecast_data(partition, spec)


def die_on_poison(partition: PartitionData, spec: ForecastSpec) -> Part:
    """A model that takes its whole process with it on one series."""
    if has_poison(partition):
        os.kill(os.getpid(), signal.SIGKILL)
    return forecast_data(partition, spec)


def die_once(partition: PartitionData, spec: ForecastSpec, marker: Path) -> Part:
    """A worker that is killed while it computes one partition for the first time."""
    if has_poison(partition) and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return forecast_data(partition, spec)


def hang_unless_nanny(partition: PartitionData, spec: ForecastSpec) -> Part:
    """A worker that nobody watches never ends a partition."""
    if not get_worker().nanny:
        time.sleep(600)
    return forecast_data(partition, spec)


def take_a_while(partition: PartitionData, spec: ForecastSpec) -> Part:
    """A model that is slow enough for others to join."""
    time.sleep(0.5)
    return forecast_data(partition, spec)


def talk(partition: PartitionData, spec: ForecastSpec) -> Part:
    """A model that logs, and warns of the same thing in every partition."""
    logging.getLogger("forecasting.models.talking").warning("here speaks %s", partition.name)
    warnings.warn("dust on the shelf", RuntimeWarning, stacklevel=1)
    return forecast_data(partition, spec)


def die_twice(work: Partition | PartitionData, reader: PartitionReader, folder: Path) -> Part:
    """The first two tasks of a run are lost with their workers, just when they have their rows."""
    part = forecast_part(work, reader)
    for marker in (folder / "first", folder / "second"):
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            continue
        os.kill(os.getpid(), signal.SIGKILL)
    return part
