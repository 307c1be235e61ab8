"""Last year's season: how the sales of the same weeks a year ago stood to the level of that year."""

import numpy as np

LAGS = (51, 52, 53)  # weeks: the same week of the last year and its neighbours
BEFORE = 52  # weeks up to the nearest lag whose mean is the level
COLUMNS = 3
CLEAR = 0.1  # log points beyond which a peak is hardly noise
SHRINK = 8.0  # weeks of level that count as without season


def last_years_season(y: np.ndarray, weeks: int) -> np.ndarray:
    """Return last year's season in log points, (W, 3, …).

    The last is by how much the weeks around a year earlier lay above their year's level, the first by how much the
    very week lay above those around it, its peak, and the second how far that is beyond `CLEAR`: small peaks are mostly
    noise, large ones come again. All depend on sales `LAGS[0]` or more weeks before; without any they are 0.

    y: (T, ...) log sales, NaN where unseen.
    """
    seen = ~np.isnan(y)
    filled = np.where(seen, y, 0.0)
    shape = (1, *y.shape[1:])
    total, count = (np.concatenate([np.zeros(shape), np.cumsum(x, axis=0)]) for x in (filled, seen))

    def over(first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Sum and count of the weeks from `first` to `last` weeks before each, the larger lag first."""
        start = np.clip(np.arange(weeks) - first, 0, len(y))
        end = np.clip(np.arange(weeks) - last + 1, 0, len(y))
        return total[end] - total[start], count[end] - count[start]

    near, n_near = over(LAGS[-1], LAGS[0])
    level, n_level = over(LAGS[0] + BEFORE - 1, LAGS[0])
    exact, n_exact = over(LAGS[1], LAGS[1])
    around = near / np.maximum(n_near, 1)
    season = np.where(n_near > 0, around - level / np.maximum(n_level, 1), 0.0)
    peak = np.where(n_exact > 0, exact - around, 0.0)
    clear = peak - np.clip(peak, -CLEAR, CLEAR)
    return np.stack([peak, clear, season], axis=1) * (n_level / (n_level + SHRINK))[:, None]
