"""What a run is asked to do, as plain values: the forecast, and how its batch is computed."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal, get_args

from forecasting.errors import OptionError
from forecasting.weeks import DAY_NAMES, THURSDAY, WEEK, week_of

Point = Literal["median", "mean", "mape"]
BelowMinimum = Literal["refuse", "go_on"]


@dataclass(frozen=True)
class ForecastSpec:
    """What to forecast.

    cutoff: first day of the last observed week; nothing sold after it is used.
    horizon: how many weeks are forecast.
    gap: weeks skipped between the cutoff and the first forecast week.
    model: a name from the registry of models.
    point: which point of the predictive distribution stands in the column `forecast`:
        its median, its mean, or the point with the least expected absolute percentage error.
    week_starts_on: the weekday that opens a week, Monday = 0.
    """

    cutoff: date
    horizon: int = 2
    gap: int = 0
    model: str = "price_response"
    point: Point = "median"
    week_starts_on: int = THURSDAY

    def __post_init__(self) -> None:
        for name, value, least in (("horizon", self.horizon, 1), ("gap", self.gap, 0)):
            if value < least:
                raise OptionError(f"{name}={value}", f"is less than {least}", f"give {least} or more weeks")
        opening = week_of(self.cutoff, self.week_starts_on)
        if opening != self.cutoff:
            day = DAY_NAMES[self.week_starts_on]
            raise OptionError(
                f"cutoff={self.cutoff}", "is not the first day of a week", f"name the {day} before, {opening}"
            )
        if self.point not in get_args(Point):
            raise OptionError(f"point={self.point}", "is unknown", f"choose one of {', '.join(get_args(Point))}")

    @property
    def steps(self) -> range:
        """The steps to forecast: 1 is the week after the cutoff."""
        return range(self.gap + 1, self.gap + self.horizon + 1)

    @property
    def weeks(self) -> list[date]:
        """The weeks to forecast, in the order of the steps."""
        return [self.cutoff + WEEK * step for step in self.steps]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for hashing and for metadata."""
        return {**asdict(self), "cutoff": self.cutoff.isoformat()}


@dataclass(frozen=True)
class GateSpec:
    """When a week may be forecast.

    deadline: until when missing stores are waited for.
    min_reporting: least share of the expected stores that must be whole after it.
    below_minimum: what becomes of a week below that share which nobody has accepted.
    """

    deadline: datetime
    min_reporting: float = 0.9
    below_minimum: BelowMinimum = "refuse"


@dataclass(frozen=True)
class BatchSpec:
    """How a batch is cut into partitions and what a failing one may cost.

    mini_batch_size: most series in one partition (of models that pool a brand's stores, whole brands).
    max_retries: how often a partition is tried again after its worker was lost or its deadline passed.
    timeout: seconds that one partition may take.
    error_threshold: most series that may fail before the week is refused; -1 allows any number.
    """

    mini_batch_size: int = 250
    max_retries: int = 2
    timeout: float = 120.0
    error_threshold: int = 50


@dataclass(frozen=True)
class ClusterSpec:
    """The cluster that a run starts and ends: `instance_count` × `max_concurrency_per_instance` workers.

    Each worker is a process with one thread.
    """

    instance_count: int = 1
    max_concurrency_per_instance: int = 2

    @property
    def n_workers(self) -> int:
        return self.instance_count * self.max_concurrency_per_instance
