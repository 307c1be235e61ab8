"""Every series of a page, packed for its explorer and its order table: whole numbers, -1 where nothing is known."""

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.core.report import first_forecasts
from forecasting.presentation.html.content import Content
from forecasting.presentation.html.totals import milliseconds

MOST_WEEKS = 156
# What a page can carry itself; beyond that the series stand in files beside it, which it loads when it needs them.
MOST_SERIES_IN_PAGE = 2_000
SERIES_IN_A_PART = 500
TENTHS = 10
HUNDREDTHS = 100
_ENDS = [f"{side}_{level}" for level in schemas.LEVELS for side in ("lo", "hi")]


@dataclass(frozen=True)
class Detail:
    """The series of a page.

    index: plain values that the page always has: `weeks`, `cutoff` (place of the last observed week among them),
        and of each series its `store` and `product`.
    orders: packed; by series and forecast week: expected, interval, recent mean, price, promotion.
    parts: packed; the histories of the series, in the order of the index, `size` of them in each part.
    """

    index: dict[str, Any]
    orders: str
    parts: list[str]
    size: int

    @property
    def is_beside(self) -> bool:
        """Whether the parts stand in files of their own."""
        return len(self.parts) > 1

    def part_name(self, number: int) -> str:
        """Name of a part's file: by its content, so that a page never meets the parts of another."""
        return f"{number:03d}-{hashlib.sha256(self.parts[number].encode()).hexdigest()[:12]}.js"


def pack_detail(content: Content) -> Detail:
    """Pack all series that are forecast."""
    forecast = content.forecast
    series = forecast[schemas.SERIES].drop_duplicates().sort_values(schemas.SERIES)
    places = pd.MultiIndex.from_frame(series)
    last = forecast["week"].max()
    first = max(content.report["week"].min(), last - pd.Timedelta(weeks=MOST_WEEKS - 1))
    weeks = pd.date_range(first, last, freq="7D")
    cutoff = int(np.searchsorted(weeks, content.cutoff))
    steps = np.sort(((forecast["week"] - first).dt.days // 7).unique())

    def grid(rows: pd.DataFrame, value: str, scale: int = 1, until: int = len(weeks)) -> np.ndarray:
        rows = rows[rows["week"].between(first, last)]
        filled = np.full((len(series), len(weeks)), -1, dtype="int64")
        row = places.get_indexer(pd.MultiIndex.from_frame(rows[schemas.SERIES]))
        known = (row >= 0) & rows[value].notna().to_numpy()
        column = ((rows["week"] - first).dt.days // 7).to_numpy()[known]
        filled[row[known], column] = np.rint(rows[value].to_numpy(dtype="float64", na_value=-1)[known] * scale)
        return filled[:, :until]

    sold = grid(content.actual, "units", until=cutoff + 1)
    price = grid(content.report, "price", HUNDREDTHS)
    # 1: a deal, 2: an advert, 3: both.
    promoted = np.maximum(grid(content.report, "deal"), 0) + 2 * (grid(content.report, "feat", HUNDREDTHS) > 0)
    expected = np.stack([grid(forecast, name, TENTHS)[:, steps] for name in ["units", *_ENDS]], axis=2)
    matured = content.matured.sort_values("step", kind="stable").drop_duplicates(schemas.CELL)
    earlier = [grid(matured, name, TENTHS, cutoff + 1) for name in ["forecast", *_ENDS]]
    since = min((np.flatnonzero((earlier[0] >= 0).any(axis=0)).tolist() or [cutoff + 1])[0], cutoff + 1)
    was_expected = np.stack([each[:, since:] for each in earlier], axis=2)

    size = len(series) if len(series) <= MOST_SERIES_IN_PAGE else SERIES_IN_A_PART
    parts = []
    for begin in range(0, len(series), size):
        block = slice(begin, begin + size)
        parts.append(
            packed(
                {
                    "sold": sold[block].tolist(),
                    "price": price[block].tolist(),
                    "promoted": promoted[block].tolist(),
                    "expected": expected[block].tolist(),
                    "was": was_expected[block].tolist(),
                }
            )
        )
    recent = first_forecasts(content.report).set_index(schemas.SERIES)["recent"].reindex(places)
    fallback = forecast.dropna(subset="reason").set_index(schemas.SERIES).index.unique()
    orders = {
        "expected": grid(forecast, "units", HUNDREDTHS)[:, steps].tolist(),
        "lo": expected[:, :, 1].tolist(),
        "hi": expected[:, :, 2].tolist(),
        "recent": np.rint(recent.fillna(-0.1).to_numpy() * TENTHS).astype("int64").tolist(),
        "price": price[:, steps].tolist(),
        "promoted": promoted[:, steps].tolist(),
        "fallback": np.flatnonzero(places.isin(fallback)).tolist(),
    }
    index = {
        "weeks": [milliseconds(week) for week in weeks],
        "cutoff": cutoff,
        "steps": steps.tolist(),
        "since": since,
        "store": series["store"].astype("int64").tolist(),
        "product": series["product"].astype("int64").tolist(),
    }
    return Detail(index, packed(orders), parts, size)


def packed(values: dict[str, Any]) -> str:
    """Plain values as text without any letter that HTML or a script could take for its own: JSON, gzip, base64."""
    text = json.dumps(values, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode()
