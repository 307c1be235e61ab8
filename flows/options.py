"""The options of the flows and their commands: objects of parameters.

A flow and its command take one object of options; `takes` gives both the flat signature of its fields.
"""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from dataclasses import Field as Option
from datetime import date
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints
from zoneinfo import ZoneInfo

from flows import parameters as p
from flows.settings import lake_root
from forecasting.contracts.orange_juice import DOMINICKS_WEEK_1
from forecasting.contracts.spec import BatchSpec, ClusterSpec, ForecastSpec, GateSpec
from forecasting.core.schedule import deadline_of
from forecasting.storage.database.target import require_target

if TYPE_CHECKING:
    from forecasting.core.folds import Folds
    from forecasting.storage.lake import Lake

_FORECAST = ForecastSpec(DOMINICKS_WEEK_1)
_BATCH = BatchSpec()
_CLUSTER = ClusterSpec()
FOLDS = 12  # of a contest: a quarter of a year


@dataclass(frozen=True, kw_only=True)
class LakeOptions:
    """Where the data are."""

    lake: p.LakeRoot = None

    @property
    def home(self) -> "Lake":
        from forecasting.storage.lake import Lake  # pandas with it, which `oj --help` need not wait for

        return Lake(lake_root(self.lake))


@dataclass(frozen=True, kw_only=True)
class CutoffOption(LakeOptions):
    """Which week."""

    cutoff: p.Cutoff = None


@dataclass(frozen=True, kw_only=True)
class WeeksOption(LakeOptions):
    """Which weeks."""

    first: p.First
    last: p.Last = None


@dataclass(frozen=True, kw_only=True)
class ForecastOptions(LakeOptions):
    """How a week is gated and forecast."""

    horizon: p.Horizon = _FORECAST.horizon
    gap: p.Gap = _FORECAST.gap
    model: p.ModelName = None
    retrain: p.RetrainOption = "always"
    point: p.PointOfForecast = _FORECAST.point
    min_reporting: p.MinReporting = 0.9
    below_minimum: p.BelowMinimumOption = "refuse"
    deadline_hours: p.DeadlineHours = 18.0
    deadline: p.Deadline = None
    accept_gaps: p.AcceptGaps = None
    mini_batch_size: p.MiniBatchSize = _BATCH.mini_batch_size
    max_retries: p.MaxRetries = _BATCH.max_retries
    timeout: p.Timeout = _BATCH.timeout
    error_threshold: p.ErrorThreshold = _BATCH.error_threshold
    fallback_alarm: p.FallbackAlarm = 0.05
    database: p.Database = None

    def __post_init__(self) -> None:
        if self.database:
            require_target(self.database)

    def spec(self, cutoff: date) -> ForecastSpec:
        model = self.model or _FORECAST.model  # until it is known what the champion is
        return ForecastSpec(cutoff, self.horizon, self.gap, model, self.point, self.home.reference.definition)

    def gate_spec(self, week: date) -> GateSpec:
        zone = self.home.reference.time_zone
        deadline = self.deadline or deadline_of(week, self.deadline_hours, zone)
        aware = deadline if deadline.tzinfo else deadline.replace(tzinfo=ZoneInfo(zone))
        return GateSpec(aware, self.min_reporting, self.below_minimum)

    @property
    def batch_spec(self) -> BatchSpec:
        return BatchSpec(self.mini_batch_size, self.max_retries, self.timeout, self.error_threshold)


@dataclass(frozen=True, kw_only=True)
class ClusterOptions:
    """The cluster of a run."""

    instance_count: p.InstanceCount = _CLUSTER.instance_count
    max_concurrency_per_instance: p.MaxConcurrency = _CLUSTER.max_concurrency_per_instance
    cluster: p.ClusterName = _CLUSTER.cluster
    cluster_options: p.ClusterClassOptions = None
    insecure: p.Insecure = _CLUSTER.insecure
    min_instances: p.MinInstances = _CLUSTER.min_instances
    max_instances: p.MaxInstances = _CLUSTER.max_instances
    idle_time_before_scale_down: p.IdleTime = _CLUSTER.idle_time_before_scale_down
    price_per_instance_hour: p.PricePerHour = _CLUSTER.price_per_instance_hour

    @property
    def cluster_spec(self) -> ClusterSpec:
        return ClusterSpec(
            instance_count=self.instance_count,
            max_concurrency_per_instance=self.max_concurrency_per_instance,
            cluster=self.cluster,
            cluster_options=self.cluster_options or {},
            insecure=self.insecure,
            min_instances=self.min_instances,
            max_instances=self.max_instances,
            idle_time_before_scale_down=self.idle_time_before_scale_down,
            price_per_instance_hour=self.price_per_instance_hour,
        )


