"""Last year's season: worked by hand."""

import numpy as np
import pytest

from forecasting.models.response.season import BEFORE, CLEAR, SHRINK, last_years_season

PEAK, CLEAR_PEAK, SEASON = range(3)


def test_there_is_none_in_the_first_year() -> None:
    """Zero for the first 51 weeks, and for all of a series that was never seen."""
    found = last_years_season(np.arange(60.0), 62)

    assert (found[:51] == 0).all()
    assert np.abs(found[54:]).max() > 0
    assert (last_years_season(np.full(60, np.nan), 62) == 0).all()


def test_the_weeks_around_a_year_ago_stand_to_the_level_of_their_year() -> None:
    """A peak of 3 in week 100 of steady sales: 1 in the three weeks around week 152, less the share of the level."""
    y = np.full(160, 2.0)
    y[100] += 3.0

    found = last_years_season(y, 162)

    shrunk = BEFORE / (BEFORE + SHRINK)
    assert found[151:154, SEASON] == pytest.approx(shrunk * (1.0 - 3.0 / BEFORE))
    assert found[151:154, PEAK] == pytest.approx(shrunk * np.array([-1.0, 2.0, -1.0]))
    beyond = np.array([CLEAR - 1.0, 2.0 - CLEAR, CLEAR - 1.0])
    assert found[151:154, CLEAR_PEAK] == pytest.approx(shrunk * beyond)
    assert found[149, SEASON] == pytest.approx(0, abs=1e-9)


def test_a_small_peak_is_not_clear() -> None:
    """Of half of what counts as clear."""
    y = np.full(160, 2.0)
    y[100] += CLEAR / 2

    found = last_years_season(y, 162)

    assert found[152, PEAK] > 0
    assert (found[..., CLEAR_PEAK] == 0).all()


def test_gaps_are_passed_over() -> None:
    """Unseen weeks count neither in the neighbourhood nor in the level."""
    y = np.full(160, 2.0)
    y[100] += 3.0
    y[[99, 101, 90]] = np.nan

    found = last_years_season(y, 162)

    n_level = BEFORE - 3
    assert found[152, SEASON] == pytest.approx(n_level / (n_level + SHRINK) * (3.0 - 3.0 / n_level))
    assert found[152, PEAK] == 0


def test_it_depends_on_sales_of_51_weeks_before_and_earlier() -> None:
    """Later sales made absurd change no bit."""
    y = np.random.default_rng(0).normal(size=(160, 2))
    later = y.copy()
    later[110:] = 99.0

    found, other = last_years_season(y, 162), last_years_season(later, 162)

    assert np.array_equal(found[:161], other[:161])
    assert not np.array_equal(found[161:], other[161:])
