"""Every series of a page, packed for its explorer and its order table: whole numbers, -1 where nothing is known.

Ids stand once, in the order of the page's lists; a series names its store and product by their places in them.

Of a panel of whole units a page shows whole units. Tenths are packed so that they round to the same whole number as the
forecast itself; otherwise 717.45 would be 717 in one table and, by way of 717.5, 718 in another. Of other panels
thousandths are packed.
"""

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.core.report import first_forecasts
from forecasting.presentation.html.figures import milliseconds
from forecasting.presentation.week import WeekView

MOST_WEEKS = 156
# What a page can carry itself; beyond that the series stand in files beside it, which it loads when it needs them.
MOST_SERIES_IN_PAGE = 2_000
SERIES_IN_A_PART = 500
TENTHS = 10
THOUSANDTHS = 1_000
HUNDREDTHS = 100
_ENDS = [f"{side}_{level}" for level in schemas.LEVELS for side in ("lo", "hi")]


@dataclass(frozen=True)
class Index:
    """What the page always has of its series.

    weeks: in milliseconds. cutoff, since: the places among them of the last observed week, and of the first week of
        which an earlier forecast is shown. steps: the places of the forecast weeks.
    store, product: of each series, their places in the lists of stores and products.
    unit: what a sold unit is packed as. scale: the same of a forecast unit.
    """

    weeks: list[int]
    cutoff: int
    since: int
    steps: list[int]
    store: list[int]
    product: list[int]
    unit: int
    scale: int


@dataclass(frozen=True)
class Detail:
    """The series of a page.

    orders: packed; by series and forecast week: expected, interval, recent mean, change, price, promotions.
    parts: packed; the histories of the series, in the order of the index, `size` of them in each part.
    """

    index: Index
    orders: str
    parts: list[str]
    size: int

    @property
    def is_beside(self) -> bool:
        """Whether the parts stand in files of their own."""
        return len(self.parts) > 1

    def part_name(self, number: int) -> str:
        """Return the name of a part's file: by its content, so that a page never meets the parts of another."""
        return f"{number:03d}-{hashlib.sha256(self.parts[number].encode()).hexdigest()[:12]}.js"


def pack_detail(week: WeekView) -> Detail:
    """Pack all series that are forecast."""
    forecast = week.forecast
    series = forecast[schemas.SERIES].drop_duplicates().sort_values(schemas.SERIES)
    places = pd.MultiIndex.from_frame(series)
    last = forecast["week"].max()
    first = max(week.report["week"].min(), last - pd.Timedelta(weeks=MOST_WEEKS - 1))
    weeks = pd.date_range(first, last, freq="7D")
    cutoff = int(np.searchsorted(weeks, week.cutoff))
    steps = np.sort(((forecast["week"] - first).dt.days // 7).unique())

    shape = len(series), len(weeks)

    def grid(rows: pd.DataFrame, column: str) -> np.ndarray:
        """Return a column by series and week; not a number where nothing is known."""
        rows = rows[rows["week"].between(first, last)]
        filled = np.full(shape, np.nan)
        row = places.get_indexer(pd.MultiIndex.from_frame(rows[schemas.SERIES]))
        at = ((rows["week"] - first).dt.days // 7).to_numpy()
        filled[row[row >= 0], at[row >= 0]] = rows[column].to_numpy(dtype="float64", na_value=np.nan)[row >= 0]
        return filled

    whole = week.panel.whole_units
    unit, pack = (1, _tenths) if whole else (THOUSANDTHS, partial(_whole, scale=THOUSANDTHS))
    known = grid(week.actual, "units")[:, : cutoff + 1]
    # Of what was sold nothing known is null, as returns may make a week negative.
    sold = _whole(known, unit).astype(object)
    sold[np.isnan(known)] = None
    price = np.full(shape, -1)  # that of the panel's first price
    for each in week.panel.of_role("price")[:1]:
        price = _whole(grid(week.report, each.name), HUNDREDTHS)
    promoted = np.zeros(shape, dtype="int64")  # a bit for each promotion of the panel
    for place, each in enumerate(week.panel.promotions):
        promoted |= (grid(week.report, each.name) > 0).astype("int64") << place
    ahead = grid(forecast, "units")[:, steps]
    expected = np.stack([pack(ahead), *(pack(grid(forecast, name)[:, steps]) for name in _ENDS)], axis=2)
    matured = week.matured.sort_values("step", kind="stable").drop_duplicates(schemas.CELL)
    earlier = [pack(grid(matured, name)[:, : cutoff + 1]) for name in ["forecast", *_ENDS]]
    since = min((np.flatnonzero((earlier[0] >= 0).any(axis=0)).tolist() or [cutoff + 1])[0], cutoff + 1)
    before = np.stack([each[:, since:] for each in earlier], axis=2)

    size = len(series) if len(series) <= MOST_SERIES_IN_PAGE else SERIES_IN_A_PART
    parts = [
        packed(
            {
                "sold": sold[begin : begin + size].tolist(),
                "price": price[begin : begin + size].tolist(),
                "promoted": promoted[begin : begin + size].tolist(),
                "expected": expected[begin : begin + size].tolist(),
                "before": before[begin : begin + size].tolist(),
            }
        )
        for begin in range(0, len(series), size)
    ]
    recent = first_forecasts(week.report).set_index(schemas.SERIES)["recent"].reindex(places).to_numpy()
    change, decimals = ahead - recent[:, None], None if whole else 3
    fallback = forecast.dropna(subset="reason").set_index(schemas.SERIES).index.unique()
    orders = {
        "expected": ahead.tolist(),
        "lo": expected[:, :, 1].tolist(),
        "hi": expected[:, :, 2].tolist(),
        "recent": pack(recent).tolist(),
        "change": [[None if np.isnan(each) else round(each, decimals) for each in row] for row in change.tolist()],
        "price": price[:, steps].tolist(),
        "promoted": promoted[:, steps].tolist(),
        "fallback": np.flatnonzero(places.isin(fallback)).tolist(),
    }
    index = Index(
        weeks=[milliseconds(each) for each in weeks],
        cutoff=cutoff,
        since=since,
        steps=steps.tolist(),
        store=pd.Index([*week.store_names]).get_indexer(series["store"]).tolist(),
        product=pd.Index([*week.product_names]).get_indexer(series["product"]).tolist(),
        unit=unit,
        scale=TENTHS if whole else THOUSANDTHS,
    )
    return Detail(index, packed(orders), parts, size)


def packed(values: object) -> str:
    """Return plain values as text without any letter that means something to HTML or a script: JSON, gzip, base64."""
    text = json.dumps(values, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode()


def _whole(values: np.ndarray, scale: int = 1) -> np.ndarray:
    return np.where(np.isnan(values), -1, np.rint(np.nan_to_num(values) * scale)).astype("int64")


def _tenths(values: np.ndarray) -> np.ndarray:
    """Return tenths of units that round to the same whole number as the values do: none of them is a half."""
    tenths, whole = _whole(values, TENTHS), _whole(values)
    return np.where(tenths % TENTHS == TENTHS // 2, tenths + np.sign(TENTHS * whole - tenths), tenths)
