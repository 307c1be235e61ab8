"""The seasonal naive forecast: what was sold in the same week of the last year."""

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.panel import future_cells, series_of
from forecasting.core.pool import Pool
from forecasting.models.model import OnePassModel
from forecasting.models.naive import PROBABILITIES

YEAR = 52  # weeks: the same week of the last year, its weekday kept
NEAR = 3  # weeks to either side of a gap in which a stand-in is looked for
FEWEST_CHANGES = 8  # changes over a year that a spread can be taken from


class SeasonalNaive(OnePassModel):
    """Repeat what each series sold 52 weeks before the target week.

    A gap there is filled by the nearest observed week, at most `NEAR` weeks away and the earlier of two; without
    one, as in a series of less than a year, the last observation is repeated. The spread is that of the past
    52-week changes of the log units, centred so that the median is the repeated week itself; where the last
    observation is repeated, or such changes are few, it is that of the changes over the step. Promotions play
    no part.
    """

    name = "seasonal_naive"
    summary = "same week of the last year"

    def forecast(
        self, panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, pool: Pool | None = None
    ) -> PredictiveDistribution:
        """Return the same week of the last year, spread by the past changes over a year."""
        cells = future_cells(series_of(panel), spec)
        log_units = np.log1p(panel.pivot(index=schemas.SERIES, columns="week", values="units").to_numpy())
        samples = np.empty((len(log_units), spec.horizon, len(PROBABILITIES)))
        for row, past in enumerate(log_units):
            for position, step in enumerate(spec.steps):
                samples[row, position] = _log_samples(past, step)
        return PredictiveDistribution(cells, np.maximum(np.expm1(samples.reshape(len(cells), -1)), 0.0))


def _log_samples(past: np.ndarray, step: int) -> np.ndarray:
    """Ascending log samples of one series `step` weeks after the last of `past`, whose gaps are NaN."""
    years_back = YEAR * -(-step // YEAR)
    observed = np.flatnonzero(~np.isnan(past))
    source = _nearest(observed, len(past) - 1 + step - years_back)
    if source is None:
        return past[observed[-1]] + _spread(_changes(past, step))
    changes = _changes(past, years_back)
    return past[source] + _spread(changes if len(changes) >= FEWEST_CHANGES else _changes(past, step))


def _nearest(observed: np.ndarray, wanted: int) -> int | None:
    """The observed week nearest to the one wanted, the earlier of two.

    None where it lies before the first observation or more than `NEAR` weeks from all.
    """
    distance = np.abs(observed - wanted)
    nearest = int(np.argmin(distance))
    return int(observed[nearest]) if wanted >= observed[0] and distance[nearest] <= NEAR else None


def _changes(past: np.ndarray, weeks: int) -> np.ndarray:
    """All changes over so many weeks of which both ends were observed."""
    changes = past[weeks:] - past[:-weeks]
    return changes[~np.isnan(changes)]


def _spread(changes: np.ndarray) -> np.ndarray:
    """The changes' quantiles around their median; nothing is known of the spread without any."""
    if not changes.size:
        return np.zeros(len(PROBABILITIES))
    return np.quantile(changes, PROBABILITIES, method="hazen") - np.median(changes)
