"""Every table, declared once: columns, types, units and grain."""

import pyarrow as pa

from forecasting.contracts.table import Table, column

SERIES = ["store", "product"]
CELL = ["store", "product", "week"]
LEVELS = (80, 95)

_STORE = column("store", pa.int32(), "store number")
_PRODUCT = column("product", pa.int32(), "product number, see the table products")
_WEEK = column("week", pa.date32(), "first day of the week")
_PRICE = column("price", pa.float64(), "dollars a carton")
_DEAL = column("deal", pa.int8(), "1 where the store had a coupon or in-store deal, else 0")
_FEAT = column("feat", pa.float64(), "share of the product's variants in the weekly advert, 0 to 1")

SALES = Table(
    "sales",
    "One row per (store, product, week) that the store reported; never a row after the cutoff.",
    ("store", "product", "week"),
    pa.schema([_STORE, _PRODUCT, _WEEK, column("units", pa.int64(), "cartons sold in the week")]),
)

PROMOTIONS = Table(
    "promotions",
    "One row per (store, product, week) whose price and promotion are known; reaches into the future.",
    ("store", "product", "week"),
    pa.schema([_STORE, _PRODUCT, _WEEK, _PRICE, _DEAL, _FEAT]),
)

ANNOUNCED_PROMOTIONS = Table(
    "announced_promotions",
    "One row per (announced, store, product, week): a price and promotion as the files of the week `announced` said.",
    ("announced", "store", "product", "week"),
    pa.schema([column("announced", pa.date32(), "first day of the week whose files said it"), *PROMOTIONS.schema]),
)

CORRECTIONS = Table(
    "corrections",
    "One row per (store, product, week, collected): units that were collected before, and were sent again with others.",
    ("store", "product", "week", "collected"),
    pa.schema(
        [
            _STORE,
            _PRODUCT,
            _WEEK,
            column("units_before", pa.int64(), "cartons sold in the week, as they were known until then"),
            column("units_after", pa.int64(), "cartons sold in the week, as they were sent again"),
            column("collected", pa.timestamp("us", tz="UTC"), "moment at which a run took the correction in"),
        ]
    ),
)

PRODUCTS = Table(
    "products",
    "One row per product.",
    ("product",),
    pa.schema(
        [_PRODUCT, column("name", pa.string(), "name"), column("ounces", pa.int32(), "ounces a carton", nullable=True)]
    ),
)

STORES = Table(
    "stores",
    "One row per store: what the census and the trade know of its surroundings.",
    ("store",),
    pa.schema(
        [
            _STORE,
            column("name", pa.string(), "name, where the stores have one", nullable=True),
            column("age60", pa.float64(), "share of the population aged 60 or more", nullable=True),
            column("educ", pa.float64(), "share of the population with a college degree", nullable=True),
            column("ethnic", pa.float64(), "share of the population that is black or Hispanic", nullable=True),
            column("income", pa.float64(), "log of the median income in dollars", nullable=True),
            column("hhlarge", pa.float64(), "share of households with five or more persons", nullable=True),
            column("workwom", pa.float64(), "share of women with full-time jobs", nullable=True),
            column("hval150", pa.float64(), "share of households worth over 150,000 dollars", nullable=True),
            column("sstrdist", pa.float64(), "distance to the nearest warehouse store, miles", nullable=True),
            column("sstrvol", pa.float64(), "sales ratio of this store to the nearest warehouse store", nullable=True),
            column("cpdist5", pa.float64(), "average distance to the nearest five supermarkets, miles", nullable=True),
            column(
                "cpwvol5", pa.float64(), "sales ratio of this store to the average of the nearest five", nullable=True
            ),
        ]
    ),
)

_INTERVALS = [
    column(f"{side}_{level}", pa.float64(), f"cartons: {which} end of the central {level} % interval", nullable=True)
    for level in LEVELS
    for side, which in (("lo", "lower"), ("hi", "upper"))
]

FORECAST = Table(
    "forecast",
    "One row per (store, product, step) of one cutoff: every active series, every step, exactly once.",
    ("cutoff", "store", "product", "step"),
    pa.schema(
        [
            column("cutoff", pa.date32(), "first day of the last week that was observed"),
            _STORE,
            _PRODUCT,
            _WEEK,
            column("step", pa.int16(), "weeks after the cutoff"),
            column("forecast", pa.float64(), "cartons: the point named in the file's metadata, `point`"),
            *(field.with_nullable(False) for field in _INTERVALS),
            column("model", pa.string(), "the model that made this row"),
            column("reason", pa.string(), "why a fallback made it; empty where the model did", nullable=True),
            column("promotion_known", pa.bool_(), "whether price, deal and feat of that week were known"),
        ]
    ),
)

_POINTS = [
    column("median", pa.float64(), "cartons: half of the draws lie below; least absolute error"),
    column("mean", pa.float64(), "cartons: least squared error; the only point that adds up over series"),
    column("mape", pa.float64(), "cartons: least absolute percentage error; lies below the median"),
]

ALL_POINTS = Table(
    "all_points",
    "One row per (store, product, step) of one cutoff, as in forecast, with every point of the distribution.",
    FORECAST.key,
    pa.schema([*FORECAST.schema, *_POINTS]),
)

