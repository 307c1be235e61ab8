"""Tests of the predictive distribution: points and intervals, worked by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.core.distribution import PredictiveDistribution, interval_of, point_of

LAW = settings(max_examples=25, deadline=None)
draw_rows = st.lists(st.floats(0, 1e6), min_size=1, max_size=25).map(lambda row: np.array([sorted(row)]))


def test_the_median_of_an_even_number_of_samples_lies_between_the_middle_two() -> None:
    """Of 1, 2, 4, 9 the median is 3 and the mean 4; rows do not mix."""
    samples = np.array([[1.0, 2.0, 4.0, 9.0], [5.0, 5.0, 5.0, 5.0]])

    assert point_of(samples, "median").tolist() == [3.0, 5.0]
    assert point_of(samples, "mean").tolist() == [4.0, 5.0]


@pytest.mark.parametrize(
    ("samples", "point"),
    [
        # Weights 1, 1/2, 1/4 make 7/4; half of it, 7/8, is reached by the first draw.
        ([1.0, 2.0, 4.0], 1.0),
        # Weights 1/2, 1/3, 1/4, 1/5 make 77/60; half of it, 38.5/60, is passed by 1/2 + 1/3 = 50/60.
        ([2.0, 3.0, 4.0, 5.0], 3.0),
        # Weights 1/10 × 3 and 1/100 make 31/100; half of it, 15.5/100, is passed by the second draw.
        ([10.0, 10.0, 10.0, 100.0], 10.0),
        # A week without sales weighs as one carton does: 1, 1, 1/2 make 5/2, and 5/4 is passed by 1 + 1.
        ([0.0, 1.0, 2.0], 1.0),
        # 1, 1/4 × 5 make 9/4; half of it, 9/8, is passed by 1 + 1/4.
        ([0.0, 4.0, 4.0, 4.0, 4.0, 4.0], 4.0),
        ([7.0], 7.0),
    ],
)
def test_the_mape_point_is_the_median_weighted_by_one_over_the_draw(samples: list[float], point: float) -> None:
    """The weighted medians worked by hand in the comments above."""
    assert point_of(np.array([samples]), "mape").tolist() == [point]


@LAW
@given(draw_rows)
def test_no_draw_has_a_smaller_expected_percentage_error_than_the_mape_point(samples: np.ndarray) -> None:
    """What the point claims to minimise, it does."""

    def expected_error(point: float) -> float:
        return float((np.abs(samples - point) / np.maximum(samples, 1.0)).mean())

    chosen = float(point_of(samples, "mape")[0])

    assert expected_error(chosen) <= min(expected_error(other) for other in samples[0]) * (1 + 1e-9) + 1e-12


@LAW
@given(draw_rows)
def test_the_mape_point_is_a_draw_and_not_above_the_median(samples: np.ndarray) -> None:
    """Small values weigh more, so percentage errors reward a forecast at or below the median."""
    point = float(point_of(samples, "mape")[0])

    assert point in samples[0]
    assert point <= float(point_of(samples, "median")[0])


@LAW
@given(draw_rows)
def test_the_median_lies_in_the_intervals_and_the_wider_contains_the_narrower(samples: np.ndarray) -> None:
    """lo_95 ≤ lo_80 ≤ median ≤ hi_80 ≤ hi_95, whatever the samples."""
    (row,) = PredictiveDistribution(pd.DataFrame({"step": [1]}), samples).summarise((80, 95)).to_dict("records")

    assert row["lo_95"] <= row["lo_80"] <= row["median"] <= row["hi_80"] <= row["hi_95"]


def test_an_interval_leaves_half_of_the_rest_on_each_side() -> None:
    """Of the samples ½, 1½ … 99½ the central 80 percent run from 10 to 90, the central 95 from 2.5 to 97.5."""
    samples = np.arange(100.0)[None] + 0.5

    assert [end.tolist() for end in interval_of(samples, 80)] == [[pytest.approx(10.0)], [pytest.approx(90.0)]]
    assert [end.tolist() for end in interval_of(samples, 95)] == [[pytest.approx(2.5)], [pytest.approx(97.5)]]


def test_the_mean_of_skewed_samples_may_lie_outside_the_interval() -> None:
    """Nineteen weeks without sales and one of 1000 cartons: the mean is 50, though 80 percent are zero."""
    samples = np.array([[0.0] * 19 + [1000.0]])

    assert point_of(samples, "mean").tolist() == [50.0]
    assert [end.tolist() for end in interval_of(samples, 80)] == [[0.0], [0.0]]


def test_a_summary_has_the_frame_and_a_column_for_every_end() -> None:
    """The cells come first, unchanged, then the point and both ends; of three a quarter is 1/4 past the first."""
    frame = pd.DataFrame({"store": [2, 5], "step": [1, 1]})

    summary = PredictiveDistribution(frame, np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])).summarise((50,))

    assert list(summary.columns) == ["store", "step", "median", "mean", "mape", "lo_50", "hi_50"]
    assert summary.to_numpy().tolist() == [[2, 1, 2.0, 2.0, 1.0, 1.25, 2.75], [5, 1, 5.0, 5.0, 5.0, 4.25, 5.75]]
