"""How much each candidate counts for a product: by its errors on weeks that its fit had not seen."""

import numpy as np

FIRST_ORIGIN = 20  # weeks of history before a forecast whose error counts
HALF_LIFE = 26.0  # weeks after which an error counts half
SHARPNESS = 40.0  # an error that is a tenth larger makes a candidate count a sixth
MARGIN = 0.03
PRIOR_WORSE, PRIOR_WEEKS = 1.2, 4.0  # how much worse than the first the others are before anything is seen


def candidate_weights(forecasts: np.ndarray, y: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return the weight of each candidate for each product, (P, C), which sum to one.

    The weights of candidates fall with their sums of absolute errors in units; in doubt the first has the most.

    forecasts: (origins, C, H, P, S) logs, the last origin is today; y: (W, P, S) log sales, NaN where unseen.
    """
    today = len(forecasts) - 1
    errors, seen = np.zeros((forecasts.shape[1], y.shape[1])), np.zeros(y.shape[1])
    for j, step in enumerate(int(step) for step in steps):
        past = np.arange(min(FIRST_ORIGIN, today // 2), today + 1 - step)
        if not len(past):
            continue
        sold = y[past + step]
        miss = np.nan_to_num(np.abs(np.exp(forecasts[past, :, j]) - np.exp(sold)[:, None])).sum(axis=-1)
        age = 0.5 ** ((today - step - past) / HALF_LIFE)
        errors += _total(age, miss)
        seen += _total(age, (~np.isnan(sold)).any(axis=-1)) / len(steps)
    prior = np.full((len(errors), 1), PRIOR_WORSE)
    prior[0] = 1.0
    first = errors[0]
    relative = np.divide(errors, first, where=first > 0, out=np.ones_like(errors))
    relative[1:] *= 1 + MARGIN
    relative = (relative * seen + prior * PRIOR_WEEKS) / (seen + PRIOR_WEEKS)
    weight = (relative / relative.min(axis=0)) ** -SHARPNESS
    return (weight / weight.sum(axis=0)).T


def _total(age: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sum of (T, ...) over T, weighted.

    Along the last axis NumPy adds up in an order that does not depend on how many products there are.
    """
    return (np.ascontiguousarray(np.moveaxis(values, 0, -1)) * age).sum(axis=-1)
