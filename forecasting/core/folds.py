"""The folds of a backtest: cutoffs at which a forecast is made as it would have been made then."""

from dataclasses import dataclass
from datetime import date

from forecasting.contracts.calendar import weeks_between
from forecasting.contracts.errors import OptionError
from forecasting.contracts.orange_juice import dominicks_week


@dataclass(frozen=True)
class Folds:
    """Cutoffs, and which steps are forecast at each."""

    cutoffs: tuple[date, ...]
    horizon: int
    gap: int = 0


# The public benchmark (TSPerf): train up to week 135 + 2r, forecast weeks 137 + 2r and 138 + 2r.
PROTOCOLS = {
    "A": Folds(tuple(dominicks_week(135 + 2 * r) for r in range(12)), horizon=2, gap=1),
    "B": Folds(tuple(dominicks_week(135 + 2 * r) for r in range(10)), horizon=2, gap=1),
    # Everything was chosen on these: test weeks up to 136, so that A and B stay unseen.
    "tune": Folds(tuple(dominicks_week(103 + 2 * r) for r in range(16)), horizon=2, gap=1),
}

# MAPE of the benchmark's published models, in percent.
PUBLISHED_MAPE = {
    "A": {
        "naive": 109.67,
        "ETS": 70.99,
        "AutoARIMA": 70.80,
        "mean": 70.74,
        "DilatedCNN": 37.09,
        "LightGBM": 36.28,
    },
    "B": {"ARIMA with price regressors": 48.88, "LightGBM": 35.97},
}


def choose_folds(
    protocol: str | None, first: date | None, last: date | None, every: int, horizon: int, gap: int
) -> Folds:
    """The folds of a protocol, or own ones at every `every`-th week from `first` to `last`, both included if hit.

    Raises:
        OptionError: there is no such protocol, or neither it nor both cutoffs are given, or there would be no fold.
    """
    if protocol is not None and (first or last):
        raise OptionError(f"protocol={protocol}", "brings its own cutoffs", "leave out either it or the cutoffs")
    if protocol is not None and protocol not in PROTOCOLS:
        raise OptionError(f"protocol={protocol}", "is unknown", f"choose one of {', '.join(PROTOCOLS)}")
    if protocol is not None:
        return PROTOCOLS[protocol]
    if first is None or last is None:
        raise OptionError("The folds", "are not chosen", "name --protocol A, or both --first-cutoff and --last-cutoff")
    cutoffs = tuple(weeks_between(first, last)[::every])
    if not cutoffs:
        raise OptionError(f"last-cutoff={last}", f"lies before first-cutoff={first}", f"name {first} or a later week")
    return Folds(cutoffs, horizon, gap)
