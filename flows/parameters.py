"""The parameters of the flows, declared once: the form in the Prefect UI and the command line share them.

A flow and its command take one object of options; `takes` gives both the flat signature of its fields.
"""

import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, fields
from dataclasses import Field as Option
from datetime import date, datetime
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_type_hints
from zoneinfo import ZoneInfo

import typer
from pydantic import Field

from flows.settings import lake_root
from forecasting.spec import BatchSpec, BelowMinimum, ClusterSpec, ForecastSpec, GateSpec, Point
from forecasting.timetable import deadline_of
from forecasting.weeks import DOMINICKS_WEEK_1

if TYPE_CHECKING:
    from forecasting.adapters.lake import Lake
    from forecasting.folds import Folds


def _described(
    title: str,
    description: str,
    least: float | None = None,
    most: float | None = None,
    names: Sequence[str] = (),
    **of_typer: Any,
) -> tuple[Any, Any]:
    """The same description and bounds for the form and for the command line."""
    return (
        # Prefect overwrites a field's own title and description, but keeps what is extra.
        Field(ge=least, le=most, json_schema_extra={"title": title, "description": description}),
        typer.Option(*names, help=description, min=least, max=most, **of_typer),
    )


def _json_object(text: str) -> dict[str, Any]:
    """A JSON object from the command line."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"this is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise typer.BadParameter('give a JSON object, as {"hosts": ["10.0.0.1", "10.0.0.2"]}')
    return given


LakeRoot = Annotated[
    str | None, *_described("Lake", "Root folder of all data; empty: OJ_LAKE, else ./lake.", show_default=False)
]
Cutoff = Annotated[
    date | None,
    *_described(
        "Cutoff",
        "First day of the last observed week; empty: the oldest week not yet published.",
        parser=date.fromisoformat,
        metavar="YYYY-MM-DD",
        show_default=False,
    ),
]
Horizon = Annotated[int, *_described("Horizon", "How many weeks to forecast.", 1, 26)]
Gap = Annotated[int, *_described("Gap", "Weeks skipped between the cutoff and the first forecast week.", 0, 26)]
ModelName = Annotated[
    str, *_described("Model", "A model of docs/hard-series.md by its name, or your own as module:function.")
]
PointOfForecast = Annotated[
    Point,
    *_described("Point", "Which point of the distribution the column `forecast` holds."),
]
MinReporting = Annotated[
    float, *_described("Minimum reporting", "Least share of the expected stores that must be whole.", 0, 1)
]
BelowMinimumOption = Annotated[
    BelowMinimum, *_described("Below the minimum", "What becomes of a week below it after the deadline.")
]
DeadlineHours = Annotated[
    float, *_described("Deadline hours", "Hours after a week closes for which missing stores are waited for.", 0, 168)
]
Deadline = Annotated[
    datetime | None,
    *_described(
        "Deadline",
        "Wait for missing stores until this moment instead, by the lake's clocks.",
        parser=datetime.fromisoformat,
        metavar="YYYY-MM-DDTHH:MM",
        show_default=False,
    ),
]
AcceptGaps = Annotated[
    str | None,
    *_described("Accept gaps", "Go on without the missing stores, for this reason, which is recorded."),
]
FallbackAlarm = Annotated[
    float, *_described("Fallback alarm", "Share of series on fallback above which people are notified.", 0, 1)
]
MiniBatchSize = Annotated[int, *_described("mini_batch_size", "Most series in one partition.", 1)]
MaxRetries = Annotated[
    int,
    *_described("retry_settings.max_retries", "Tries after a partition lost its worker or its deadline passed.", 0, 10),
]
Timeout = Annotated[float, *_described("retry_settings.timeout", "Seconds that one partition may take.", 1)]
ErrorThreshold = Annotated[
    int, *_described("error_threshold", "Most series that may fail before the week is refused; -1: any.", -1)
]
InstanceCount = Annotated[int, *_described("instance_count", "Instances of the cluster.", 1, 64)]
MaxConcurrency = Annotated[
    int, *_described("max_concurrency_per_instance", "Workers of one thread on each instance.", 1, 64)
]
First = Annotated[
    date,
    *_described(
        "From", "First week to forecast from.", parser=date.fromisoformat, metavar="YYYY-MM-DD", names=["--from"]
    ),
]
Last = Annotated[
    date | None,
    *_described(
        "To",
        "Last of them; empty: the last that has come.",
        parser=date.fromisoformat,
        metavar="YYYY-MM-DD",
        names=["--to"],
        show_default=False,
    ),
]
ClusterName = Annotated[
    str,
    *_described(
        "Cluster",
        "local; the address of a scheduler that runs already, as tls://host:8786; or the path of a Dask cluster "
        "class, as distributed.SSHCluster (docs/clusters.md).",
    ),
]
ClusterClassOptions = Annotated[
    dict[str, Any] | None,
    *_described(
        "cluster_options",
        "What the cluster class is constructed with, a JSON object; no passwords, they would be kept readable.",
        parser=_json_object,
        metavar="JSON",
        show_default=False,
    ),
]
Insecure = Annotated[
    bool,
    *_described(
        "Insecure",
        "Accept a cluster that is not encrypted: whoever reaches it can run code on it.",
    ),
]
MinInstances = Annotated[int, *_described("min_instances", "Fewest instances, where max_instances is given.", 0, 64)]
MaxInstances = Annotated[
    int | None,
    *_described(
        "max_instances",
        "Most instances; if given, the cluster grows and shrinks with its work, and instance_count is ignored.",
        1,
        64,
        show_default=False,
    ),
]
IdleTime = Annotated[
    float,
    *_described(
        "idle_time_before_scale_down", "Seconds without work after which a worker of a growing cluster is ended.", 1
    ),
]
PricePerHour = Annotated[
    float, *_described("price_per_instance_hour", "What an instance costs an hour, for the receipt; any currency.", 0)
]

Protocol = Annotated[
    Literal["A", "B", "tune"] | None,
    *_described("Protocol", "Folds of the public benchmark, on the shipped data: A or B; tune: those of the choices."),
]
FoldCutoff = Annotated[
    date | None,
    *_described(
        "First or last cutoff",
        "First or last cutoff of folds of your own.",
        parser=date.fromisoformat,
        metavar="YYYY-MM-DD",
        show_default=False,
    ),
]
Every = Annotated[int, *_described("Every", "Weeks from one cutoff to the next.", 1, 52)]
Models = Annotated[list[str], *_described("Models", "A model to test; name the option again for another.")]
Out = Annotated[str | None, *_described("Out", "Parquet file for every forecast.", show_default=False)]

NoticeTitle = Annotated[str, *_described("Title", "One line that says what happened.")]
NoticeBody = Annotated[str, *_described("Body", "A few lines of plain text.")]

_FORECAST = ForecastSpec(DOMINICKS_WEEK_1)
_BATCH = BatchSpec()
_CLUSTER = ClusterSpec()


@dataclass(frozen=True, kw_only=True)
class LakeOptions:
    """Where the data are."""

    lake: LakeRoot = None

    @property
    def home(self) -> "Lake":
        from forecasting.adapters.lake import Lake  # pandas with it, which `oj --help` need not wait for

        return Lake(lake_root(self.lake))


@dataclass(frozen=True, kw_only=True)
class CutoffOption(LakeOptions):
    """Which week."""

    cutoff: Cutoff = None


@dataclass(frozen=True, kw_only=True)
class WeeksOption(LakeOptions):
    """Which weeks."""

    first: First
    last: Last = None


@dataclass(frozen=True, kw_only=True)
class ForecastOptions(LakeOptions):
    """How a week is gated and forecast."""

    horizon: Horizon = _FORECAST.horizon
    gap: Gap = _FORECAST.gap
    model: ModelName = _FORECAST.model
    point: PointOfForecast = _FORECAST.point
    min_reporting: MinReporting = 0.9
    below_minimum: BelowMinimumOption = "refuse"
    deadline_hours: DeadlineHours = 18.0
    deadline: Deadline = None
    accept_gaps: AcceptGaps = None
    mini_batch_size: MiniBatchSize = _BATCH.mini_batch_size
    max_retries: MaxRetries = _BATCH.max_retries
    timeout: Timeout = _BATCH.timeout
    error_threshold: ErrorThreshold = _BATCH.error_threshold
    fallback_alarm: FallbackAlarm = 0.05

    def spec(self, cutoff: date) -> ForecastSpec:
        return ForecastSpec(cutoff, self.horizon, self.gap, self.model, self.point, self.home.week_starts_on)

    def gate_spec(self, week: date) -> GateSpec:
        zone = self.home.time_zone
        deadline = self.deadline or deadline_of(week, self.deadline_hours, zone)
        aware = deadline if deadline.tzinfo else deadline.replace(tzinfo=ZoneInfo(zone))
        return GateSpec(aware, self.min_reporting, self.below_minimum)

    @property
    def batch_spec(self) -> BatchSpec:
        return BatchSpec(self.mini_batch_size, self.max_retries, self.timeout, self.error_threshold)


@dataclass(frozen=True, kw_only=True)
class ClusterOptions:
    """The cluster of a run."""

    instance_count: InstanceCount = _CLUSTER.instance_count
    max_concurrency_per_instance: MaxConcurrency = _CLUSTER.max_concurrency_per_instance
    cluster: ClusterName = _CLUSTER.cluster
    cluster_options: ClusterClassOptions = None
    insecure: Insecure = _CLUSTER.insecure
    min_instances: MinInstances = _CLUSTER.min_instances
    max_instances: MaxInstances = _CLUSTER.max_instances
    idle_time_before_scale_down: IdleTime = _CLUSTER.idle_time_before_scale_down
    price_per_instance_hour: PricePerHour = _CLUSTER.price_per_instance_hour

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

    protocol: Protocol = None
    first_cutoff: FoldCutoff = None
    last_cutoff: FoldCutoff = None
    every: Every = 1
    horizon: Horizon = _FORECAST.horizon
    gap: Gap = _FORECAST.gap
    models: Models = field(default_factory=lambda: [_FORECAST.model])
    point: PointOfForecast = "mape"
    out: Out = None
    mini_batch_size: MiniBatchSize = _BATCH.mini_batch_size
    timeout: Timeout = _BATCH.timeout

    @property
    def folds(self) -> "Folds":
        from forecasting.folds import choose_folds

        return choose_folds(self.protocol, self.first_cutoff, self.last_cutoff, self.every, self.horizon, self.gap)

    @property
    def batch_spec(self) -> BatchSpec:
        """A fold refuses nothing: a series that fails counts with its fallback."""
        return BatchSpec(self.mini_batch_size, timeout=self.timeout, error_threshold=-1)


@dataclass(frozen=True, kw_only=True)
class BacktestOptions(ClusterOptions, FoldOptions):
    """The options of a backtest."""


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
