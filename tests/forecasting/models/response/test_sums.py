"""Tests of the faded sums: positive semi-definite, those of the regression in one piece, and weeks some at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.models.response.sums import ProductSums, StoreSums

SHOCK = 0.11
W, S, K = 21, 5, 6


def a_chain() -> tuple[np.ndarray, np.ndarray]:
    """Regressors (W, S, K) and log sales (W, S) of stores with levels 3 to 5."""
    values = np.random.default_rng(0)
    x = values.normal(0, 1, (W, S, K))
    return x, np.linspace(3, 5, S) + x @ [-2.0, 0.8, 0.5, 0.0, 0.0, 1.0] + values.normal(0, 0.1, (W, S))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300), st.integers(1, 12), st.floats(0, 1), st.floats(0, 2), st.integers(0, 2**32 - 1))
def test_the_products_stay_positive_semi_definite(
    stores: int, weeks: int, share_seen: float, shock: float, seed: int
) -> None:
    """For any number of stores that come and go, any weights, and any shock that they share."""
    values = np.random.default_rng(seed)
    products = ProductSums(90.0, shock, 2, stores, 3)
    for _ in range(weeks):
        weight = values.random((2, stores)) ** 3 * (values.random((2, stores)) < share_seen)
        x = values.normal(0, 1, (2, stores, 3)) + values.normal(0, 3, 3)  # mostly what all stores share
        add_week(products, weight, x, x @ [1.0, -1.0, 0.5] + values.normal(0, 1))

    for found in products.within_stores():
        eigenvalues = np.linalg.eigvalsh(found)
        assert eigenvalues.min() >= -1e-9 * max(eigenvalues.max(), 1)


def add_week(products: ProductSums, weight: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    columns = np.moveaxis(np.concatenate([x, y[..., None], np.ones((*y.shape, 1))], axis=-1), -1, 0)[None]
    products.add(weight[None], columns, weight * columns)


def test_with_whole_weeks_the_products_are_those_of_the_regression_within_stores() -> None:
    """By generalised least squares with a constant for each store, worked out in one piece."""
    x, y = a_chain()
    products = ProductSums(np.inf, SHOCK, 1, S, K)
    for week in range(20):
        add_week(products, np.ones((1, S)), x[week][None], y[week][None])

    inverse = np.kron(np.eye(20), np.linalg.inv(np.eye(S) + SHOCK * np.ones((S, S))))
    columns = np.concatenate([x[:20], y[:20, :, None]], axis=-1).reshape(20 * S, -1)
    levels = np.tile(np.eye(S), (20, 1))
    rest = columns - levels @ np.linalg.solve(levels.T @ inverse @ levels, levels.T @ inverse @ columns)
    assert products.within_stores()[0] == pytest.approx(rest.T @ inverse @ rest)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 99))
def test_weeks_may_be_added_some_at_once(sizes: list[int], seed: int) -> None:
    """The sums are those of one week after the other, of the products and of the stores."""
    values = np.random.default_rng(seed)
    columns, w = values.normal(size=(sum(sizes), 5, 2, 4)), values.random((sum(sizes), 2, 4))
    weighted = w[:, None] * columns
    found, expected = ((ProductSums(9.0, SHOCK, 2, 4, 3), StoreSums((9.0, 2.0, 1.0), 2, 3, 2, 4)) for _ in range(2))

    for end, size in zip(np.cumsum(sizes), sizes, strict=True):
        new = slice(end - size, end)
        found[0].add(w[new], columns[new], weighted[new])
        found[1].add(columns[new], weighted[new])
    for week in range(sum(sizes)):
        one = slice(week, week + 1)
        expected[0].add(w[one], columns[one], weighted[one])
        expected[1].add(columns[one], weighted[one])

    for name in ("xx", "level_x", "w", "weeks", "information"):
        assert getattr(found[0], name) == pytest.approx(getattr(expected[0], name)), name
    assert found[1].columns == pytest.approx(expected[1].columns)
    assert found[1].own == pytest.approx(expected[1].own)


def test_the_sums_of_a_store_are_faded_by_each_half_life() -> None:
    """Two weeks of weights 2 and 3, half-lives of one week and for ever; products with the first regressor alone."""
    columns = np.array([[1.0, 10.0, 1.0], [4.0, 20.0, 1.0]])[:, :, None, None]
    sums = StoreSums((1.0, np.inf), 1, 1, 1, 1)

    sums.add(columns, columns * np.array([2.0, 3.0])[:, None, None, None])

    assert sums.columns[:, :, 0, 0].tolist() == [[1 + 12, 10 + 60, 1 + 3], [2 + 12, 20 + 60, 2 + 3]]
    assert sums.own[0, :, 0, 0].tolist() == [1 + 48, 10 + 240, 1 + 12]
