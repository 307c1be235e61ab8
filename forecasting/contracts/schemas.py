"""Every table, declared once: columns, types, units and grain.

A table that holds ids, units sold, covariates or attributes is a function of the panel definition, which says whether
ids are text or numbers, and whether units are whole.
"""

from functools import cache

import pyarrow as pa

from forecasting.contracts import columns
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.contracts.table import Table, column

SERIES = ["store", "product"]
CELL = ["store", "product", "week"]
LEVELS = columns.LEVELS

SCORES = Table(
    "scores",
    "One row per (cutoff, run_id, step, dimension, member): sums and metrics of a published forecast.",
    ("cutoff", "run_id", "step", "dimension", "member"),
    pa.schema(
        [
            column("cutoff", pa.date32(), "cutoff of the forecast that is scored"),
            column("run_id", pa.string(), "the published run that made it"),
            columns.WEEK,
            column("step", pa.int16(), "weeks after the cutoff"),
            column("dimension", pa.string(), "total, product, store or model"),
            column("member", pa.string(), "id of the product or store, as text, or the model's name; empty for total"),
            column("series", pa.int32(), "forecasts whose actual is known"),
            column("actual", pa.float64(), "units sold, their sum"),
            column("forecast", pa.float64(), "units forecast, their sum"),
            column("absolute_error", pa.float64(), "units, sum of |actual - forecast|"),
            column("naive_absolute_error", pa.float64(), "units, the same of the last observed week as forecast"),
            column("pinball", pa.float64(), "units, sum over the series of the mean pinball loss"),
            column("naive_pinball", pa.float64(), "units, the same of the naive forecast"),
            *(
                column(f"within_{level}", pa.int32(), f"forecasts whose actual lies in the {level} % interval")
                for level in LEVELS
            ),
            column("wape", pa.float64(), "share: absolute_error / actual; empty where nothing was sold", nullable=True),
            column("naive_wape", pa.float64(), "share: naive_absolute_error / actual", nullable=True),
            column("bias", pa.float64(), "share: forecast / actual - 1", nullable=True),
            *(column(f"coverage_{level}", pa.float64(), f"share: within_{level} / series") for level in LEVELS),
        ]
    ),
)

# Columns of the table `scores` that a baseline has too.
_BASELINE_COLUMNS = ("step", "dimension", "member", "series", "actual", "forecast", "absolute_error", "pinball")

BASELINE = Table(
    "baseline",
    "One row per (week, step, dimension, member) of a backtest's folds: their sums and metrics.",
    ("week", "step", "dimension", "member"),
    pa.schema(
        [
            column("cutoff", pa.date32(), "cutoff of the fold"),
            columns.WEEK,
            *(SCORES.schema.field(name) for name in _BASELINE_COLUMNS),
            *(SCORES.schema.field(f"coverage_{level}") for level in LEVELS),
        ]
    ),
)


@cache
def sales(definition: PanelDefinition) -> Table:
    """Return the table of what was sold."""
    return Table(
        "sales",
        "One row per (store, product, week) that the store reported; never a row after the cutoff.",
        ("store", "product", "week"),
        pa.schema([*columns.cell(definition), columns.units(definition, "units", "units sold in the week")]),
    )


@cache
def corrections(definition: PanelDefinition) -> Table:
    """Return the table of sales that were sent again with other units."""
    return Table(
        "corrections",
        "One row per (store, product, week, collected): units that were collected before, and were sent again with "
        "others.",
        ("store", "product", "week", "collected"),
        pa.schema(
            [
                *columns.cell(definition),
                columns.units(definition, "units_before", "units sold in the week, as collected before"),
                columns.units(definition, "units_after", "units sold in the week, as sent again"),
                column("collected", pa.timestamp("us", tz="UTC"), "moment at which a run collected the correction"),
            ]
        ),
    )


@cache
def forecast(definition: PanelDefinition) -> Table:
    """Return the table that a run publishes."""
    return Table(
        "forecast",
        "One row per (store, product, step) of one cutoff: every active series, every step, exactly once.",
        ("cutoff", "store", "product", "step"),
        pa.schema(
            [
                column("cutoff", pa.date32(), "first day of the last week that was observed"),
                *columns.cell(definition),
                column("step", pa.int16(), "weeks after the cutoff"),
                column("forecast", pa.float64(), "units: the point named in the file's metadata, `point`"),
                *(field.with_nullable(False) for field in columns.INTERVALS),
                column("model", pa.string(), "the model that made this row"),
                column("reason", pa.string(), "why a fallback made it; empty where the model did", nullable=True),
                column("promotion_known", pa.bool_(), "whether all covariates of that week were announced"),
            ]
        ),
    )


@cache
def all_points(definition: PanelDefinition) -> Table:
    """Return the table `forecast` with every point of the predictive distribution."""
    table = forecast(definition)
    return Table(
        "all_points",
        "One row per (store, product, step) of one cutoff, as in forecast, with every point of the distribution.",
        table.key,
        pa.schema([*table.schema, *columns.POINTS]),
    )


@cache
def backtest(definition: PanelDefinition) -> Table:
    """Return the table of forecasts of past weeks beside what was sold."""
    points = [field for field in all_points(definition).schema if field.name not in ("model", "promotion_known")]
    return Table(
        "backtest",
        "One row per (model, cutoff, store, product, step) of which the actual is known.",
        ("model", "cutoff", "store", "product", "step"),
        pa.schema(
            [
                column("model", pa.string(), "the model that was asked"),
                *points,
                columns.units(definition, "actual", "units sold in the week"),
                column("promoted", pa.bool_(), "whether any promotion (a flag or share above 0) was on in that week"),
            ]
        ),
    )


