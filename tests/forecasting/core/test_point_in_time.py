"""What was known when: of several announcements of a cell, the newest counts."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import schemas
from forecasting.core.point_in_time import merge_newer, newest_announced, restated
from tests.forecasting.core.validation import LAST_YEAR, history


def test_newer_rows_replace_older_ones_of_the_same_cell() -> None:
    """Merging keeps every cell once, sorted; where both sides have it, the new side holds."""
    merged = merge_newer(history({2: 1, 5: 1}, LAST_YEAR[:1]), history({2: 9, 8: 9}, LAST_YEAR[:1]))

    assert merged[["store", "units"]].to_numpy().tolist() == [[2, 9], [5, 1], [8, 9]]


def test_restated_cells_are_those_with_other_units() -> None:
    """Cells that only one side has, and those that say the same, are none."""
    old, new = history({2: 1, 5: 1, 8: 4}, LAST_YEAR[:1]), history({2: 9, 5: 1, 9: 3}, LAST_YEAR[:1])

    found = restated(old, new)

    assert found[["store", "units_before", "units_after"]].to_numpy().tolist() == [[2, 1, 9]]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([2, 5]), st.integers(1, 99)), max_size=12))
def test_the_newest_announcement_of_each_cell_is_that_of_the_last_file(said: list[tuple[int, int, int]]) -> None:
    """As if each file were written over what those before it said."""
    rows = pd.DataFrame(sorted(said, key=lambda one: one[0]), columns=["announced", "store", "price"])
    rows = rows.assign(product=1, week=pd.Timestamp(LAST_YEAR[0]))

    found = newest_announced(rows)

    expected = dict(zip(rows["store"], rows["price"], strict=True))
    assert dict(zip(found["store"], found["price"], strict=True)) == expected
    assert found[schemas.CELL].equals(found[schemas.CELL].sort_values(schemas.CELL, ignore_index=True))
