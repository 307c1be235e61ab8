"""The options of the flows and their commands: typed, frozen objects, each option declared once.

An option is a field whose type carries an `Option` (help, bounds); what a spec holds is declared by the spec itself.
`flows.parameters.takes` turns an options class into the flat parameters of a flow or a command.
"""

from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar
from zoneinfo import ZoneInfo

from flows.settings import lake_root
from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import (
    FOLDS,
    BatchSpec,
    BelowMinimumOption,
    ClusterSpec,
    ForecastSpec,
    Gap,
    GateSpec,
    Horizon,
    MinReporting,
    Option,
    PartitionSpec,
    PointOption,
    Retrain,
)
from forecasting.core.schedule import deadline_of
from forecasting.storage.database.target import NAME, SQLITE, require_target

if TYPE_CHECKING:
    from forecasting.core.folds import Folds
    from forecasting.storage.lake import Lake

# The groups of options, in the order in which the form and the help show them.
OPTIONS = "Options"  # beside --help
WHAT, MODEL, WAITING, PUBLICATION = "What to forecast", "Model", "Waiting for stores", "Publication"
PANELS = (OPTIONS, WHAT, MODEL, WAITING, PUBLICATION, PartitionSpec.panel, ClusterSpec.panel)
DEFAULT_MODEL = ForecastSpec.model

LakeRoot = Annotated[
    str | None, Option("Root of all data, a folder or a URL; default: OJ_LAKE, else ./lake.", metavar="PLACE")
]
_DATABASE = Option(
    "Database to load with what is published: its name in connections.toml, or sqlite:///path.",
    metavar="NAME",
    parse=require_target,
    pattern=f"^({NAME}|{SQLITE}.+)$",
)
Database = Annotated[str | None, _DATABASE]
RequiredDatabase = Annotated[str, _DATABASE]
ModelName = Annotated[
    str | None,
    Option(
        "Name of a model (docs/hard-series.md), or your own as module:function; default: the champion's, else "
        f"{DEFAULT_MODEL}.",
        metavar="NAME",
    ),
]


def open_lake(given: str | None) -> "Lake":
    """Return the lake at the given root, else at OJ_LAKE, else at ./lake; it need not exist yet."""
    from forecasting.storage.lake import Lake  # imports pandas, which `oj --help` does not need

    return Lake(lake_root(given))


def existing_lake(given: str | None) -> "Lake":
    """Return the lake at the given root, as `open_lake` does.

    Raises:
        OptionError: there is no such folder.
    """
    lake = open_lake(given)
    if not lake.exists():
        raise OptionError(f"lake={lake.root}", "does not exist", "name a lake with --lake, or make one: oj simulate")
    return lake


@dataclass(frozen=True, kw_only=True)
class LakeOptions:
    """Where the data are."""

    panel: ClassVar[str] = WHAT

    lake: LakeRoot = None


@dataclass(frozen=True, kw_only=True)
class TargetOptions(LakeOptions):
    """Which weeks after the cutoff are forecast."""

    horizon: Horizon = ForecastSpec.horizon
    gap: Gap = ForecastSpec.gap


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """By which model."""

    panel: ClassVar[str] = MODEL

    model: ModelName = None
    retrain: Annotated[
        Retrain,
        Option(
            "always: fit the model in every run; never: use the champion as it was trained; when_drifted: likewise, "
            "but evaluate a challenger after a drift alarm (docs/models.md)."
        ),
    ] = "always"


@dataclass(frozen=True, kw_only=True)
class WaitingOptions:
    """How long, and for how many stores, a week waits."""

    panel: ClassVar[str] = WAITING

    min_reporting: MinReporting = GateSpec.min_reporting
    below_minimum: BelowMinimumOption = GateSpec.below_minimum
    deadline_hours: Annotated[float, Option("Hours to wait for missing stores after a week closes.", 0, 168)] = 18.0
    deadline: Annotated[
        datetime | None, Option("Wait for missing stores until this moment instead, in the lake's time zone.")
    ] = None
    accept_gaps: Annotated[
        str | None, Option("Go on without the missing stores, for this reason; it is recorded.", metavar="REASON")
    ] = None

    def gate_spec(self, lake: "Lake", week: date) -> GateSpec:
        """Return when the week may be forecast; a deadline without a zone is in the lake's."""
        zone = lake.reference.time_zone
        deadline = self.deadline or deadline_of(week, self.deadline_hours, zone)
        return _fill(GateSpec, self, deadline=deadline if deadline.tzinfo else deadline.replace(tzinfo=ZoneInfo(zone)))


@dataclass(frozen=True, kw_only=True)
class PublicationOptions:
    """What happens to a published forecast."""

    panel: ClassVar[str] = PUBLICATION

    fallback_alarm: Annotated[
        float, Option("Share of series on fallback above which a notification is sent.", 0, 1)
    ] = 0.05
    database: Database = None


