"""Files of one form, and the columns that their names add."""

from dataclasses import replace

from forecasting.core.sampled_file import DATE_OF_NAME, DATE_OF_PARTS, STORE_OF_NAME
from tests.forecasting.core.sampled import sampled


def test_names_of_files_give_columns() -> None:
    """A date and a store a row, by the file that it came from."""
    two = replace(
        sampled("product,units\na,1\nb,2\na,3"),
        names=("store1_2024-01-01.csv", "store2_2024-01-08.csv"),
        rows_of=(2, 1),
    )
    found = two.with_declared(date=True, store=True)
    by_name = {each.name: each for each in found.columns}
    assert list(by_name[DATE_OF_NAME].spread(by_name[DATE_OF_NAME].texts.to_numpy(dtype=object), "")) == [
        "2024-01-01",
        "2024-01-01",
        "2024-01-08",
    ]
    assert list(by_name[STORE_OF_NAME].codes) == [0, 0, 1]
    assert two.with_declared(date=False, store=False) is two


def test_a_date_of_several_columns() -> None:
    """Year, month and day are joined by blanks, as the reader joins them."""
    found = sampled("year,month,day,units\n2024,1,5,3\n2024,1,12,4").with_joined_date()
    assert found.date_parts == ("year", "month", "day")
    assert found.columns[-1].name == DATE_OF_PARTS
    assert list(found.columns[-1].texts) == ["2024 1 5", "2024 1 12"]
    lacking = sampled("year,week,units\n2024,1,5")
    assert lacking.with_joined_date() is lacking
