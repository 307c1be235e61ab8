"""Tests of the spread: samples around the forecast, as wide as the errors of the past."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.models.response.spread import LARGEST_SIZE, SAMPLES, SMALLEST_SIZE, ProductSpread, Spread, learn_spread

QUIET, ADVERTISED = [1.0, 0.0, 0.0], [1.0, 0.0, 1.0]
NO_ERRORS = np.empty(0), np.empty((0, 3)), np.empty(0)
NEVER = np.zeros(1)  # no week without a sale


def log_samples(
    forecast: np.ndarray, new: np.ndarray, errors: np.ndarray, risk: np.ndarray, age: np.ndarray
) -> np.ndarray:
    """The samples around forecasts of one store, one a row, as its past errors make them."""
    past = errors[:, None], risk[:, None], age
    spread = learn_spread(*past).of_stores(*past)
    rows = [spread.around(forecast[i : i + 1], new[i : i + 1], NEVER) for i in range(len(forecast))]
    return np.concatenate(rows)


def samples_of(errors: np.ndarray, risk: np.ndarray, new: list[float] = QUIET, age: float = 1.0) -> np.ndarray:
    """The samples around a forecast of zero."""
    (found,) = log_samples(np.zeros(1), np.array([new]), errors, risk, np.full(len(errors), age))
    return found


def quiet(count: int) -> np.ndarray:
    return np.tile(QUIET, (count, 1))


def test_without_a_past_the_samples_are_those_of_the_prior() -> None:
    """Normal, symmetric around the forecast, with a mean absolute deviation of 0.35 log points."""
    found = log_samples(np.array([4.0, 5.0]), np.array([QUIET, QUIET]), *NO_ERRORS)

    assert found.shape == (2, SAMPLES)
    assert np.median(found, axis=1) == pytest.approx([4, 5])
    assert np.abs(found[0] - 4).mean() == pytest.approx(0.35, rel=0.03)
    assert found[1] - 5 == pytest.approx(found[0] - 4)
    assert found[0] - 4 == pytest.approx(4 - found[0][::-1])


@pytest.mark.parametrize("size", [0.1, 0.3, 0.8])
def test_samples_are_as_wide_as_the_errors_of_the_past(size: int) -> None:
    """A thousand errors of a known mean size: the samples deviate as much."""
    errors = np.random.default_rng(2).normal(0, size * np.sqrt(np.pi / 2), 1000)

    found = samples_of(errors, quiet(1000))

    assert np.abs(found).mean() == pytest.approx(size, rel=0.1)


def test_a_bias_of_the_past_shifts_the_samples() -> None:
    """All errors lie around 0.3: sales ran above the forecast, and most samples lie above it."""
    errors = np.random.default_rng(2).normal(0.3, 0.05, 1000)

    assert np.median(samples_of(errors, quiet(1000))) == pytest.approx(0.3, abs=0.05)


def test_an_advertised_week_is_wider() -> None:
    """Errors of advertised weeks were three times those of the quiet ones: so are the samples, nearly."""
    values = np.random.default_rng(4)
    risk = np.array([QUIET, ADVERTISED] * 1000)
    errors = values.normal(0, 1, 2000) * np.where(risk[:, 2] > 0, 0.6, 0.2)

    calm, advertised = (samples_of(errors, risk, new) for new in (QUIET, ADVERTISED))

    assert np.ptp(advertised) > 2 * np.ptp(calm)


def test_a_recent_error_counts_more() -> None:
    """Large errors of long ago and small ones of late are closer to the late ones."""
    values = np.random.default_rng(5)
    errors = np.concatenate([values.normal(0, 0.8, 400), values.normal(0, 0.1, 400)])
    old_were_large, late_are_large = np.repeat([200.0, 1.0], 400), np.repeat([1.0, 200.0], 400)

    widths = [
        np.abs(log_samples(np.zeros(1), np.array([QUIET]), errors, quiet(800), age)).mean()
        for age in (old_were_large, late_are_large)
    ]

    assert widths[0] < 0.5 * widths[1]


@pytest.mark.parametrize(("error", "size"), [(0.0, SMALLEST_SIZE), (50.0, LARGEST_SIZE)])
def test_the_size_has_bounds(error: float, size: float) -> None:
    """A past without error is not certainty, and one of absurd errors is not everything."""
    signs = np.resize([1.0, -1.0], 1000)

    found = samples_of(error * signs, quiet(1000))

    assert np.isfinite(found).all()
    if error == 0:
        assert 0 < np.abs(found).mean() <= size
    else:
        assert np.abs(found).max() <= 50 * LARGEST_SIZE


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60))
def test_samples_ascend_whatever_the_past(seed: int, count: int) -> None:
    """Finite and sorted for any errors, risks and ages."""
    values = np.random.default_rng(seed)
    errors = values.standard_t(1.5, count)
    risk = np.column_stack([np.ones(count), values.integers(0, 2, count), values.random(count)])

    found = log_samples(
        values.normal(0, 3, 4), np.array([QUIET, ADVERTISED] * 2), errors, risk, values.random(count) * 99
    )

    assert np.isfinite(found).all()
    assert (np.diff(found, axis=1) >= 0).all()


def test_a_store_s_errors_are_as_large_as_its_own() -> None:
    """Of two stores one errs four times as much: so do its samples, nearly; a store never seen is as the product."""
    errors = np.random.default_rng(1).normal(0, 1, (300, 3)) * [0.1, 0.4, np.nan]
    risk = np.ones((300, 3, 1))

    past = errors, risk, np.ones(300)
    found = learn_spread(*past).of_stores(*past).around(np.zeros(3), np.ones((3, 1)), np.zeros(3))

    calm, wild, unseen = np.ptp(found, axis=1)
    assert wild / calm == pytest.approx(4, rel=0.25)
    assert calm < unseen < wild


def test_weeks_without_a_sale_are_the_lowest_samples() -> None:
    """A fifth of them; the others are the whole shape, a little coarser. Where no week had a sale, all samples are."""
    spread = Spread(np.array([0.3]), np.linspace(-2, 2, SAMPLES), np.ones(3))

    never, some, always = spread.around(np.zeros(3), np.ones((3, 1)), np.array([0.0, 0.2, 1.0]))

    assert np.array_equal(never, 0.3 * spread.shape)
    assert np.isneginf(some).mean() == pytest.approx(0.2, abs=0.01)
    sold = some[np.isfinite(some)]
    assert (sold.min(), np.median(sold), sold.max()) == pytest.approx((-0.6, 0, 0.6), abs=0.01)
    assert np.isneginf(always).all()


def test_the_spread_of_a_product_serves_any_of_its_stores() -> None:
    """Each store alone has the size that it has among all; written as a row it is the same."""
    errors = np.random.default_rng(1).normal(0, 1, (300, 3)) * [0.1, 0.4, np.nan]
    risk, age = np.ones((300, 3, 1)), np.arange(300.0)
    learnt = learn_spread(errors, risk, age)

    together = learnt.of_stores(errors, risk, age)

    for store in range(3):
        alone = ProductSpread.of_row(learnt.as_row()).of_stores(errors[:, [store]], risk[:, [store]], age)
        assert alone.store == pytest.approx(together.store[store])
        assert np.array_equal(alone.shape, together.shape)
        assert np.array_equal(alone.coefficients, together.coefficients)
