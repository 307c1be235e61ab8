"""What a run is asked to do, as plain values: the forecast, and how its batch is computed.

A field that people may set carries an `Option`: the form of the Prefect UI and the command line are made of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal, get_args

from forecasting.contracts.calendar import DAY_NAMES, WEEK, week_of
from forecasting.contracts.errors import OptionError
from forecasting.contracts.panel_definition import ORANGE_JUICE, PanelDefinition

Point = Literal["median", "mean", "mape"]
BelowMinimum = Literal["refuse", "go_on"]
Retrain = Literal["always", "when_drifted", "never"]

FOLDS = 12  # past weeks that champion and challenger both forecast: a quarter of a year
LOCAL = "local"
SECRETS = ("password", "passphrase", "secret", "token")


@dataclass(frozen=True)
class Option:
    """What a person reads of one option, and what values it takes.

    help: one or two sentences, for the form and the command line.
    least, most: bounds of a number, for both.
    title: heading in the form; without one, the option's name in words.
    flag: name on the command line; without one, the option's name.
    metavar: stands for the value in the help of the command line; without one, the type's.
    parse: reads the value on the command line; raises ValueError or one of our errors.
    pattern: regular expression that the form checks.
    """

    help: str
    least: float | None = None
    most: float | None = None
    title: str | None = None
    flag: str | None = None
    metavar: str | None = None
    parse: Callable[[str], Any] | None = None
    pattern: str | None = None


Horizon = Annotated[int, Option("Number of weeks to forecast.", 1, 26)]
Gap = Annotated[int, Option("Number of weeks between the cutoff and the first forecast week.", 0, 26)]
PointOption = Annotated[
    Point, Option("Which point of the predictive distribution the column `forecast` holds; mape: the least MAPE.")
]
MinReporting = Annotated[
    float,
    Option("Least share of the expected stores that must have reported in full.", 0, 1, title="Minimum reporting"),
]
BelowMinimumOption = Annotated[
    BelowMinimum, Option("What to do with a week that is below the minimum after the deadline.")
]


@dataclass(frozen=True)
class ForecastSpec:
    """What to forecast.

    cutoff: first day of the last observed week; nothing sold after it is used.
    horizon: how many weeks are forecast.
    gap: weeks skipped between the cutoff and the first forecast week.
    model: a name from the registry of models.
    point: which point of the predictive distribution stands in the column `forecast`:
        its median, its mean, or the point with the least expected absolute percentage error.
    definition: what the sales are; the weekday that opens a week is part of it.
    """

    cutoff: date
    horizon: Horizon = 2
    gap: Gap = 0
    model: str = "price_response"
    point: PointOption = "median"
    definition: PanelDefinition = ORANGE_JUICE

    def __post_init__(self) -> None:
        for name, value, least in (("horizon", self.horizon, 1), ("gap", self.gap, 0)):
            if value < least:
                raise OptionError(f"{name}={value}", f"is less than {least}", f"give {least} or more weeks")
        opening = week_of(self.cutoff, self.definition.week_starts_on)
        if opening != self.cutoff:
            day = DAY_NAMES[self.definition.week_starts_on]
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
        """Return plain JSON values, for hashing and for metadata; `from_dict` is the inverse."""
        return {**asdict(self), "cutoff": self.cutoff.isoformat()}

    @staticmethod
    def from_dict(plain: Mapping[str, Any]) -> "ForecastSpec":
        """Return the spec that `as_dict` gave.

        Raises:
            ForecastingError, ValueError, KeyError, TypeError: the values are those of no spec.
        """
        definition = PanelDefinition.from_dict(plain["definition"])
        return ForecastSpec(**{**plain, "cutoff": date.fromisoformat(plain["cutoff"]), "definition": definition})


@dataclass(frozen=True)
class GateSpec:
    """When a week may be forecast.

    deadline: until when the run waits for missing stores.
    min_reporting: least share of the expected stores that must be whole after it.
    below_minimum: what happens to a week below that share whose gaps nobody has accepted.
    """

    deadline: datetime
    min_reporting: MinReporting = 0.9
    below_minimum: BelowMinimumOption = "refuse"


@dataclass(frozen=True)
class PartitionSpec:
    """How a batch is cut into partitions.

    mini_batch_size: most series in one partition (of models that pool a product's stores, whole products).
    max_retries: how often a partition is tried again after its worker was lost or its time was up.
    timeout: seconds that one partition may take.
    """

    panel: ClassVar[str] = "Partitions"

    mini_batch_size: Annotated[int, Option("Most series in one partition.", 1)] = 250
    max_retries: Annotated[
        int,
        Option(
            "How often a partition is tried again after it lost its worker or ran out of time.",
            0,
            10,
            title="retry_settings.max_retries",
        ),
    ] = 2
    timeout: Annotated[float, Option("Seconds that one partition may take.", 1, title="retry_settings.timeout")] = 120.0


@dataclass(frozen=True)
class BatchSpec(PartitionSpec):
    """How a batch is cut into partitions, and how many series may fail.

    error_threshold: most series that may fail before the week is refused; -1 allows any number.
    """

    error_threshold: Annotated[
        int, Option("Most series that may fail before the week is refused; -1: no limit.", -1)
    ] = 50


@dataclass(frozen=True)
class ClusterSpec:
    """The cluster that a run starts and ends, or the one that it may use.

    instance_count × max_concurrency_per_instance: the workers, each a process with one thread.
    cluster: `local`; the address of a scheduler that runs already (`tls://host:8786`); or the dotted path of a
        Dask cluster class (`distributed.SSHCluster`).
    cluster_options: what that class is constructed with.
    insecure: whether a cluster may talk unencrypted.
    min_instances, max_instances: bounds between which the cluster follows its work; without the upper one it
        keeps `instance_count`.
    idle_time_before_scale_down: seconds for which a worker must have had nothing to do before it is ended.
    price_per_instance_hour: what an instance costs, in a currency of one's own.
    """

    panel: ClassVar[str] = "Cluster"

    instance_count: Annotated[int, Option("Number of instances.", 1, 64)] = 1
    max_concurrency_per_instance: Annotated[
        int, Option("Number of workers, of one thread each, on each instance.", 1, 64)
    ] = 2
    cluster: Annotated[
        str,
        Option(
            "local; the address of a running scheduler, as tls://host:8786; or the path of a Dask cluster class, as "
            "distributed.SSHCluster (docs/clusters.md)."
        ),
    ] = LOCAL
    cluster_options: Annotated[
        Mapping[str, Any],
        Option("Arguments of the cluster class, as a JSON object. No passwords: options are stored readable."),
    ] = field(default_factory=dict)
    insecure: Annotated[
        bool,
        Option("Accept a cluster without encryption: whoever reaches it can run code on it.", flag="--insecure"),
    ] = False
    min_instances: Annotated[int, Option("Fewest instances, where max_instances is given.", 0, 64)] = 0
    max_instances: Annotated[
        int | None,
        Option("Most instances: with it, the cluster grows and shrinks with its work, without instance_count.", 1, 64),
    ] = None
    idle_time_before_scale_down: Annotated[
        float, Option("Seconds without work after which a growing cluster ends a worker.", 1)
    ] = 120.0
    price_per_instance_hour: Annotated[
        float, Option("Price of an instance for one hour, for the run record; any currency.", 0)
    ] = 0.0

    def __post_init__(self) -> None:
        option = f"cluster={self.cluster}"
        if self.kind == "existing":
            self._require_encrypted(option)
        elif self.kind == "class" and not all(map(str.isidentifier, self.class_path)):
            raise OptionError(
                option,
                "is neither local, nor the address of a scheduler, nor the path of a class",
                "give local, tls://host:8786, or for example distributed.SSHCluster",
            )
        if self.cluster_options and self.kind != "class":
            raise OptionError("cluster_options", f"are not taken by {option}", "leave them out, or name a class")
        if secret := _name_of_secret(self.cluster_options):
            raise OptionError(
                "cluster_options",
                f"hold a secret in {secret!r}, and options are kept readable",
                "let the cluster class find it by itself: a key file, an agent, or Dask's configuration",
            )
        if self.max_instances is not None and self.max_instances < max(self.min_instances, 1):
            raise OptionError(
                f"max_instances={self.max_instances}",
                f"is less than min_instances={self.min_instances}, or none at all",
                "raise it, or leave it out for a cluster of constant size",
            )
        if self.max_instances is not None and self.kind == "existing":
            raise OptionError(f"max_instances={self.max_instances}", f"is not for {option} to say", "leave it out")

    @property
    def kind(self) -> Literal["local", "existing", "class"]:
        if self.cluster == LOCAL:
            return "local"
        return "existing" if "://" in self.cluster else "class"

    @property
    def class_path(self) -> tuple[str, ...]:
        """The parts of a dotted path, the last of which is the class."""
        return tuple(self.cluster.replace(":", ".").split("."))

    @property
    def is_adaptive(self) -> bool:
        return self.max_instances is not None

    @property
    def n_workers(self) -> int:
        """The workers to begin with."""
        return (self.min_instances if self.is_adaptive else self.instance_count) * self.max_concurrency_per_instance

    @property
    def most_workers(self) -> int:
        return (self.max_instances or self.instance_count) * self.max_concurrency_per_instance

    def _require_encrypted(self, option: str) -> None:
        scheme = self.cluster.partition("://")[0]
        if scheme not in ("tls", "tcp"):
            raise OptionError(option, f"has the unknown protocol {scheme}", "give tls://host:port")
        if scheme == "tcp" and not self.insecure:
            raise OptionError(
                option,
                "is not encrypted, and whoever can connect to it can run code on every worker",
                "start the scheduler with TLS and give tls://, or accept that with --insecure",
            )


def _name_of_secret(options: object) -> str | None:
    """The name, at any depth, of a value that should not be in plain sight."""
    if isinstance(options, Mapping):
        for name, value in options.items():
            if str(name).lower().endswith(SECRETS) and value is not None:
                return str(name)
            if found := _name_of_secret(value):
                return found
    if isinstance(options, list | tuple):
        return next(filter(None, map(_name_of_secret, options)), None)
    return None
