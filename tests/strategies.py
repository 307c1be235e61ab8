"""Hypothesis strategies: small markets with the gaps of the real one, and inbox rows of every kind."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

from forecasting.contracts import orange_juice
from forecasting.contracts.calendar import WEEK, days_of
from forecasting.contracts.panel_definition import ORANGE_JUICE, Covariate
from forecasting.contracts.table import Table
from forecasting.core.inspection import raw_columns

FIRST_WEEK = date(1991, 1, 3)
WEEKS_AHEAD = 6
# Places of the orange juice's layouts.
WEEKLY, DAILY = range(len(orange_juice.LAYOUTS))
KNOWN_STORES = pd.DataFrame({"store": [2, 5, 8, 9]})
KNOWN_PRODUCTS = pd.DataFrame({"product": [1, 2, 3]})


@dataclass(frozen=True)
class Market:
    """Sales (the weeks after the cutoff among them, for laws about leaks) and promotions."""

    sales: pd.DataFrame
    promotions: pd.DataFrame
    cutoff: date


@st.composite
def markets(draw: st.DrawFn, *, min_weeks: int = 1, max_weeks: int = 10, dense: bool = False) -> Market:
    """A few stores × products × weeks. Whole stores are missing in some weeks, and single cells in others.

    dense: gaps are few, so that every series keeps nearly all of its `min_weeks` observations.
    """
    stores = draw(st.lists(st.sampled_from([2, 5, 8, 9, 137]), min_size=1, max_size=4, unique=True))
    products = draw(st.lists(st.sampled_from([1, 2, 3, 11]), min_size=1, max_size=3, unique=True))
    n_weeks = draw(st.integers(min_weeks, max_weeks))
    weeks = [FIRST_WEEK + WEEK * offset for offset in range(n_weeks + WEEKS_AHEAD)]
    # What matters is where the gaps are; the values come from a seed, as they need no shrinking.
    values = np.random.default_rng(draw(st.integers(0, 2**16)))
    # Plain arrays, as a frame's operations would take longer than many of the laws.
    store, product, of_week = (axis.ravel() for axis in np.meshgrid(stores, products, range(len(weeks)), indexing="ij"))
    cells = {
        "store": store,
        "product": product,
        "week": np.array(weeks, dtype="datetime64[D]")[of_week],
        "units": values.lognormal(3, 1, len(store)).round().astype("int64"),
        "price": values.choice([1.99, 2.49, 3.0], len(store)),
        "deal": values.integers(0, 2, len(store)),
        "feat": values.choice([0.0, 0.5, 1.0], len(store)),
    }
    cells |= {each.name: np.full(len(store), calm(each)) for each in ORANGE_JUICE.covariates if each.name not in cells}
    store_weeks = st.tuples(st.sampled_from(stores), st.integers(0, len(weeks) - 1))
    away, unplanned = (draw(st.sets(store_weeks, max_size=2 if dense else 8)) for _ in range(2))
    gaps = draw(st.sets(st.integers(0, len(store) - 1), max_size=2 if dense else 10))
    present = list(zip(store.tolist(), of_week.tolist(), strict=True))
    reported = np.array([cell not in away and number not in gaps for number, cell in enumerate(present)])
    # At least one series is there at the cutoff.
    reported[n_weeks - 1] = True
    planned = np.array([cell not in unplanned for cell in present])
    return Market(
        sales=_rows(orange_juice.SALES, cells, reported),
        promotions=_rows(orange_juice.PROMOTIONS, cells, planned),
        cutoff=weeks[n_weeks - 1],
    )


def _rows(table: Table, cells: dict[str, np.ndarray], kept: np.ndarray) -> pd.DataFrame:
    arrays = [pa.array(cells[field.name][kept], field.type) for field in table.schema]
    return table.from_arrow(pa.Table.from_arrays(arrays, schema=table.schema))


def calm(covariate: Covariate) -> float:
    """A possible value of a covariate that a test does not care for, the same in all weeks."""
    return 1.0 if covariate.neutral is None else covariate.neutral


def whole_offers(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with those covariates of the orange juice too that it does not state."""
    return frame.assign(**{each.name: calm(each) for each in ORANGE_JUICE.covariates if each.name not in frame})


def shuffled(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The same rows in another order."""
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)


def raw_row(**values: Any) -> dict[str, Any]:
    """One faultless inbox row; `values` replace its own."""
    row = {
        "file": "1991-01-03_store-002.csv",
        "file_week": FIRST_WEEK,
        "line": 2,
        "file_store": "",
        "layout": WEEKLY,
        "store": "2",
        "product": "1",
        "week_or_date": FIRST_WEEK.isoformat(),
        "units": "12",
        "price": "2.49",
        "deal": "0",
        "feat": "0.0",
        "revenue": "",
        "passed_over": "",
        "rule": "",
        "detail": "",
    }
    return {each.name: f"{calm(each):g}" for each in ORANGE_JUICE.covariates} | row | values


def raw_rows(*rows: dict[str, Any]) -> pd.DataFrame:
    """Inbox rows as `forecasting.storage.inbox` gives them, with lines counted from 2."""
    frame = pd.DataFrame(list(rows), columns=raw_columns(ORANGE_JUICE))
    return frame.assign(line=np.arange(len(rows)) + 2)


_garbage = st.one_of(
    st.sampled_from(["", " ", "007", "1.234,5", "NA", "nan", "inf", "-inf", "-3", "1e5", "1e99", "0", "-0", "0x1"]),
    st.text(max_size=6),
    st.integers(-5, 10**11).map(str),
    st.floats().map(str),
)
_dates = st.one_of(
    st.sampled_from([day.isoformat() for week in range(-1, 3) for day in days_of(FIRST_WEEK + WEEK * week)]),
    st.sampled_from(["1991-02-30", "03.01.1991", "1991-1-3", "0001-01-01", "9999-12-31", "1991-01-03 00:00"]),
)


def _mostly(good: list[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.sampled_from(good), st.sampled_from(good), st.sampled_from(good), _garbage)


inbox_rows = st.lists(
    st.fixed_dictionaries(
        {
            "store": _mostly(["2", "5"]),
            "product": _mostly(["1", "2"]),
            "week_or_date": st.one_of(st.just(FIRST_WEEK.isoformat()), _dates, _garbage),
            "units": _mostly(["12", "13", ""]),
            "price": _mostly(["2.49", "3"]),
            "deal": _mostly(["0", "1"]),
            "feat": _mostly(["0", "0.5"]),
            "layout": st.sampled_from([WEEKLY, DAILY]),
            "file_week": st.sampled_from([FIRST_WEEK, FIRST_WEEK + WEEK]),
            "rule": st.sampled_from(["", "", "", "", "cut_row"]),
        }
    ).map(lambda values: raw_row(**values)),
    max_size=12,
).map(lambda rows: raw_rows(*rows))
