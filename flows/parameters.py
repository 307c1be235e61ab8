"""The parameters of the flows, declared once: the form in the Prefect UI and the command line share them."""

from datetime import date
from typing import Annotated, Any, Literal

import typer
from pydantic import Field

from forecasting.spec import BatchSpec, ClusterSpec, ForecastSpec
from forecasting.weeks import DOMINICKS_WEEK_1


def _described(
    title: str, description: str, least: float | None = None, most: float | None = None, **of_typer: Any
) -> tuple[Any, Any]:
    """The same description and bounds for the form and for the command line."""
    return (
        # Prefect overwrites a field's own title and description, but keeps what is extra.
        Field(ge=least, le=most, json_schema_extra={"title": title, "description": description}),
        typer.Option(help=description, min=least, max=most, **of_typer),
    )


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
Point = Annotated[
    Literal["median", "mean", "mape"],
    *_described("Point", "Which point of the distribution the column `forecast` holds."),
]
MinReporting = Annotated[
    float, *_described("Minimum reporting", "Least share of the expected stores that must be whole.", 0, 1)
]
AcceptGaps = Annotated[
    str | None, *_described("Accept gaps", "Go on below the minimum, for this reason, which is recorded.")
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

# The defaults, so that the flow and the command line cannot differ.
FORECAST = ForecastSpec(DOMINICKS_WEEK_1)
BATCH = BatchSpec()
CLUSTER = ClusterSpec()
MIN_REPORTING = 0.9
DEFAULT_MODELS = [FORECAST.model]
