"""Decimal marks and marks of thousands."""

import numpy as np
import pytest

from forecasting.core.number_format import NumberFormat, currency_of, detect_number_format, numbers
from tests.forecasting.core.sampled import column


@pytest.mark.parametrize(
    ("values", "decimal", "thousands"),
    [
        (["1", "20"], ".", ""),
        (["2.5", "12.75"], ".", ""),
        (["2,5", "12,75"], ",", ""),
        (["1,234.5", "2.5"], ".", ","),
        (["1.234,5", "2,5"], ",", "."),
        (["1.234.567", "2,5"], ",", "."),
        (["1'234.50", "7.10"], ".", "'"),
        (["1’234.50", "7.10"], ".", "’"),
        (["1 234,50", "7,10"], ",", " "),
        (["1\u202f234,50", "7,10"], ",", "\u202f"),
        (["1,234", "2,345", "12"], ".", ","),
        (["1.234", "2.5"], ".", ""),
        (["1.234", "2,5"], ",", "."),
        (["0,125", "0,250"], ",", ""),
        (["2023 1 2", "2023 1 9"], ".", ""),
    ],
)
def test_marks(values: list[str], decimal: str, thousands: str) -> None:
    """What stands last, twice, or before other than three digits tells."""
    found = detect_number_format([column("x", values)])
    assert (found.decimal, found.thousands) == (decimal, thousands)


def test_marks_that_nothing_tells_are_doubted() -> None:
    """One comma before three digits in every number."""
    assert "`1,234` may have a decimal comma" in detect_number_format([column("x", ["1,234", "2,345"])]).doubt
    assert "`1.234` may mean thousands" in detect_number_format([column("x", ["1.234", "2.345"])]).doubt
    assert detect_number_format([column("x", ["1,234.5"])]).doubt == ""


def test_other_columns_tell_too() -> None:
    """Marks are of the file; columns of text have no say."""
    found = detect_number_format([column("a", ["1,234"]), column("b", ["2.75"]), column("c", ["a,b", "c,d"])])
    assert (found.decimal, found.thousands, found.doubt) == (".", ",", "")


def test_numbers_of_a_column() -> None:
    """NA is none, infinity neither; a column of texts has no numbers."""
    found = numbers(column("x", ["1.234,5", "NA", "inf"] + [str(n) for n in range(60)]), NumberFormat(",", "."))
    assert found is not None
    assert found[0] == 1234.5
    assert np.isnan(found[1:3]).all()
    assert numbers(column("x", ["north", "south"]), NumberFormat()) is None
    assert numbers(column("x", ["$1", "$2"]), NumberFormat()) is None
    assert numbers(column("x", ["NA"]), NumberFormat()) is None


def test_currencies() -> None:
    """A sign, or the name of a currency."""
    assert currency_of(["store", "price (€)"]) == "€"
    assert currency_of(["Unit Price (EUR)"]) == "EUR"
    assert currency_of(["price"]) == ""
