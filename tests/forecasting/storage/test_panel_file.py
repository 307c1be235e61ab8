"""The panel file: what is written is read again, with comments for people."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts.errors import DataError
from forecasting.contracts.layout import Layout
from forecasting.contracts.orange_juice import LAYOUTS
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.storage.panel_file import parse, render

HERE = Path("reference/panel.toml")
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(unit=words, column=words, left_out=words, mark=words)
def test_what_is_written_is_read_again(unit: str, column: str, left_out: str, mark: str) -> None:
    """Whatever text the values are."""
    definition = replace(ORANGE_JUICE, unit=unit, name=mark)
    layout = Layout("till", {"date": (column,)}, empty=(mark,), leave_out={column: (left_out,)})

    assert parse(render(definition, (*LAYOUTS, layout)), HERE) == (definition, (*LAYOUTS, layout))


def test_the_file_is_for_people() -> None:
    """It says what values mean, by which day a week opens, and what somebody should check."""
    text = render(ORANGE_JUICE, LAYOUTS, ["`03/04/2024` may be March or April", "two\nlines = 1"])

    assert text.startswith("# The panel definition")
    assert "# CHECK: `03/04/2024` may be March or April\n" in text
    assert 'week_starts_on = "Thursday" # the day that opens a week\n' in text
    assert parse(text, HERE) == (ORANGE_JUICE, LAYOUTS)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('name = "orange juice"', "name = ", "is not TOML"),
        ('"Thursday"', '"someday"', "week_starts_on='someday'"),
        ('role = "price"', 'role = "money"', "the role 'money'"),
        ('unsold = "written"', 'unsold = "maybe"', "unsold='maybe'"),
        ('grain = "day"', 'grain = "year"', "grain='year'"),
        ("whole_units", "hole_units", "hole_units"),
    ],
)
def test_a_wrong_edit_is_one_sentence(old: str, new: str, problem: str) -> None:
    """It names the value, or the name that nothing has."""
    text = render(ORANGE_JUICE, LAYOUTS)
    assert old in text
    with pytest.raises(DataError, match=problem):
        parse(text.replace(old, new, 1), HERE)
