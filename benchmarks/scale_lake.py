"""Lakes of any size for benchmarks: the shipped panel, resampled into more stores or more products, week by week."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, isqrt
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forecasting.contracts.layout import Layout
from forecasting.contracts.orange_juice import PROMOTIONS, SALES
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.pipeline.simulation import shipped
from forecasting.storage.lake import Lake

Shape = Literal["stores", "products"]

WEEKS_AHEAD = 2  # whose plans the files of a week hold
NOISE = 0.1  # log points by which the sales of a resampled series differ from the real ones
ROWS_A_FILE = 10_000  # series in a file of the inbox, about
REGIONS = Layout(
    "regions",
    {name: (name,) for name in ("store", "product", "units", *ORANGE_JUICE.names)} | {"date": ("week",)},
    files="{week}_region-*.parquet",
)


@dataclass(frozen=True)
class Grid:
    """The series of a resampled panel, and the positions of the real ones that they resemble."""

    store: np.ndarray
    product: np.ndarray
    real_store: np.ndarray
    real_product: np.ndarray

    @classmethod
    def of(cls, series: int, shape: Shape, stores: np.ndarray, products: np.ndarray) -> "Grid":
        """Return about `series` series: the real products in more stores, or as many products as stores."""
        side = isqrt(series)
        n_products = len(products) if shape == "stores" else max(side, len(products))
        n_stores = ceil(series / n_products)
        store, product = (axis.ravel() for axis in np.mgrid[:n_stores, :n_products])
        real_store, real_product = store % len(stores), product % len(products)
        return cls(
            stores[real_store] + 1_000 * (store // len(stores)),
            products[real_product] + 100 * (product // len(products)),
            real_store,
            real_product,
        )


def make_lake(lake: Lake, series: int, shape: Shape) -> pd.Timestamp:
    """Fill a lake with the history of a resampled panel, and its inbox with the last week.

    Returns:
        The week in the inbox.
    """
    sales, promotions = shipped(SALES), shipped(PROMOTIONS)
    stores, products = np.unique(promotions["store"]), np.unique(promotions["product"])
    grid = Grid.of(series, shape, stores, products)
    weeks = np.sort(promotions["week"].unique())
    last = len(weeks) - 1 - WEEKS_AHEAD
    random = np.random.default_rng(0)
    lake.prepare()
    with lake.filling():
        lake.reference.write_panel(ORANGE_JUICE, (REGIONS,))
        lake.reference.add(np.unique(grid.store).tolist(), np.unique(grid.product).tolist())
        for position, rows in enumerate(_weeks(grid, sales, promotions, weeks[:last], stores, products, random)):
            week = pd.Timestamp(weeks[position]).date()
            announced = pd.Timestamp(weeks[max(position - WEEKS_AHEAD, 0)]).date()
            sold = rows.dropna(subset="units")
            lake.sales.add_weeks({week: lake.sales.table.cast(sold)}, None)
            lake.promotions.add_weeks({announced: lake.promotions.table.cast(rows)}, None)
    _send(lake, grid, [*_weeks(grid, sales, promotions, weeks[last:], stores, products, random)])
    return pd.Timestamp(weeks[last])


def _weeks(
    grid: Grid,
    sales: pd.DataFrame,
    promotions: pd.DataFrame,
    weeks: np.ndarray,
    stores: np.ndarray,
    products: np.ndarray,
    random: np.random.Generator,
) -> Iterator[pd.DataFrame]:
    """Return the rows of one week after the other: store, product, week, units, covariates; without empty offers."""
    real = promotions.merge(sales, on=["store", "product", "week"], how="left")
    for week in weeks:
        of_week = real[real["week"] == week]
        cell = np.searchsorted(stores, of_week["store"]), np.searchsorted(products, of_week["product"])
        columns = {"store": grid.store, "product": grid.product, "week": pd.Timestamp(week)}
        for name in ("units", *ORANGE_JUICE.names):
            values = np.full((len(stores), len(products)), np.nan)
            values[cell] = of_week[name]
            columns[name] = values[grid.real_store, grid.real_product]
        columns["units"] = np.maximum(np.rint(columns["units"] * np.exp(random.normal(0, NOISE, len(grid.store)))), 1)
        yield pd.DataFrame(columns).dropna(subset="price")


def _send(lake: Lake, grid: Grid, weeks: list[pd.DataFrame]) -> None:
    """Put the files of the first of the weeks into the inbox; of those after it they hold the plans."""
    week = weeks[0]["week"].iloc[0].date()
    rows = pd.concat([weeks[0].dropna(subset="units"), *(plan.assign(units=np.nan) for plan in weeks[1:])])
    rows["units"] = rows["units"].astype("Int64")
    rows = rows.astype({"deal": "int64", "feat": "float64"}).sort_values(["store", "product", "week"])
    stores = np.unique(grid.store)
    for number, some in enumerate(np.array_split(stores, ceil(len(grid.store) / ROWS_A_FILE))):
        part = rows[rows["store"].between(some[0], some[-1])]
        with (lake.inbox / f"{week}_region-{number:04d}.parquet").writer() as file:
            pq.write_table(pa.Table.from_pandas(part, preserve_index=False), file)
