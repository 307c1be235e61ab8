"""Tests of what stores share: learnt once, recalled in the same order."""

from functools import partial

import numpy as np

from forecasting.models.response.shared import Learn, Recall


def test_what_was_learnt_is_recalled_in_order() -> None:
    """By name, of one product or several alike; nothing is computed again."""
    learn = Learn()
    for week in range(3):
        learn("mean", partial(np.array, [week, 10.0 + week]))
    learn("slope", lambda: np.array([[1.0, 2.0], [3.0, 4.0]]))

    def compute() -> np.ndarray:
        raise AssertionError("recalled, not computed")

    second = Recall.of([learn.of_product(1)])
    both = Recall.of([learn.of_product(1), learn.of_product(0)])

    assert second("slope", compute).tolist() == [[3, 4]]
    assert [second("mean", compute).tolist() for _ in range(3)] == [[10], [11], [12]]
    assert [both("mean", compute).tolist() for _ in range(3)] == [[10, 0], [11, 1], [12, 2]]
    assert learn.learning
    assert not both.learning
