"""The pooled stores of a product, and what a model has learnt from them: all that other stores need to be forecast."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Self

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Id

MOST_POOLED = 500  # stores of a product that everything its stores share is learnt from


def pooled_stores(stores: np.ndarray) -> np.ndarray:
    """Return the positions of at most `MOST_POOLED` stores: those with the least checksums, so that few ever change."""
    if len(stores) <= MOST_POOLED:
        return np.arange(len(stores))
    checksums = np.array([zlib.crc32(str(store).encode()) for store in stores])
    return np.sort(np.argsort(checksums, kind="stable")[:MOST_POOLED])


def pooled_series(series: pd.DataFrame) -> pd.DataFrame:
    """Return the series that models learn from: of each product the pooled stores; rows stay in order."""
    if not (series.groupby("product").size() > MOST_POOLED).any():
        return series
    chosen = []
    for _, rows in series.groupby("product", sort=False):
        ordered = rows.sort_values("store")
        chosen.append(ordered.iloc[pooled_stores(ordered["store"].to_numpy())])
    return pd.concat(chosen).sort_index()


def only_pooled(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the pooled stores of each product, in order; all of them within the cap."""
    series = rows[schemas.SERIES].drop_duplicates()
    pooled = pooled_series(series)
    if len(pooled) == len(series):
        return rows
    return rows[pd.MultiIndex.from_frame(rows[schemas.SERIES]).isin(pd.MultiIndex.from_frame(pooled))]


@dataclass(frozen=True)
class Pool:
    """What a model has learnt from the pooled stores, as plain arrays: `products[product][name]`.

    All products have the same names, and arrays of one name are of one type. No row of it belongs to a store.
    """

    products: Mapping[Id, Mapping[str, np.ndarray]]

    @classmethod
    def joined(cls, pools: Iterable[Self]) -> Self:
        """Return one pool of the products of several."""
        return cls({product: arrays for pool in pools for product, arrays in pool.products.items()})

    def to_bytes(self) -> bytes:
        """Return a NumPy archive: of each name the arrays of all products, end to end, and their shapes."""
        names = list(next(iter(self.products.values()), {}))
        parts = {"product": np.array(list(self.products)), "names": np.array(names, dtype=str)}
        for position, name in enumerate(names):
            arrays = [np.asarray(of_product[name]) for of_product in self.products.values()]
            parts[f"values_{position}"] = np.concatenate([array.ravel() for array in arrays])
            parts[f"shapes_{position}"] = np.array([array.shape for array in arrays])
        archive = BytesIO()
        np.savez(archive, allow_pickle=False, **parts)
        return archive.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the inverse of `to_bytes`."""
        with np.load(BytesIO(data), allow_pickle=False) as parts:
            products: list[dict[str, np.ndarray]] = [{} for _ in parts["product"]]
            for position, name in enumerate(parts["names"].tolist()):
                values, shapes = parts[f"values_{position}"], parts[f"shapes_{position}"]
                ends = np.cumsum(shapes.prod(axis=1))
                for arrays, array, shape in zip(products, np.split(values, ends[:-1]), shapes, strict=True):
                    arrays[name] = array.reshape(shape)
            return cls(dict(zip(parts["product"].tolist(), products, strict=True)))