@cache
def parameters(definition: PanelDefinition) -> Table:
    """Return the table of a fitted model's parameters."""
    id_type = columns.store(definition).type
    store = column("store", id_type, "store whose own it is; empty where all stores share it", nullable=True)
    return Table(
        "parameters",
        "One row per (product, name, store, position): one parameter of a fitted model.",
        ("product", "name", "store", "position"),
        pa.schema(
            [
                columns.product(definition),
                column("name", pa.string(), "name of the parameter, as in the model's source"),
                store,
                column("position", pa.int32(), "position in it, counted from 0; rows of an array one by one"),
                column("value", pa.float64(), "the value, in the unit that the model's source names"),
                column(
                    "rival", columns.product(definition).type, "product that it is about; else empty", nullable=True
                ),
            ]
        ),
    )


@cache
def promotions(definition: PanelDefinition) -> Table:
    """Return the table of announced covariates; a file from before a covariate was declared has its neutral value."""
    offers = [columns.covariate(each, nullable=each.empty == "unknown") for each in definition.covariates]
    return Table(
        "promotions",
        "One row per (store, product, week) whose covariates are announced; reaches into the future.",
        ("store", "product", "week"),
        pa.schema([*columns.cell(definition), *offers]),
        absent=tuple((each.name, each.neutral) for each in definition.covariates if each.neutral is not None),
    )


@cache
def announced_promotions(definition: PanelDefinition) -> Table:
    """Return the table of announcements: `promotions` with the week whose files made them."""
    announced = column("announced", pa.date32(), "first day of the week whose files announced it")
    return Table(
        "announced_promotions",
        "One row per (announced, store, product, week): what the files of the week `announced` said of a cell.",
        ("announced", "store", "product", "week"),
        pa.schema([announced, *promotions(definition).schema]),
    )


@cache
def stores(definition: PanelDefinition) -> Table:
    """Return the table of stores, with the attributes of the definition."""
    name = column("name", pa.string(), "name, where the stores have one", nullable=True)
    key, attributes = columns.store(definition), definition.store_attributes
    schema = pa.schema([key, name, *map(columns.attribute, attributes)])
    return Table("stores", "One row per store.", ("store",), schema, tuple((each.name, None) for each in attributes))


@cache
def products(definition: PanelDefinition) -> Table:
    """Return the table of products, with the attributes of the definition."""
    key, attributes = columns.product(definition), definition.product_attributes
    schema = pa.schema([key, column("name", pa.string(), "name"), *map(columns.attribute, attributes)])
    absent = tuple((each.name, None) for each in attributes)
    return Table("products", "One row per product.", ("product",), schema, absent)


@cache
def report(definition: PanelDefinition) -> Table:
    """Return the table in which history and forecast stand side by side."""
    return Table(
        "report",
        "One row per (store, product, week): what was sold up to the cutoff, what is forecast after it.",
        ("store", "product", "week"),
        pa.schema(
            [
                column("kind", pa.string(), "actual or forecast"),
                columns.store(definition),
                columns.product(definition),
                column("product_name", pa.string(), "name of the product"),
                columns.WEEK,
                column("units", pa.float64(), "units: sold where kind = actual, expected where kind = forecast"),
                *columns.INTERVALS,
                *(columns.covariate(each, nullable=True) for each in definition.covariates),
                column("cutoff", pa.date32(), "the forecast's cutoff; empty where kind = actual", nullable=True),
                column("model", pa.string(), "the forecast's model; empty where kind = actual", nullable=True),
                column("reason", pa.string(), "why a fallback made the forecast; else empty", nullable=True),
            ]
        ),
    )


@cache
def order_sheet(definition: PanelDefinition) -> Table:
    """Return the table that planners order by."""
    return Table(
        "order_sheet",
        "One row per (store, product, week) that is forecast, beside what was sold last: what a planner orders by.",
        ("store", "product", "week"),
        pa.schema(
            [
                columns.store(definition),
                column("store_name", pa.string(), "name of the store, where the stores have one", nullable=True),
                columns.product(definition),
                column("product_name", pa.string(), "name of the product"),
                *columns.category(definition),
                columns.WEEK,
                column("forecast", pa.float64(), "units expected"),
                *(field.with_nullable(False) for field in columns.INTERVALS),
                *(columns.covariate(each, nullable=True) for each in definition.covariates),
                columns.units(
                    definition, "last_sold", "units sold in the cutoff's week; empty where unknown", nullable=True
                ),
                column("change", pa.float64(), "units: forecast - last_sold", nullable=True),
                column("model", pa.string(), "the model that made the forecast"),
                column("reason", pa.string(), "why a fallback made it; else empty", nullable=True),
            ]
        ),
    )


def inbox_columns(definition: PanelDefinition, day: str = "week") -> list[str]:
    """Return the columns of an inbox file, as text; `day` is `week`, or `date` in a daily file."""
    return ["store", "product", day, "units", *definition.names]


@cache
def quarantine(definition: PanelDefinition) -> Table:
    """Return the table of inbox rows that were not accepted."""
    return Table(
        "quarantine",
        "One row per inbox row that was not accepted, with the rule it broke and its values as they were received.",
        ("file", "line"),
        pa.schema(
            [
                column("file", pa.string(), "name of the inbox file"),
                column("line", pa.int32(), "line in that file; 1 is the header"),
                column("rule", pa.string(), "name of the rule that the row broke"),
                column("detail", pa.string(), "the value that broke it and what to do"),
                *(
                    column(name, pa.string(), "text as received", nullable=True)
                    for name in inbox_columns(definition, "week_or_date")
                ),
            ]
        ),
    )
