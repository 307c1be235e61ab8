"""Tests of the weights of candidates: the better ones of late count, in doubt the first."""

import numpy as np
import pytest

from forecasting.models.response.choice import candidate_weights

T, P, S, C = 80, 2, 3, 6
STEPS = np.array([1, 2])


def forecasts_off_by(misses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts (T, C, 2, P, S) that miss steady log sales of 3 by `misses` (T, C, P)."""
    forecasts = 3.0 + np.broadcast_to(misses[:, :, None, :, None], (T, C, 2, P, S))
    return forecasts, np.full((T + 2, P, S), 3.0)


def test_weights_sum_to_one_and_the_first_has_the_most_in_doubt() -> None:
    """All err alike; nothing is seen; there is no history."""
    alike = forecasts_off_by(np.full((T, C, P), 0.1))
    unseen = alike[0], np.full((T + 2, P, S), np.nan)
    short = alike[0][:1], alike[1][:3]

    for forecasts, y in (alike, unseen, short):
        found = candidate_weights(forecasts, y, STEPS)
        assert found.shape == (P, C)
        assert found.sum(axis=1) == pytest.approx(1)
        assert (found[:, :1] > found[:, 1:]).all()
    assert candidate_weights(*unseen, STEPS)[0, 0] > 0.99


def test_a_clearly_better_candidate_takes_over_for_its_product_alone() -> None:
    """The third errs half as much in the second product."""
    misses = np.full((T, C, P), 0.2)
    misses[:, 2, 1] = 0.1

    found = candidate_weights(*forecasts_off_by(misses), STEPS)

    assert found[0].argmax() == 0
    assert found[1, 2] > 0.99


def test_recent_errors_count_more() -> None:
    """The second was twice as bad for a year and is half as bad since."""
    misses = np.full((T, C, P), 0.2)
    misses[:40, 1], misses[40:, 1] = 0.3, 0.1

    assert (candidate_weights(*forecasts_off_by(misses), STEPS).argmax(axis=1) == 1).all()
