"""Every table, declared once: columns, types, units and grain.

A `Table` casts pandas frames to its declaration when they enter and leave the system, so that
all code in between may rely on names and types. Weeks are dates on disk and `datetime64[us]` in memory.
"""

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from forecasting.errors import SchemaError

SERIES = ["store", "brand"]
CELL = ["store", "brand", "week"]
LEVELS = (80, 95)


@dataclass(frozen=True)
class Table:
    """One declared table.

    `key` names the columns whose values identify a row: the grain.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    schema: pa.Schema

    @property
    def columns(self) -> list[str]:
        return list(self.schema.names)

    @property
    def nullable(self) -> pa.Schema:
        """The declared columns and types, with empty values allowed everywhere."""
        return pa.schema([field.with_nullable(True) for field in self.schema])

    def to_arrow(self, frame: pd.DataFrame) -> pa.Table:
        """Cast `frame` to the declaration, in the declared column order.

        Raises:
            SchemaError: a column is missing, a value does not fit its type or is null where it may not be.
        """
        self._require_columns(frame.columns)
        try:
            # Empty values are looked for afterwards, so that the error can count them.
            table = pa.Table.from_pandas(frame[self.columns], schema=self.nullable, preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise SchemaError(
                self.name, f"has a value that does not fit its column ({error})", "correct the producer"
            ) from error
        self._require_values(table)
        return table.cast(self.schema)

    def from_arrow(self, table: pa.Table) -> pd.DataFrame:
        """The pandas frame of a table read from disk, cast to the declaration.

        Raises:
            SchemaError: the table lacks a declared column or has another type there.
        """
        cast = self.declared(table)
        frame = cast.to_pandas(date_as_object=False)
        dates = [field.name for field in self.schema if pa.types.is_date(field.type)]
        return frame.astype(dict.fromkeys(dates, "datetime64[us]"))

    def declared(self, table: pa.Table) -> pa.Table:
        """The declared columns of an Arrow table, with their declared types.

        Raises:
            SchemaError: the table lacks a declared column, has another type there, or an empty value.
        """
        self._require_columns(table.column_names)
        try:
            cast = table.select(self.columns).cast(self.nullable)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ValueError) as error:
            raise SchemaError(
                self.name, f"has a column of another type than declared ({error})", "write the file anew"
            ) from error
        self._require_values(cast)
        return cast

    def cast(self, frame: pd.DataFrame) -> pd.DataFrame:
        """`frame` with exactly the declared columns and types."""
        return self.from_arrow(self.to_arrow(frame))

    def empty(self) -> pd.DataFrame:
        """A frame of this table without rows."""
        return self.from_arrow(self.schema.empty_table())

    def _require_columns(self, present: "pd.Index | list[str]") -> None:
        missing = [name for name in self.columns if name not in present]
        if missing:
            raise SchemaError(
                self.name,
                f"lacks the declared columns {', '.join(missing)} (it has {', '.join(map(str, present))})",
                "add them or correct their names",
            )

    def _require_values(self, table: pa.Table) -> None:
        for field in self.schema:
            if not field.nullable and table.column(field.name).null_count:
                raise SchemaError(
                    self.name,
                    f"has {table.column(field.name).null_count} empty values in column {field.name!r}",
                    "fill or remove those rows",
                )


def _column(name: str, kind: pa.DataType, unit: str, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"unit": unit})


_STORE = _column("store", pa.int32(), "store number")
_BRAND = _column("brand", pa.int32(), "brand number, see the table brands")
_WEEK = _column("week", pa.date32(), "first day of the week")
_PRICE = _column("price", pa.float64(), "dollars a carton")
_DEAL = _column("deal", pa.int8(), "1 where the store had a coupon or in-store deal, else 0")
_FEAT = _column("feat", pa.float64(), "share of the brand's variants in the weekly advert, 0 to 1")

SALES = Table(
    "sales",
    "One row per (store, brand, week) that the store reported; never a row after the cutoff.",
    ("store", "brand", "week"),
    pa.schema([_STORE, _BRAND, _WEEK, _column("units", pa.int64(), "cartons sold in the week")]),
)

PROMOTIONS = Table(
    "promotions",
    "One row per (store, brand, week) whose price and promotion are known; reaches into the future.",
    ("store", "brand", "week"),
    pa.schema([_STORE, _BRAND, _WEEK, _PRICE, _DEAL, _FEAT]),
)

BRANDS = Table(
    "brands",
    "One row per brand.",
    ("brand",),
    pa.schema(
        [_BRAND, _column("name", pa.string(), "name"), _column("ounces", pa.int32(), "ounces a carton", nullable=True)]
    ),
)

STORES = Table(
    "stores",
    "One row per store: what the census and the trade know of its surroundings.",
    ("store",),
    pa.schema(
        [
            _STORE,
            _column("name", pa.string(), "name, where the stores have one", nullable=True),
            _column("age60", pa.float64(), "share of the population aged 60 or more", nullable=True),
            _column("educ", pa.float64(), "share of the population with a college degree", nullable=True),
            _column("ethnic", pa.float64(), "share of the population that is black or Hispanic", nullable=True),
            _column("income", pa.float64(), "log of the median income in dollars", nullable=True),
            _column("hhlarge", pa.float64(), "share of households with five or more persons", nullable=True),
            _column("workwom", pa.float64(), "share of women with full-time jobs", nullable=True),
            _column("hval150", pa.float64(), "share of households worth over 150,000 dollars", nullable=True),
            _column("sstrdist", pa.float64(), "distance to the nearest warehouse store, miles", nullable=True),
            _column("sstrvol", pa.float64(), "sales ratio of this store to the nearest warehouse store", nullable=True),
            _column("cpdist5", pa.float64(), "average distance to the nearest five supermarkets, miles", nullable=True),
            _column(
                "cpwvol5", pa.float64(), "sales ratio of this store to the average of the nearest five", nullable=True
            ),
        ]
    ),
)

_INTERVALS = [
    _column(f"{side}_{level}", pa.float64(), f"cartons: {which} end of the central {level} % interval", nullable=True)
    for level in LEVELS
    for side, which in (("lo", "lower"), ("hi", "upper"))
]

FORECAST = Table(
    "forecast",
    "One row per (store, brand, step) of one cutoff: every active series, every step, exactly once.",
    ("cutoff", "store", "brand", "step"),
    pa.schema(
        [
            _column("cutoff", pa.date32(), "first day of the last week that was observed"),
            _STORE,
            _BRAND,
            _WEEK,
            _column("step", pa.int16(), "weeks after the cutoff"),
            _column("forecast", pa.float64(), "cartons: the point named in the file's metadata, `point`"),
            *(field.with_nullable(False) for field in _INTERVALS),
            _column("model", pa.string(), "the model that made this row"),
            _column("reason", pa.string(), "why a fallback made it; empty where the model did", nullable=True),
            _column("promotion_known", pa.bool_(), "whether price, deal and feat of that week were known"),
        ]
    ),
)

_POINTS = [
    _column("median", pa.float64(), "cartons: half of the draws lie below; least absolute error"),
    _column("mean", pa.float64(), "cartons: least squared error; the only point that adds up over series"),
    _column("mape", pa.float64(), "cartons: least absolute percentage error; lies below the median"),
]

ALL_POINTS = Table(
    "all_points",
    "One row per (store, brand, step) of one cutoff, as in the table forecast, with every point beside the chosen one.",
    FORECAST.key,
    pa.schema([*FORECAST.schema, *_POINTS]),
)

BACKTEST = Table(
    "backtest",
    "One row per (model, cutoff, store, brand, step) of which the actual is known.",
    ("model", "cutoff", "store", "brand", "step"),
    pa.schema(
        [
            _column("model", pa.string(), "the model that was asked"),
            *(field for field in ALL_POINTS.schema if field.name not in ("model", "promotion_known")),
            _column("actual", pa.int64(), "cartons sold in the week"),
            _column("promoted", pa.bool_(), "whether there was a deal or an advert in that week"),
        ]
    ),
)

REPORT = Table(
    "report",
    "One row per (store, brand, week): what was sold up to the cutoff, what is forecast after it.",
    ("store", "brand", "week"),
    pa.schema(
        [
            _column("kind", pa.string(), "actual or forecast"),
            _STORE,
            _BRAND,
            _column("brand_name", pa.string(), "name of the brand"),
            _WEEK,
            _column("units", pa.float64(), "cartons: sold where kind = actual, expected where kind = forecast"),
            *_INTERVALS,
            _column("price", pa.float64(), "dollars a carton; empty where unknown", nullable=True),
            _column("deal", pa.int8(), "1 where there was or will be a deal; empty where unknown", nullable=True),
            _column("feat", pa.float64(), "share advertised; empty where unknown", nullable=True),
            _column("cutoff", pa.date32(), "the forecast's cutoff; empty where kind = actual", nullable=True),
            _column("model", pa.string(), "the forecast's model; empty where kind = actual", nullable=True),
            _column("reason", pa.string(), "why a fallback made the forecast; else empty", nullable=True),
        ]
    ),
)

# What an inbox file may hold, as text: nothing is typed before it is validated.
INBOX_COLUMNS = ["store", "brand", "week", "units", "price", "deal", "feat"]
DAILY_INBOX_COLUMNS = ["store", "brand", "date", "units", "price", "deal", "feat"]

QUARANTINE = Table(
    "quarantine",
    "One row per inbox row that was not accepted, with the rule it broke and its values as they were received.",
    ("file", "line"),
    pa.schema(
        [
            _column("file", pa.string(), "name of the inbox file"),
            _column("line", pa.int32(), "line in that file; 1 is the header"),
            _column("rule", pa.string(), "name of the rule that the row broke"),
            _column("detail", pa.string(), "the value that broke it and what to do"),
            *(
                _column(name, pa.string(), "text as received", nullable=True)
                for name in [*INBOX_COLUMNS[:2], "week_or_date", *INBOX_COLUMNS[3:]]
            ),
        ]
    ),
)