@dataclass(frozen=True, kw_only=True)
class BackfillOptions(ClusterOptions, ForecastOptions, WeeksOption):
    """The options of a backfill: those of a weekly run, for many weeks."""


@dataclass(frozen=True, kw_only=True)
class WeeklyOptions(ClusterOptions, ForecastOptions, CutoffOption):
    """The options of a weekly run, in this order: where, which week, how, on what."""


@dataclass(frozen=True, kw_only=True)
class FoldOptions(LakeOptions):
    """What a backtest forecasts, and how."""

    protocol: p.Protocol = None
    first_cutoff: p.FoldCutoff = None
    last_cutoff: p.FoldCutoff = None
    every: p.Every = 1
    horizon: p.Horizon = _FORECAST.horizon
    gap: p.Gap = _FORECAST.gap
    models: p.Models = field(default_factory=lambda: [_FORECAST.model])
    point: p.PointOfForecast = "mape"
    out: p.Out = None
    mini_batch_size: p.MiniBatchSize = _BATCH.mini_batch_size
    timeout: p.Timeout = _BATCH.timeout

    @property
    def folds(self) -> "Folds":
        from forecasting.core.folds import choose_folds

        return choose_folds(self.protocol, self.first_cutoff, self.last_cutoff, self.every, self.horizon, self.gap)

    @property
    def batch_spec(self) -> BatchSpec:
        """A fold refuses nothing: a series that fails counts with its fallback."""
        return BatchSpec(self.mini_batch_size, timeout=self.timeout, error_threshold=-1)


@dataclass(frozen=True, kw_only=True)
class BacktestOptions(ClusterOptions, FoldOptions):
    """The options of a backtest."""


@dataclass(frozen=True, kw_only=True)
class TrainOptions(ClusterOptions, LakeOptions):
    """What is trained, up to which week, and by how many folds it is judged."""

    model: p.ModelName = None
    cutoff: p.TrainUntil = None
    folds: p.FoldCount = FOLDS
    horizon: p.Horizon = _FORECAST.horizon
    gap: p.Gap = _FORECAST.gap
    mini_batch_size: p.MiniBatchSize = _BATCH.mini_batch_size
    timeout: p.Timeout = _BATCH.timeout

    def spec(self, cutoff: date, model: str | None) -> ForecastSpec:
        """What is trained at a cutoff; `model` is the champion's family, where none was asked for."""
        family = self.model or model or _FORECAST.model
        return ForecastSpec(cutoff, self.horizon, self.gap, family, definition=self.home.reference.definition)

    @property
    def batch_spec(self) -> BatchSpec:
        return BatchSpec(self.mini_batch_size, timeout=self.timeout)


Options = TypeVar("Options")
Result = TypeVar("Result")


def takes(options: type[Options]) -> Callable[[Callable[[Options], Result]], Callable[..., Result]]:
    """Give a function of one object of options the flat signature of that object's fields.

    Typer and Prefect both read the signature: the one makes options of it, the other a form.
    """
    types = get_type_hints(options, include_extras=True)
    signature = inspect.Signature(
        [
            inspect.Parameter(
                each.name, inspect.Parameter.KEYWORD_ONLY, default=_default_of(each), annotation=types[each.name]
            )
            for each in fields(options)  # type: ignore[arg-type]
        ]
    )

    def decorate(function: Callable[[Options], Result]) -> Callable[..., Result]:
        @wraps(function)
        def call(**given: Any) -> Result:
            return function(options(**given))

        call.__signature__ = signature  # type: ignore[attr-defined]
        call.__annotations__ = types
        return call

    return decorate


def _default_of(option: "Option[Any]") -> Any:
    if option.default is not MISSING:
        return option.default
    return option.default_factory() if option.default_factory is not MISSING else inspect.Parameter.empty
