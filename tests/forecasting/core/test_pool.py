"""Tests of the pool: which stores are in it, and that it survives being written down."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts.panel_definition import Id
from forecasting.core.pool import MOST_POOLED, Pool, only_pooled, pooled_series, pooled_stores


def test_the_pool_of_stores_is_capped_by_a_stable_rule() -> None:
    """All below the cap; beyond it always as many, of which a new store replaces at most one."""
    stores = np.array([f"store {n}" for n in range(2 * MOST_POOLED)], dtype=object)

    few, many, more = (pooled_stores(some) for some in (stores[:9], stores[:-1], stores))

    assert few.tolist() == list(range(9))
    assert len(many) == len(more) == MOST_POOLED
    assert len(set(stores[many]) - set(stores[more])) <= 1


def series_of(**stores: int) -> pd.DataFrame:
    """Series of products in so many stores each, shuffled."""
    rows = [(f"store {n}", product) for product, count in stores.items() for n in range(count)]
    return pd.DataFrame(rows, columns=["store", "product"]).sample(frac=1, random_state=0, ignore_index=True)


def test_each_product_has_its_own_pooled_stores() -> None:
    """All of a product within the cap, the stores with the least checksums of another; rows stay in order."""
    series = series_of(few=9, many=MOST_POOLED + 50)

    found = pooled_series(series)

    assert found["product"].value_counts().to_dict() == {"few": 9, "many": MOST_POOLED}
    assert found.index.is_monotonic_increasing
    many = np.sort(series.loc[series["product"] == "many", "store"].to_numpy(dtype=object))
    assert set(found.loc[found["product"] == "many", "store"]) == set(many[pooled_stores(many)])


def test_rows_of_the_pooled_series_are_chosen() -> None:
    """Several weeks of each; within the cap all rows stay."""
    series = series_of(few=9, many=MOST_POOLED + 50)
    rows = pd.concat([series.assign(week=week) for week in (1, 2)], ignore_index=True)

    found = only_pooled(rows)

    assert len(found) == 2 * (9 + MOST_POOLED)
    assert only_pooled(found) is found
    assert only_pooled(rows[:0]).empty


IDS = st.lists(st.integers(-5, 5), unique=True) | st.lists(st.text("ab\u00e9 ", min_size=1), unique=True)


@given(IDS, st.lists(st.integers(0, 3), min_size=1, max_size=3), st.integers(0, 99))
def test_a_pool_survives_being_written_down(products: list[Id], shape: list[int], seed: int) -> None:
    """Every array of every product, with its shape and bits; products may have other shapes than others."""
    values = np.random.default_rng(seed)
    pool = Pool(
        {
            product: {"slope": values.normal(size=[*shape[:-1], position]), "rivals": np.array(["x", "yy"])}
            for position, product in enumerate(products)
        }
    )

    found = Pool.from_bytes(pool.to_bytes())

    assert list(found.products) == products
    for product, arrays in pool.products.items():
        assert list(found.products[product]) == ["slope", "rivals"]
        for name, array in arrays.items():
            assert np.array_equal(found.products[product][name], array)
            assert found.products[product][name].shape == array.shape


def test_pools_of_several_products_are_joined() -> None:
    """One after the other."""
    one, other = Pool({1: {"slope": np.ones(2)}}), Pool({2: {"slope": np.zeros(2)}})
    assert list(Pool.joined([one, other]).products) == [1, 2]
