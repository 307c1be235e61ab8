"""Files as a sample gives them, from their text: for tests of what `oj init` proposes."""

import csv
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from forecasting.core.dialect import Dialect
from forecasting.core.sampled_file import SampledFile
from forecasting.core.text_column import TextColumn


def column(name: str, values: Sequence[str], *, is_typed: bool = False) -> TextColumn:
    """A column of texts, one a row; empty ones are none."""
    codes, texts = pd.factorize(np.array(values, dtype=object))
    return replace(TextColumn.of(name, list(texts), codes), is_typed=is_typed)


def sampled(text: str, name: str = "sales.csv") -> SampledFile:
    """A file of a header and rows with commas."""
    header, *rows = csv.reader(text.strip().splitlines())
    columns = tuple(column(each, values) for each, values in zip(header, zip(*rows, strict=True), strict=True))
    return SampledFile((name,), (len(rows),), Dialect(tuple(header)), columns)


def panel(
    *,
    header: str = "store,product,date,units",
    days: int = 20,
    step: int = 7,
    start: str = "2024-01-01",
    stores: Sequence[str] = ("1", "2"),
    products: Sequence[str] = ("a", "b"),
    more: str = "",
    date_format: str = "%Y-%m-%d",
) -> str:
    """The text of a complete panel; `more` is appended to every row."""
    dates = pd.date_range(start, periods=days, freq=f"{step}D").strftime(date_format)
    rows = [
        f"{store},{product},{day},{10 + at % 7}{more}"
        for store in stores
        for product in products
        for at, day in enumerate(dates)
    ]
    return "\n".join([header, *rows])
