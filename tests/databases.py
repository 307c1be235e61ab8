"""Databases as a stranger sees them, and small lakes to load them from."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.spec import ForecastSpec
from forecasting.contracts.table import Table
from forecasting.core.panel import series_of
from forecasting.pipeline.forecast import forecast
from forecasting.storage.lake import Lake
from tests.strategies import whole_offers

FIRST = date(1992, 1, 2)
WEEKS = [FIRST + WEEK * number for number in range(5)]
CUTOFFS = WEEKS[-3:]
TABLES = {
    table.name: table
    for table in (orange_juice.FORECAST, orange_juice.SALES, orange_juice.PROMOTIONS, orange_juice.PRODUCTS)
}


@dataclass(frozen=True)
class Target:
    """A database: by the name that loads it, and by its URL."""

    name: str
    url: str

    @property
    def is_file(self) -> bool:
        return self.url.startswith("sqlite")

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows that a statement gives, by the plain driver."""
        if self.is_file:
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as connection, connection:
                return connection.execute(statement).fetchall()
        with psycopg.connect(self.url) as connected:
            cursor = connected.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def rows(self, table: Table) -> pd.DataFrame:
        """All rows of a table, as it is declared."""
        query = f"SELECT {', '.join(table.columns)} FROM {table.name}"  # noqa: S608 - our own names
        found = pd.DataFrame(self.ask(query), columns=table.columns)
        for field in table.schema:
            if pa.types.is_date(field.type):
                found[field.name] = pd.to_datetime(found[field.name])
            elif pa.types.is_boolean(field.type):
                found[field.name] = found[field.name].astype(bool)  # SQLite has numbers for it
        return table.cast(found).sort_values(list(table.key), ignore_index=True)


def make_small_lake(root: Path) -> Lake:
    """Three stores, two products, five weeks; the last three are published."""
    lake, values = Lake(root), np.random.default_rng(1)
    lake.prepare()
    cells = pd.MultiIndex.from_product([[2, 5, 9], [1, 3], [*WEEKS, WEEKS[-1] + WEEK]], names=schemas.CELL)
    rows = cells.to_frame(index=False).assign(
        units=values.integers(1, 500, len(cells)),
        price=values.choice([1.99, 2.49, 1 / 3], len(cells)),
        deal=1,
        feat=0.5,
    )
    rows["week"] = pd.to_datetime(rows["week"])
    lake.sales.add(orange_juice.SALES.cast(rows[rows["week"] <= pd.Timestamp(WEEKS[-1])]))
    # Each week announces its own offers, and those of the next one at another price: two files have the same cells.
    ahead = rows.assign(announced=rows["week"] - WEEK, price=rows["price"] + 0.1)
    announced = pd.concat([rows.assign(announced=rows["week"]), ahead])
    lake.promotions.add(
        orange_juice.ANNOUNCED_PROMOTIONS.cast(
            whole_offers(announced[announced["announced"].isin(pd.to_datetime(WEEKS))])
        )
    )
    stores = pd.DataFrame(columns=orange_juice.STORES.columns).assign(
        store=[2, 5, 9], name=["Müller & Söhne", "=1+1", None]
    )
    products = pd.DataFrame({"product": [1, 3], "name": ["Tropicana", "<script>"], "ounces": [64, None]})
    lake.reference.write(
        orange_juice.STORES.cast(stores), orange_juice.PRODUCTS.cast(products.astype({"ounces": "Int32"}))
    )
    for cutoff in CUTOFFS:
        publish_anew(lake, cutoff, "naive")
    return lake


def publish_anew(lake: Lake, cutoff: date, model: str = "naive", factor: float = 1.0, horizon: int = 2) -> None:
    """Publish a forecast of the cutoff, all its numbers `factor` times what the model says."""
    spec = ForecastSpec(cutoff, model=model, horizon=horizon)
    rows = forecast(lake.sales.read(cutoff), lake.promotions.read(cutoff), spec)
    numbers = ["forecast", "lo_80", "hi_80", "lo_95", "hi_95"]
    rows[numbers] *= factor
    lake.forecasts.publish([rows], series_of(rows), spec, f"{model}-{factor}-{horizon}")


def in_a_process(call: Callable[[], object]) -> int:
    """Call it in a process of its own, forked; gives the process. It ends without any clean-up."""
    process = os.fork()
    if process:
        return process
    try:
        call()
        os._exit(0)
    finally:
        os._exit(1)


def lake_tables(lake: Lake) -> dict[str, pd.DataFrame]:
    """What the database is to hold, read from the files."""
    published = [pd.read_parquet(lake.forecasts.path(cutoff)) for cutoff in lake.forecasts.cutoffs()]
    return {
        "forecast": orange_juice.FORECAST.cast(pd.concat(published)).sort_values(
            list(orange_juice.FORECAST.key), ignore_index=True
        ),
        "sales": lake.sales.read(),
        "promotions": lake.promotions.read(lake.forecasts.cutoffs()[-1]),
        "products": lake.reference.products(),
    }


def assert_agrees(lake: Lake, target: Target) -> None:
    """Every row of the files is in the database once, to the last bit, and no other."""
    for name, wanted in lake_tables(lake).items():
        pd.testing.assert_frame_equal(target.rows(TABLES[name]), wanted, check_exact=True)


def scores_of(cutoff: date, steps: int) -> pd.DataFrame:
    """Scores of the total, made up."""
    row = dict.fromkeys(schemas.SCORES.columns, 0.5)
    rows = [
        row
        | {"cutoff": cutoff, "run_id": "naive-1.0-2", "week": cutoff, "step": step, "dimension": "total", "member": ""}
        | {"series": 6, "within_80": 3, "within_95": 3}
        for step in range(1, steps + 1)
    ]
    return schemas.SCORES.cast(pd.DataFrame(rows))
