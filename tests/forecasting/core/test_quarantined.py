"""The rows of a cell are found however they were written."""

from datetime import date

import pandas as pd

from forecasting.contracts.orange_juice import LAYOUTS, QUARANTINE
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.quarantined import rows_of_cell
from tests.shop import PLANS, SALES, SHOP

MONDAY = date(2024, 1, 1)


def test_a_row_is_found_by_any_form_of_its_date_and_its_id() -> None:
    """In the layout's format or in the house's, on any day of the week, with spaces around."""
    texts = ["01.01.2024", " 2024-01-03 ", "08.01.2024", "none", "01.01.2024"]
    stores = ["007", " 007 ", "007", "007", "7"]
    rows = pd.DataFrame({"week_or_date": texts, "store": stores, "product": "x", "line": range(5)})
    found = rows_of_cell(rows, MONDAY, "007", "x", SHOP, [SALES, PLANS])
    assert found["line"].tolist() == [0, 1]
    assert rows_of_cell(rows, MONDAY, "007", "y", SHOP, [SALES, PLANS]).empty


def test_ids_that_are_numbers_are_compared_as_such() -> None:
    """A text that is no number is of no cell."""
    rows = pd.DataFrame({"week_or_date": "1992-04-16", "store": ["2", "two"], "product": "5", "line": [2, 3]})
    assert rows_of_cell(rows, date(1992, 4, 16), 2, 5, ORANGE_JUICE, LAYOUTS)["line"].tolist() == [2]
    assert rows_of_cell(QUARANTINE.empty(), date(1992, 4, 16), 2, 5, ORANGE_JUICE, LAYOUTS).empty
