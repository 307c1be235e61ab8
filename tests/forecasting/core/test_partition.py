"""Tests of cutting a panel into partitions."""

from math import ceil

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.schemas import SERIES
from forecasting.core.completeness import active_series
from forecasting.core.panel import build_panel, series_of
from forecasting.core.partition import (
    PartitionData,
    Pooled,
    bucket_size,
    is_pooled_apart,
    partition_panel,
    plan_partitions,
    stores_of,
)
from tests.strategies import Market, markets, shuffled

LAW = settings(max_examples=15, deadline=None)
sizes = st.integers(1, 7)


def panel_of(market: Market) -> pd.DataFrame:
    return build_panel(market.sales, market.promotions, active_series(market.sales, market.cutoff), market.cutoff)


def keys(partition: PartitionData) -> set[tuple[int, int]]:
    return set(partition.series.itertuples(index=False, name=None))


@LAW
@given(markets(), sizes, st.sampled_from(["nothing", "product", "everything"]))
def test_partitions_are_disjoint_and_rejoin_to_the_panel(market: Market, size: int, pooled: Pooled) -> None:
    """No series is in two partitions, and all partitions together are the panel again, to the bit."""
    panel = panel_of(market)

    partitions = partition_panel(panel, market.promotions, mini_batch_size=size, pooled=pooled)

    found = [key for partition in partitions for key in keys(partition)]
    together = pd.concat([partition.panel for partition in partitions]).sort_values(schemas.CELL, ignore_index=True)
    assert len(found) == len(set(found)) == len(series_of(panel))
    assert len({partition.name for partition in partitions}) == len(partitions)
    pd.testing.assert_frame_equal(together, panel, check_exact=True)


@LAW
@given(markets(), sizes, st.sampled_from(["nothing", "product", "everything"]), st.integers(0, 99))
def test_partitions_do_not_depend_on_the_order_of_rows(market: Market, size: int, pooled: Pooled, seed: int) -> None:
    """A shuffled panel is cut into the same partitions under the same names."""
    panel = panel_of(market)

    one = partition_panel(panel, market.promotions, mini_batch_size=size, pooled=pooled)
    two = partition_panel(shuffled(panel, seed), market.promotions, mini_batch_size=size, pooled=pooled)

    assert [partition.name for partition in one] == [partition.name for partition in two]
    for left, right in zip(one, two, strict=True):
        pd.testing.assert_frame_equal(left.panel, right.panel, check_exact=True)
        pd.testing.assert_frame_equal(left.promotions, right.promotions, check_exact=True)


@LAW
@given(markets(), sizes)
def test_no_partition_is_larger_than_the_mini_batch_and_none_is_needless(market: Market, size: int) -> None:
    """There are as few partitions as the size allows, filled evenly."""
    panel = panel_of(market)

    counts = [len(p.series) for p in partition_panel(panel, market.promotions, mini_batch_size=size, pooled="nothing")]

    assert len(counts) == ceil(len(series_of(panel)) / size)
    assert max(counts) <= size
    assert max(counts) - min(counts) <= 1


@LAW
@given(markets(), sizes)
def test_a_pooled_model_gets_all_stores_of_a_product(market: Market, size: int) -> None:
    """Whole products, in order, as many as fit into the mini batch; a product larger than that stands alone."""
    panel = panel_of(market)

    partitions = partition_panel(panel, market.promotions, mini_batch_size=size, pooled="product")

    products = [sorted(set(p.panel["product"])) for p in partitions]
    assert [product for together in products for product in together] == sorted(set(panel["product"]))
    assert all(len(p.series) <= size or len(set(p.panel["product"])) == 1 for p in partitions)


@LAW
@given(markets(), sizes, st.sampled_from(["nothing", "product", "everything"]))
def test_a_partition_has_the_promotions_of_all_products_in_its_stores(
    market: Market, size: int, pooled: Pooled
) -> None:
    """Competing offers come along, those of other stores do not."""
    for partition in partition_panel(panel_of(market), market.promotions, mini_batch_size=size, pooled=pooled):
        expected = market.promotions[market.promotions["store"].isin(partition.panel["store"])]

        pd.testing.assert_frame_equal(partition.promotions, expected.reset_index(drop=True))


