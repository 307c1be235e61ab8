"""Sums by week: returns, prices, several layouts, and what nobody states."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from forecasting.contracts import schemas
from forecasting.contracts.layout import Layout
from forecasting.contracts.panel_definition import Covariate
from forecasting.core.weekly import weekly_promotions, weekly_sales, with_plain_ids
from tests.forecasting.retailer import COLUMNS, HEADER, LEFT_OUT, SHOPS, TILL, WEEKS, sold, taken

MONDAY = date(2024, 1, 1)
WHOLE_WEEK = "a,y,2024-01-01,1,1\na,y,2024-01-07,1,1\n"  # another article, whose days reach from end to end


def prices(text: str) -> dict[str, float]:
    found = taken(text, LEFT_OUT, [TILL])
    return {row.product: row.price for row in found.promotions.itertuples()}


def test_transactions_are_summed_and_returns_netted() -> None:
    """Two purchases and a return of one day; identical rows are two purchases."""
    found = taken(WHOLE_WEEK + "a,x,2024-01-02,3,2\na,x,2024-01-02,3,2\na,x,2024-01-03,-1,2\n", LEFT_OUT, [TILL])
    assert sold(found)["a", "x", MONDAY] == 5
    assert (found.accepted, found.dropped) == (5, 0)


@pytest.mark.parametrize(("negative_units", "units"), [(False, 0), (True, -2)])
def test_a_week_of_more_returns_than_sales_counts_as_the_definition_says(negative_units: bool, units: int) -> None:
    """As 0, which is said, or as it is."""
    definition = replace(LEFT_OUT, negative_units=negative_units)
    found = taken(WHOLE_WEEK + "a,x,2024-01-02,1,2\na,x,2024-01-03,-3,2\n", definition, [TILL])
    assert sold(found)["a", "x", MONDAY] == units
    assert any("more returns than sales" in note for note in found.notes) == (not negative_units)


def test_units_may_have_decimals() -> None:
    """Where the definition says so."""
    found = taken("a,x,2024-01-01,64236.62,1\n", replace(SHOPS, whole_units=False))
    assert sold(found) == {("a", "x", MONDAY): 64236.62}


def test_a_price_is_money_by_units_of_rows_that_have_both() -> None:
    """What came free, and returns, count in the units and not in the price."""
    rows = "a,x,2024-01-02,10,3\na,x,2024-01-02,30,2\na,x,2024-01-02,5,0\na,x,2024-01-02,-4,9\n"
    assert prices(WHOLE_WEEK + rows)["x"] == 2.25


def test_a_price_is_revenue_by_units_where_the_layout_has_no_price() -> None:
    """A week without sales has none."""
    columns = {name: column for name, column in COLUMNS.items() if name != "price"}
    layout = Layout("revenue", {**columns, "revenue": ("money",)}, decimal=",", delimiter=";")
    text = "shop;article;day;pieces;money\na;x;2024-01-01;4;10,0\na;x;2024-01-08;0;0\n"
    found = taken({"sales.csv": text}, SHOPS, [layout])
    assert found.promotions[["week", "price"]].to_numpy().tolist() == [[pd.Timestamp(MONDAY), 2.5]]
    assert len(found.sales) == 2


PLANNED = replace(
    SHOPS,
    covariates=(
        *SHOPS.covariates,
        Covariate("warm", "number", "temperature", "degrees", empty="unknown"),
        Covariate("flyer", "flag", "flyer", "1 where it is in the flyer", empty="zero"),
    ),
)
WEATHER = Layout("weather", {"date": ("day",), "warm": ("warm",)}, files="weather*")
FLYERS = Layout("flyers", {"store": ("shop",), "date": ("day",), "flyer": ("flyer",)}, files="flyer*")
LAYOUTS = (replace(WEEKS, files="sales*"), WEATHER, FLYERS)


def test_what_several_files_say_of_a_cell_comes_together() -> None:
    """A row without product, or store, is of all that have sold; what nobody says of a flag is 0."""
    files = {
        "sales.csv": HEADER + "a,x,2024-01-01,3,2.5\nb,x,2024-01-01,4,2.6\n",
        "weather.csv": "day,warm\n2024-01-01,-3.5\n2024-01-08,\n2024-01-15,4\n",
        "flyer.csv": "shop,day,flyer\na,2024-01-08,1\nc,2024-01-08,1\n",
    }
    found = taken(files, PLANNED, LAYOUTS)
    first = found.promotions[found.promotions["week"] == pd.Timestamp(MONDAY)]
    assert first[["store", "price", "warm", "flyer"]].to_numpy().tolist() == [["a", 2.5, -3.5, 0], ["b", 2.6, -3.5, 0]]
    # Nobody knows the prices of the weeks ahead, so that they have no row.
    assert len(found.promotions) == 2
    assert found.passed_over == {"never_sold": 1}


def test_what_is_not_stated_again_stays_as_it_was_announced() -> None:
    """The weather of the next week does not undo its flyer."""
    plan = {"store": ["a"], "product": ["x"], "week": [pd.Timestamp("2024-01-08")], "price": [1.9]}
    announced = schemas.promotions(PLANNED).cast(pd.DataFrame({**plan, "warm": [1.0], "flyer": [1]}))
    files = {"sales.csv": HEADER + "a,x,2024-01-01,3,2.5\n", "weather.csv": "day,warm\n2024-01-08,7\n"}
    found = taken(files, PLANNED, LAYOUTS, announced=announced)
    assert found.promotions.iloc[-1][["price", "warm", "flyer"]].tolist() == [1.9, 7.0, 1]


def never(*_: object) -> pd.DataFrame:
    """Nothing is asked of what was collected."""
    raise AssertionError


def test_no_rows_are_no_sums() -> None:
    """With the declared columns nevertheless."""
    kinds = {"store": "str", "product": "str", "units": "float64", "price": "float64"}
    days = dict.fromkeys(("week", "announced"), "datetime64[us]")
    rows = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in (kinds | days).items()})
    assert weekly_sales(rows, SHOPS).sales.empty
    assert weekly_promotions(rows, SHOPS, never, never).empty


def test_ids_are_no_categories_where_others_read_them() -> None:
    """Of whichever type they are."""
    frame = pd.DataFrame({"store": pd.Categorical([7, 8]), "product": ["x", "y"]})
    assert with_plain_ids(frame).dtypes.tolist() == ["int64", frame["product"].dtype]
