"""Columns of texts: each different text once, without blanks around it."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from forecasting.core.text_column import TextColumn
from tests.forecasting.core.sampled import column


@given(st.lists(st.sampled_from(["a", " a", "b ", "", "  ", "12"]), min_size=1))
def test_a_column_gives_its_rows_back_trimmed(values: list[str]) -> None:
    """Whatever stood around them; an empty text is no value."""
    found = column("x", values)
    assert list(found.spread(found.texts.to_numpy(dtype=object), "")) == [value.strip() for value in values]
    assert found.empty == sum(not value.strip() for value in values)
    assert found.untrimmed == sum(value != value.strip() and bool(value.strip()) for value in values)
    assert found.rows.sum() + found.empty == len(values)


def test_columns_of_several_files_are_joined() -> None:
    """Equal texts of two files are one text."""
    joined = TextColumn.joined([column("x", ["a", "b", ""]), column("x", ["b", "c "])])
    assert list(joined.texts) == ["a", "b", "c"]
    assert list(joined.codes) == [0, 1, -1, 1, 2]
    assert joined.untrimmed == 1


def test_merged_cells_are_filled_down() -> None:
    """An empty row has the value of the row above; the first rows may have none."""
    assert list(column("x", ["", "a", "", "b", ""]).filled_down().codes) == [-1, 0, 0, 1, 1]


def test_shares_count_rows_with_a_value() -> None:
    """A text that two of three rows have is two thirds of the column."""
    found = column("x", ["a", "a", "b", ""])
    assert found.share(np.array([True, False])) == 2 / 3
    assert TextColumn("x", pd.Series([], dtype="str"), np.array([-1])).share(np.array([], dtype=bool)) == 0