@LAW
@given(markets(), st.data())
def test_only_keeps_the_named_series_and_nothing_else(market: Market, data: st.DataObject) -> None:
    """A narrowed partition is the partition that would have been cut from those series alone."""
    (whole,) = partition_panel(panel_of(market), market.promotions, mini_batch_size=1000, pooled="nothing")
    kept = data.draw(st.sets(st.sampled_from(sorted(keys(whole))), min_size=1))
    series = pd.DataFrame(sorted(kept), columns=schemas.SERIES)

    part = whole.only(series)

    assert keys(part) == kept
    assert set(part.promotions["store"]) <= set(series["store"])
    alone = build_panel(market.sales, market.promotions, series, market.cutoff)
    pd.testing.assert_frame_equal(part.panel, alone, check_exact=True, check_dtype=False)


@pytest.mark.parametrize("pooled", ["nothing", "product", "everything"])
def test_an_empty_panel_has_no_partitions(pooled: Pooled) -> None:
    """Nothing to forecast is no task."""
    panel = orange_juice.SALES.empty().astype({"units": "float64"}).assign(price=1.0, deal=0.0, feat=0.0)

    assert partition_panel(panel, orange_juice.PROMOTIONS.empty(), mini_batch_size=10, pooled=pooled) == []


def test_the_real_panel_is_cut_evenly(real_sales: pd.DataFrame, real_promotions: pd.DataFrame) -> None:
    """The last week's series go into the fewest partitions of 200 at most, or two whole products each."""
    cutoff = real_sales["week"].max().date()
    panel = build_panel(real_sales, real_promotions, active_series(real_sales, cutoff), cutoff)

    parts = partition_panel(panel, real_promotions, mini_batch_size=200, pooled="nothing")
    products = partition_panel(panel, real_promotions, mini_batch_size=200, pooled="product")

    assert len(parts) == ceil(len(series_of(panel)) / 200)
    assert [part.name for part in products] == [f"part-{number:04d}" for number in range(6)]
    assert [len(set(part.panel["product"])) for part in products] == [2, 2, 2, 2, 2, 1]
    assert sum(len(part.panel) for part in parts) == sum(len(part.panel) for part in products) == len(panel)


def grid(stores: int, products: int) -> pd.DataFrame:
    return pd.DataFrame([(store, product) for store in range(stores) for product in range(products)], columns=SERIES)


@pytest.mark.parametrize(
    ("stores", "most_pooled", "expected"), [(5, 5, False), (6, 5, True), (6, None, False), (1, 5, False)]
)
def test_a_model_learns_apart_where_a_product_has_more_stores(
    stores: int, most_pooled: int | None, expected: bool
) -> None:
    """Not where a model learns from all that it is given; more products make no difference."""
    assert is_pooled_apart(grid(stores, 9), most_pooled) is expected


def test_buckets_are_many_enough_for_workers_and_small_enough_for_memory() -> None:
    """Never smaller than what was asked for."""
    sizes = {count: bucket_size(pd.DataFrame(index=range(count)), 250) for count in (100, 8_000, 100_000, 1_000_000)}
    assert sizes == {100: 250, 8_000: 500, 100_000: 6_250, 1_000_000: 8_000}


def test_the_stores_of_partitions_are_those_of_their_series() -> None:
    """And the range of one partition is from its first to its last."""
    one, two = plan_partitions(grid(4, 3), mini_batch_size=6, pooled="nothing", name="bucket")
    assert (one.name, two.name) == ("bucket-0000", "bucket-0001")
    assert (one.stores, two.stores) == ((0, 1), (2, 3))
    assert stores_of([one, two]) == {0, 1, 2, 3}
