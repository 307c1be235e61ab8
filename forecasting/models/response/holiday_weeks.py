"""Weeks with public holidays of a country."""

from datetime import date
from functools import lru_cache

import holidays
import numpy as np
import pandas as pd

from forecasting.contracts.errors import DataError

YEARS = range(2015, 2025)  # in whose calendars the holidays with a regressor of their own are looked up
OBSERVED = " (observed)"


def holiday_columns(country: str, weeks: pd.DatetimeIndex) -> list[np.ndarray]:
    """Return for each holiday of the country which weeks have it, then how many the next and the last week have, (W,).

    People shop before a holiday, and less after it. Without a country there are no columns.

    Raises:
        DataError: no calendar of the country is known.
    """
    if not country:
        return []
    days = _calendar(country, range(weeks[0].year - 1, weeks[-1].year + 2))
    counts = {name: np.zeros(len(weeks) + 2) for name in usual_holidays(country)}
    before = weeks[0] - pd.Timedelta(weeks=1)
    for day, name in days:
        week = (pd.Timestamp(day) - before).days // 7
        if name in counts and 0 <= week < len(weeks) + 2:
            counts[name][week] = 1.0
    total = np.sum(list(counts.values()), axis=0)
    return [*(count[1:-1] for count in counts.values()), total[2:], total[:-2]]


@lru_cache
def usual_holidays(country: str) -> tuple[str, ...]:
    """Return the names of the holidays that most of `YEARS` have, so that their number does not depend on the weeks."""
    years: dict[str, set[int]] = {}
    for day, name in _calendar(country, YEARS):
        years.setdefault(name, set()).add(day.year)
    return tuple(sorted(name for name, of in years.items() if len(of) > len(YEARS) / 2))


@lru_cache
def _calendar(country: str, years: range) -> tuple[tuple[date, str], ...]:
    """Days and names; a holiday observed on another day counts on its own."""
    try:
        found = holidays.country_holidays(country, years=years, language="en_US")
    except NotImplementedError as error:
        raise DataError(
            f"The panel definition has holidays={country!r}, of which no calendar is known",
            "give it the ISO 3166 code of a country, as US or DE, or leave it empty",
        ) from error
    names = ((day, name) for day, of_day in sorted(found.items()) for name in of_day.split("; "))
    return tuple((day, name) for day, name in names if not name.endswith(OBSERVED))
