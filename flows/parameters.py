"""The parameters of the flows, declared once, each with the words and bounds of the form in the Prefect UI and of
the command line; `flows.options` makes objects of them.
"""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

import typer
from pydantic import Field

from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import BelowMinimum, Point, Retrain
from forecasting.storage.database.target import NAME, SQLITE, require_target

# How the command line takes a week: by its first day.
A_WEEK: dict[str, Any] = {"parser": date.fromisoformat, "metavar": "YYYY-MM-DD"}


def _described(
    title: str,
    description: str,
    least: float | None = None,
    most: float | None = None,
    names: Sequence[str] = (),
    pattern: str | None = None,
    **of_typer: Any,
) -> tuple[Any, Any]:
    """The same description and bounds for the form and for the command line; `pattern` is the form's alone."""
    shape = {"pattern": pattern} if pattern else {}
    return (
        # Prefect overwrites a field's own title and description, but keeps what is extra.
        Field(ge=least, le=most, json_schema_extra={"title": title, "description": description, **shape}),
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


def _database(text: str) -> str:
    """A database from the command line: a secret is refused before anything could keep it."""
    try:
        return require_target(text)
    except OptionError as error:
        raise typer.BadParameter(f"{error.problem}; {error.remedy}.") from None


LakeRoot = Annotated[
    str | None, *_described("Lake", "Root folder of all data; empty: OJ_LAKE, else ./lake.", show_default=False)
]
Cutoff = Annotated[
    date | None,
    *_described(
        "Cutoff",
        "First day of the last observed week; empty: the oldest week not yet published.",
        **A_WEEK,
        show_default=False,
    ),
]
Horizon = Annotated[int, *_described("Horizon", "How many weeks to forecast.", 1, 26)]
Gap = Annotated[int, *_described("Gap", "Weeks skipped between the cutoff and the first forecast week.", 0, 26)]
ModelName = Annotated[
    str | None,
    *_described(
        "Model",
        "A model of docs/hard-series.md by its name, or your own as module:function; empty: the champion's, else "
        "price_response.",
        show_default=False,
    ),
]
RetrainOption = Annotated[
    Retrain,
    *_described(
        "Retrain",
        "always: fit the model in every run; never: forecast by the champion as it was trained; when_drifted: "
        "likewise, and let a new one challenge it after an alarm (docs/models.md).",
    ),
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
_DATABASE = _described(
    "Database",
    "Database that is loaded with what is published: its name in connections.toml, or sqlite:///path.",
    pattern=f"^({NAME}|{SQLITE}.+)$",
    parser=_database,
    metavar="NAME",
    show_default=False,
)
Database = Annotated[str | None, *_DATABASE]
RequiredDatabase = Annotated[str, *_DATABASE]
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
    *_described("From", "First week to forecast from.", **A_WEEK, names=["--from"]),
]
Last = Annotated[
    date | None,
    *_described(
        "To",
        "Last of them; empty: the last that has come.",
        **A_WEEK,
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
        **A_WEEK,
        show_default=False,
    ),
]
Every = Annotated[int, *_described("Every", "Weeks from one cutoff to the next.", 1, 52)]
Models = Annotated[list[str], *_described("Models", "A model to test; name the option again for another.")]
TrainUntil = Annotated[
    date | None,
    *_described(
        "Cutoff",
        "Last week to learn from; empty: the last that the lake has.",
        **A_WEEK,
        show_default=False,
    ),
]
FoldCount = Annotated[int, *_described("Folds", "Past weeks that champion and challenger both forecast.", 1, 104)]
Out = Annotated[str | None, *_described("Out", "Parquet file for every forecast.", show_default=False)]

NoticeTitle = Annotated[str, *_described("Title", "One line that says what happened.")]
NoticeBody = Annotated[str, *_described("Body", "A few lines of plain text.")]