BACKTEST = Table(
    "backtest",
    "One row per (model, cutoff, store, product, step) of which the actual is known.",
    ("model", "cutoff", "store", "product", "step"),
    pa.schema(
        [
            column("model", pa.string(), "the model that was asked"),
            *(field for field in ALL_POINTS.schema if field.name not in ("model", "promotion_known")),
            column("actual", pa.int64(), "cartons sold in the week"),
            column("promoted", pa.bool_(), "whether there was a deal or an advert in that week"),
        ]
    ),
)

REPORT = Table(
    "report",
    "One row per (store, product, week): what was sold up to the cutoff, what is forecast after it.",
    ("store", "product", "week"),
    pa.schema(
        [
            column("kind", pa.string(), "actual or forecast"),
            _STORE,
            _PRODUCT,
            column("product_name", pa.string(), "name of the product"),
            _WEEK,
            column("units", pa.float64(), "cartons: sold where kind = actual, expected where kind = forecast"),
            *_INTERVALS,
            column("price", pa.float64(), "dollars a carton; empty where unknown", nullable=True),
            column("deal", pa.int8(), "1 where there was or will be a deal; empty where unknown", nullable=True),
            column("feat", pa.float64(), "share advertised; empty where unknown", nullable=True),
            column("cutoff", pa.date32(), "the forecast's cutoff; empty where kind = actual", nullable=True),
            column("model", pa.string(), "the forecast's model; empty where kind = actual", nullable=True),
            column("reason", pa.string(), "why a fallback made the forecast; else empty", nullable=True),
        ]
    ),
)

SCORES = Table(
    "scores",
    "One row per (cutoff, run_id, step, dimension, member): how a published forecast's rows of that step came out.",
    ("cutoff", "run_id", "step", "dimension", "member"),
    pa.schema(
        [
            column("cutoff", pa.date32(), "cutoff of the forecast that is scored"),
            column("run_id", pa.string(), "the published run that made it"),
            _WEEK,
            column("step", pa.int16(), "weeks after the cutoff"),
            column("dimension", pa.string(), "total, product, store or model"),
            column("member", pa.string(), "the product's or store's number or the model's name; empty for total"),
            column("series", pa.int32(), "forecasts whose actual is known"),
            column("actual", pa.float64(), "cartons sold, their sum"),
            column("forecast", pa.float64(), "cartons forecast, their sum"),
            column("absolute_error", pa.float64(), "cartons, sum of |actual - forecast|"),
            column("naive_absolute_error", pa.float64(), "cartons, the same of the last observed week as forecast"),
            column("pinball", pa.float64(), "cartons, sum over the series of the mean pinball loss"),
            column("naive_pinball", pa.float64(), "cartons, the same of the naive forecast"),
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

ORDER_SHEET = Table(
    "order_sheet",
    "One row per (store, product, week) that is forecast, beside what was sold last: what a planner orders by.",
    ("store", "product", "week"),
    pa.schema(
        [
            _STORE,
            column("store_name", pa.string(), "name of the store, where the stores have one", nullable=True),
            _PRODUCT,
            column("product_name", pa.string(), "name of the product"),
            _WEEK,
            column("forecast", pa.float64(), "cartons expected"),
            *(field.with_nullable(False) for field in _INTERVALS),
            column("price", pa.float64(), "planned, dollars a carton; empty where unknown", nullable=True),
            column("deal", pa.int8(), "1 where a deal is planned; empty where unknown", nullable=True),
            column("feat", pa.float64(), "share that is to be advertised; empty where unknown", nullable=True),
            column("last_sold", pa.int64(), "cartons sold in the cutoff's week; empty where unknown", nullable=True),
            column("change", pa.float64(), "cartons: forecast - last_sold", nullable=True),
            column("model", pa.string(), "the model that made the forecast"),
            column("reason", pa.string(), "why a fallback made it; else empty", nullable=True),
        ]
    ),
)

# What is promised of a forecast is told in the words of its scores.
_BASELINE_COLUMNS = ("step", "dimension", "member", "series", "actual", "forecast", "absolute_error", "pinball")

BASELINE = Table(
    "baseline",
    "One row per (week, step, dimension, member) of a backtest's folds: how the forecasts came out then.",
    ("week", "step", "dimension", "member"),
    pa.schema(
        [
            column("cutoff", pa.date32(), "cutoff of the fold"),
            _WEEK,
            *(SCORES.schema.field(name) for name in _BASELINE_COLUMNS),
            *(SCORES.schema.field(f"coverage_{level}") for level in LEVELS),
        ]
    ),
)

PARAMETERS = Table(
    "parameters",
    "One row per (product, name, store, position): one number that a model has learnt.",
    ("product", "name", "store", "position"),
    pa.schema(
        [
            _PRODUCT,
            column("name", pa.string(), "name of the parameter, as in the model's source"),
            column("store", pa.int32(), "store whose own it is; empty where all stores share it", nullable=True),
            column("position", pa.int32(), "position in the parameter, counted from 0; rows of an array one by one"),
            column("value", pa.float64(), "the number, in the unit that the model's source tells"),
        ]
    ),
)

# What an inbox file may hold, as text: nothing is typed before it is validated.
INBOX_COLUMNS = ["store", "product", "week", "units", "price", "deal", "feat"]
DAILY_INBOX_COLUMNS = ["store", "product", "date", "units", "price", "deal", "feat"]

QUARANTINE = Table(
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
                for name in [*INBOX_COLUMNS[:2], "week_or_date", *INBOX_COLUMNS[3:]]
            ),
        ]
    ),
)
