"""A part of a panel: the files of one form."""

import re
from dataclasses import replace

import pytest

from forecasting.contracts.errors import DataError
from forecasting.core.panel_part import PanelPart, part_of, roles_of
from forecasting.core.sampled_file import SampledFile
from tests.forecasting.core.sampled import panel, sampled


def part(file: SampledFile) -> PanelPart:
    return part_of(roles_of(file, is_plan_possible=False))


def test_a_part_has_rows_and_a_grain() -> None:
    """Its keys, its days, its units."""
    found = part(sampled(panel(step=1)))
    assert found.grain == "day"
    assert len(set(found.rows.keys)) == 4
    assert found.last_sold == found.rows.days.max()


def test_names_of_files_may_declare_date_and_store() -> None:
    """Where columns do not."""
    file = replace(
        sampled("product,units\na,1\nb,2\na,3\nb,4"),
        names=("store1_2024-01-01.csv", "store2_2024-01-08.csv"),
        rows_of=(2, 2),
    )
    found = part(file)
    assert [each.name for each in found.keys.store] == ["store of the file"]
    assert found.grain == "week"


def test_the_only_date_of_a_file_is_what_its_name_says() -> None:
    """A week, or a day."""
    assert part(sampled("store,week,units\n1,2024-01-01,3\n2,2024-01-01,4")).grain == "week"
    assert part(sampled("store,date,units\n1,2024-01-01,3\n2,2024-01-01,4")).grain == "day"


def test_year_month_and_day_make_a_date() -> None:
    """As the reader joins them."""
    found = part(sampled("store,year,month,day,units\n" + "\n".join(f"1,2024,1,{day},5" for day in range(1, 20))))
    assert found.roles.date is not None
    assert found.roles.date.dates is not None
    assert found.roles.date.dates.format == "%Y %m %d"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("store,units\nx,3\ny,4", "has no column of dates among `store`, `units`"),
        ("store,week,units\nx,3,5\nx,4,6", "has no dates: `week` holds numbers of weeks"),
    ],
)
def test_a_file_without_dates_is_refused(text: str, sentence: str) -> None:
    """One sentence names what is missing."""
    with pytest.raises(DataError, match=re.escape(sentence)):
        part(sampled(text))
