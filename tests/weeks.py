"""Weeks of a small lake: its stores send their files, and a run takes them in and publishes, all in one process.

A run is made of the stages of the weekly flow, with neither Prefect nor Dask, so that it takes a fraction of a second.
"""

import hashlib
import os
from collections.abc import Mapping, Set
from datetime import UTC, date, datetime, time
from functools import cache
from time import sleep
from typing import Any

import pandas as pd

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.spec import BatchSpec, ForecastSpec, GateSpec
from forecasting.pipeline import batch, ingest, publication
from forecasting.pipeline.ingest import IngestResult
from forecasting.pipeline.model_selection import ModelChoice
from forecasting.pipeline.publication import PublishedForecast
from forecasting.pipeline.simulation import shipped
from forecasting.storage import inbox
from forecasting.storage.lake import Lake
from forecasting.storage.leases import week_lease
from forecasting.storage.location import Location, open_location
from tests.small import STORES, InThisProcess, small_lake

SECONDS_BETWEEN_READS = 0.001  # so that readers leave runs their share of the machine
# History of these weeks is in the lake before the first file comes.
FIRST, LAST = dominicks_week(124), dominicks_week(129)
WEEKS = [LAST + WEEK * number for number in range(1, 6)]


def begin(root: str) -> Lake:
    """A lake with some weeks of history; its inbox is empty."""
    return small_lake(root, FIRST, LAST)


def file_name(week: date, store: int) -> str:
    """As the shipped layout says."""
    return f"{week}_store-{store:03d}.csv"


@cache
def content_of(week: date, store: int, more_units: int = 0) -> bytes:
    """The file of a store and week: its sales, and its promotions of that week and of four weeks ahead.

    Args:
        more_units: that were sold of each product, beyond the real ones.
    """
    sales, promotions = shipped(orange_juice.SALES), shipped(orange_juice.PROMOTIONS)
    first, last = pd.Timestamp(week), pd.Timestamp(week + 4 * WEEK)
    plan = promotions[(promotions["store"] == store) & promotions["week"].between(first, last)]
    rows = plan.merge(sales[sales["week"] == first], on=schemas.CELL, how="left").sort_values(["week", "product"])
    rows["units"] = rows["units"].astype("Int64") + more_units
    return rows[schemas.inbox_columns(ORANGE_JUICE)].to_csv(index=False, date_format="%Y-%m-%d").encode()


def send(lake: Lake, week: date, more_units: int = 0) -> None:
    """Let every store put its file of the week into the inbox."""
    for store in STORES:
        (lake.inbox / file_name(week, store)).write_bytes(content_of(week, store, more_units))


def run(lake: Lake, week: date, at: datetime | None = None) -> tuple[IngestResult, PublishedForecast]:
    """Collect the week, forecast what comes after it, and publish.

    Args:
        at: the moment of the run; the day after the week where none is given.
    """
    at = at or datetime.combine(week + WEEK, time(9), UTC)
    spec = ForecastSpec(week, model="naive")
    lake.prepare()
    with week_lease(lake.lock(str(week)), week):
        arrived = ingest.collect(lake, week)
        checked = ingest.validate(lake, arrived)
        ingested = ingest.admit(lake, week, arrived, checked, GateSpec(at), at)
        prepared = batch.prepare(lake, spec, ModelChoice("naive", "always"), BatchSpec(mini_batch_size=15))
        if publication.is_final(lake, prepared):
            return ingested, publication.already_published(lake, prepared)
        cluster: Any = InThisProcess()
        forecast = batch.forecast(cluster, lake, prepared, on_progress=lambda *_: None)
        return ingested, publication.publish(lake, forecast.frames(), prepared)


class _Dying:
    """A backend that ends the process, without any clean-up, where it is to change what lies under a key."""

    def __init__(self, backend: Any, place: str) -> None:
        self._backend, self._place = backend, place

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._backend, name)
        if name not in ("put", "create", "writer", "move", "delete"):
            return method

        def change(*keys: Any) -> Any:
            if any(str(key).startswith(self._place) for key in keys[: 2 if name == "move" else 1]):
                os._exit(9)
            return method(*keys)

        return change


def run_and_die(root: str, week: date, place: str, environment: Mapping[str, str]) -> None:
    """Run a week in a process of its own, which dies before it changes anything under a key."""
    os.environ.update(environment)
    inbox.SECONDS_UNTOUCHED = 0.0
    backend: Any = _Dying(open_location(root).backend, place)
    run(Lake(Location(backend)), week)


def state_of(lake: Lake) -> dict[str, bytes]:
    """What the lake says now, by key: history, published forecasts, and the copies of collected files."""
    keys = [entry.key for folder in ("sales", "promotions", "published") for entry in (lake.root / folder).walk()]
    copies = [entry.key for entry in (lake.root / "archive").walk() if entry.name.endswith(".csv")]
    return {key: (lake.root / key).read_bytes() for key in [*keys, *copies]}


def run_alone(root: str, week: date, environment: Mapping[str, str]) -> None:
    """Run a week in a process of its own."""
    os.environ.update(environment)
    inbox.SECONDS_UNTOUCHED = 0.0
    run(Lake(root), week)


def read_all_the_time(
    root: str, contents: Mapping[str, Set[str]], stop: Any, found: Any, environment: Mapping[str, str]
) -> None:
    """Read whole files of a lake until `stop` is set, in a process of its own.

    Args:
        contents: by key, the SHA-256 of every content that the file may have.
        found: a queue that is sent the number of reads; of those that found another content; and of those that did not
            find a file that had been there.
    """
    os.environ.update(environment)
    lake, seen, counts = Lake(root), set[str](), [0, 0, 0]
    while not stop.is_set():
        for key, allowed in contents.items():
            sleep(SECONDS_BETWEEN_READS)
            try:
                content = (lake.root / key).read_bytes()
            except FileNotFoundError:
                counts[2] += key in seen
                continue
            seen.add(key)
            counts[0] += 1
            counts[1] += hashlib.sha256(content).hexdigest() not in allowed
    found.put(tuple(counts))