@dataclass(frozen=True, kw_only=True)
class ClusterOptions(ClusterSpec):
    """The cluster of a run."""

    @property
    def cluster_spec(self) -> ClusterSpec:
        return _fill(ClusterSpec, self)


@dataclass(frozen=True, kw_only=True)
class ForecastOptions(ClusterOptions, BatchSpec, PublicationOptions, WaitingOptions, ModelOptions, TargetOptions):
    """How a week is validated, forecast and published."""

    panel: ClassVar[str] = WHAT

    point: PointOption = ForecastSpec.point

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.database:
            require_target(self.database)

    def spec(self, lake: "Lake", cutoff: date) -> ForecastSpec:
        """Return what is forecast at a cutoff, by the default model until the champion is read."""
        model = self.model or DEFAULT_MODEL
        return _fill(ForecastSpec, self, cutoff=cutoff, model=model, definition=lake.reference.definition)

    @property
    def batch_spec(self) -> BatchSpec:
        return _fill(BatchSpec, self)


@dataclass(frozen=True, kw_only=True)
class CutoffOption(LakeOptions):
    """Which week."""

    cutoff: Annotated[
        date | None, Option("First day of the last observed week; default: every week that is not yet published.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class WeeksOption(LakeOptions):
    """Which weeks."""

    first: Annotated[date, Option("First week to forecast from.", title="From", flag="--from")]
    last: Annotated[
        date | None, Option("Last week to forecast from; default: the last that has come.", title="To", flag="--to")
    ] = None


@dataclass(frozen=True, kw_only=True)
class WeeklyOptions(ForecastOptions, CutoffOption):
    """The options of a weekly run."""


@dataclass(frozen=True, kw_only=True)
class BackfillOptions(ForecastOptions, WeeksOption):
    """The options of a backfill: those of a weekly run, for many weeks."""


@dataclass(frozen=True, kw_only=True)
class BacktestOptions(ClusterOptions, PartitionSpec, TargetOptions):
    """The options of a backtest: its folds, its models, and how they are computed."""

    panel: ClassVar[str] = WHAT

    protocol: Annotated[
        Literal["A", "B", "tune"] | None,
        Option("Folds of the public benchmark, on the shipped data: A or B; tune: those that models are tuned on."),
    ] = None
    first_cutoff: Annotated[date | None, Option("First cutoff of folds of your own.")] = None
    last_cutoff: Annotated[date | None, Option("Last cutoff of folds of your own.")] = None
    every: Annotated[int, Option("Number of weeks from one cutoff to the next.", 1, 52)] = 1
    models: Annotated[list[str], Option("A model to test; repeat the option for more.", metavar="NAME")] = field(
        default_factory=lambda: [DEFAULT_MODEL]
    )
    point: PointOption = "mape"
    out: Annotated[str | None, Option("Parquet file to write every forecast to.", metavar="FILE")] = None

    @property
    def folds(self) -> "Folds":
        from forecasting.core.folds import choose_folds

        return choose_folds(self.protocol, self.first_cutoff, self.last_cutoff, self.every, self.horizon, self.gap)

    @property
    def batch_spec(self) -> BatchSpec:
        """A fold is never refused: a series that fails counts with its fallback."""
        return _fill(BatchSpec, self, error_threshold=-1)


@dataclass(frozen=True, kw_only=True)
class TrainOptions(ClusterOptions, PartitionSpec, TargetOptions):
    """What is trained, up to which week, and by how many folds it is evaluated."""

    panel: ClassVar[str] = MODEL

    model: ModelName = None
    cutoff: Annotated[date | None, Option("Last week to learn from; default: the last in the lake.")] = None
    folds: Annotated[int, Option("Number of past weeks that champion and challenger both forecast.", 1, 104)] = FOLDS

    def spec(self, lake: "Lake", cutoff: date, champion: str | None) -> ForecastSpec:
        """Return what is trained at a cutoff: the named model, else the champion's, else the default."""
        model = self.model or champion or DEFAULT_MODEL
        return _fill(ForecastSpec, self, cutoff=cutoff, model=model, definition=lake.reference.definition)

    @property
    def batch_spec(self) -> BatchSpec:
        return _fill(BatchSpec, self)


Spec = TypeVar("Spec", ForecastSpec, GateSpec, BatchSpec, ClusterSpec)


def _fill(spec: type[Spec], options: object, **more: Any) -> Spec:
    """Return a spec of the options that bear its fields' names, and of `more`."""
    of_options = {each.name: getattr(options, each.name) for each in fields(spec) if hasattr(options, each.name)}
    return spec(**of_options | more)
