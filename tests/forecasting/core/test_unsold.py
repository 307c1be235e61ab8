"""What a store left out counts as 0 units, for as long as the product may still sell."""

from dataclasses import replace
from datetime import date

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.panel_definition import ORANGE_JUICE, Key
from forecasting.contracts.schemas import CELL
from forecasting.core.completeness import WEEKS_FORECAST_AFTER_LAST_SALE
from forecasting.core.unsold import first_week_needed, unsold_of, unsold_rows

FIRST = date(2024, 1, 1)
Cell = tuple[str, str, int, float]  # store, product, number of the week, units


def sales_of(cells: list[Cell]) -> pd.DataFrame:
    frame = pd.DataFrame(cells, columns=[*CELL, "units"])
    weeks = pd.DatetimeIndex([pd.Timestamp(FIRST + WEEK * number) for number in frame["week"]])
    return frame.assign(week=weeks.as_unit("us"), units=frame["units"].astype("float64"))


def absent(cells: list[Cell], first: int = 0) -> list[tuple[str, str, int, float]]:
    rows = unsold_rows(sales_of(cells), FIRST + WEEK * first)
    numbers = (rows["week"] - pd.Timestamp(FIRST)).dt.days // 7
    return list(rows.assign(week=numbers).itertuples(index=False, name=None))


def test_a_product_that_a_reporting_store_leaves_out_sold_nothing() -> None:
    """In the weeks that the store reported, and in no other store."""
    cells = [("a", "x", 0, 5.0), ("a", "y", 0, 1.0), ("a", "y", 2, 1.0), ("b", "x", 0, 3.0)]
    assert absent(cells) == [("a", "x", 2, 0.0)]


def test_a_product_counts_as_left_out_for_thirteen_weeks_after_its_last_sale() -> None:
    """Rows of 0 units in between are no sale."""
    reported = [("a", "y", number, 1.0) for number in range(20)]
    ahead = [number for _, product, number, _ in absent([*reported, ("a", "x", 1, 5.0), ("a", "x", 4, 0.0)])]
    assert ahead == [2, 3, *range(5, 2 + WEEKS_FORECAST_AFTER_LAST_SALE)]


def test_a_product_that_never_sold_is_not_left_out() -> None:
    """Neither before its first sale, nor where all its rows are 0."""
    reported = [("a", "y", number, 1.0) for number in range(3)]
    assert absent([*reported, ("a", "x", 2, 5.0), ("a", "z", 0, 0.0)]) == []


def test_only_weeks_from_the_first_one_are_completed() -> None:
    """Weeks before it were completed when they were admitted."""
    reported = [("a", "y", number, 1.0) for number in range(4)]
    assert [row[2] for row in absent([*reported, ("a", "x", 0, 5.0)], first=3)] == [3]
    assert absent([]) == []


CELLS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 30), st.sampled_from([0.0, 1.0, 2.5])),
    unique_by=lambda cell: cell[:3],
)


@given(CELLS, st.integers(0, 30))
def test_rows_are_those_of_the_definition(cells: list[Cell], first: int) -> None:
    """Each cell is looked at by itself; and the weeks before `first_week_needed` change nothing."""
    has_row = {cell[:3] for cell in cells}
    reported = {(store, number) for store, _, number, _ in cells}
    series = {cell[:2] for cell in cells}
    sold = {cell[:3] for cell in cells if cell[3] > 0}
    expected = [
        (store, product, number, 0.0)
        for store, product in sorted(series)
        for number in range(first, 31)
        if (store, number) in reported
        and (store, product, number) not in has_row
        and any((store, product, number - back) in sold for back in range(1, WEEKS_FORECAST_AFTER_LAST_SALE + 1))
    ]
    assert absent(cells, first) == expected
    needed = (first_week_needed(FIRST + WEEK * first) - FIRST).days // 7
    assert absent([cell for cell in cells if cell[2] >= needed], first) == expected


def test_new_sales_come_with_what_is_left_out() -> None:
    """Judged by what the lake has; a quarantined cell is unknown, and products that are written are never left out."""
    shop = replace(
        ORANGE_JUICE, store=Key("s", "s"), product=Key("p", "p"), covariates=(), whole_units=False, unsold="left_out"
    )
    collected = schemas.sales(shop).cast(sales_of([("a", "x", 0, 5.0), ("a", "y", 0, 1.0), ("a", "z", 0, 1.0)]))
    new = schemas.sales(shop).cast(sales_of([("a", "y", 1, 1.0)]))
    held_back = new[CELL].assign(product="z")
    assert unsold_of(new, collected, held_back, shop)["product"].tolist() == ["x"]
    assert unsold_of(new, collected, held_back, replace(shop, unsold="written")).empty
    assert unsold_of(new.iloc[:0], collected, held_back, shop).empty
