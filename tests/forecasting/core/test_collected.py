"""What the validation asks of tables that are held in memory."""

from datetime import date

import pandas as pd

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.collected import CollectedFrames, without_cells

WEEKS = [date(1992, 4, 9), date(1992, 4, 16), date(1992, 4, 23)]
SALES = orange_juice.SALES.cast(
    pd.DataFrame({"store": [2, 2, 2, 5], "product": 1, "week": [*WEEKS[:2], WEEKS[2], WEEKS[1]], "units": [3, 9, 4, 7]})
)
PLANS = orange_juice.PROMOTIONS.cast(
    pd.DataFrame({"store": [2, 2], "product": 1, "week": WEEKS[1:], "price": [2.0, 3.0], "deal": 0, "feat": 0.0})
)
HELD = CollectedFrames(SALES, ORANGE_JUICE, PLANS)
NO_CELLS = SALES.iloc[:0]


def test_weeks_and_series_are_those_with_sales() -> None:
    """Sorted, each once."""
    assert HELD.weeks() == WEEKS
    assert HELD.series().to_numpy().tolist() == [[2, 1], [5, 1]]


def test_some_weeks_are_given_alone() -> None:
    """Of sales, and of what was announced for them."""
    assert HELD.sales(WEEKS[1:2])["units"].tolist() == [9, 7]
    assert HELD.announced([WEEKS[2]])["price"].tolist() == [3.0]
    assert CollectedFrames(SALES, ORANGE_JUICE).announced(WEEKS).empty


def test_a_series_is_summed_up_without_the_cells_that_are_corrected() -> None:
    """The highest week, the median, and how many weeks there are."""
    assert HELD.usual_units([2], NO_CELLS).loc[(2, 1)].tolist() == [9, 4, 3]
    assert HELD.usual_units([2, 5], SALES.iloc[[1]]).to_numpy().tolist() == [[4, 3.5, 2], [7, 7, 1]]
    assert HELD.usual_prices([2, 5]).loc[(2, 1)].tolist() == [2.5, 2]


def test_cells_are_left_out_by_store_product_and_week() -> None:
    """Whatever their units are; without any, all rows stay."""
    assert without_cells(SALES, SALES.iloc[[0, 3]][schemas.CELL])["units"].tolist() == [9, 4]
    assert without_cells(SALES, NO_CELLS) is SALES
