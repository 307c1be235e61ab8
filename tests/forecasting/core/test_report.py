"""Tests of the report and the order sheet: worked by hand."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.panel_definition import ORANGE_JUICE, Attribute
from forecasting.core.report import Expectation, biggest_movers, expectation, order_sheet, report_table, weekly_totals
from tests.strategies import whole_offers

STORES = orange_juice.STORES.cast(
    pd.DataFrame(columns=orange_juice.STORES.columns).assign(store=[2, 5], name=["Main Street", None])
)
CUTOFF = date(1991, 1, 31)
PRODUCTS = orange_juice.PRODUCTS.cast(
    pd.DataFrame({"product": [1, 2], "name": ["Tropicana", "Dole"], "ounces": [64, 64]})
)


def week(offset: int) -> pd.Timestamp:
    """The week so many weeks after the cutoff."""
    return pd.Timestamp(CUTOFF + WEEK * offset)


def sales_of(*rows: tuple[int, int, int, int]) -> pd.DataFrame:
    """Sales of (store, product, weeks after the cutoff, units)."""
    frame = pd.DataFrame(rows, columns=["store", "product", "offset", "units"])
    return orange_juice.SALES.cast(frame.assign(week=[week(offset) for offset in frame["offset"]]))


def forecast_of(*rows: tuple[int, int, int, float]) -> pd.DataFrame:
    """A forecast of (store, product, step, cartons), with intervals of ± 1 and ± 2."""
    frame = pd.DataFrame(rows, columns=["store", "product", "step", "forecast"])
    point = frame["forecast"]
    return orange_juice.FORECAST.cast(
        frame.assign(
            cutoff=week(0),
            week=[week(step) for step in frame["step"]],
            lo_80=point - 1,
            hi_80=point + 1,
            lo_95=point - 2,
            hi_95=point + 2,
            model="naive",
            reason=None,
            promotion_known=False,
        )
    )


def plan_of(*rows: tuple[int, int, int, float, int, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["store", "product", "offset", "price", "deal", "feat"])
    return orange_juice.PROMOTIONS.cast(whole_offers(frame.assign(week=[week(offset) for offset in frame["offset"]])))


NO_PLAN = orange_juice.PROMOTIONS.empty()


def test_history_and_forecast_stand_side_by_side() -> None:
    """Sales up to the cutoff are actual rows, the forecast's rows follow, sorted by cell."""
    plan = plan_of((2, 1, 0, 2.5, 1, 0.5), (2, 1, 1, 3.0, 0, 0.0))

    report = report_table(
        sales_of((2, 1, 0, 20), (2, 1, -1, 10)), plan, forecast_of((2, 1, 1, 15.0)), PRODUCTS, ORANGE_JUICE
    )

    assert list(report.columns) == orange_juice.REPORT.columns
    assert report["kind"].tolist() == ["actual", "actual", "forecast"]
    assert report["week"].tolist() == [week(-1), week(0), week(1)]
    assert report["units"].tolist() == [10.0, 20.0, 15.0]
    assert report["price"].fillna(-1).tolist() == [-1.0, 2.5, 3.0]
    assert report["deal"].fillna(-1).astype(int).tolist() == [-1, 1, 0]


def test_only_forecasts_have_intervals_a_cutoff_and_a_model() -> None:
    """What was sold has no uncertainty: these columns are empty there."""
    report = report_table(sales_of((2, 1, 0, 20)), NO_PLAN, forecast_of((2, 1, 1, 15.0)), PRODUCTS, ORANGE_JUICE)

    columns = ["lo_80", "hi_80", "lo_95", "hi_95", "cutoff", "model"]
    assert report[columns].isna().all(axis=1).tolist() == [True, False]
    assert report.loc[1, columns].tolist() == [14.0, 16.0, 13.0, 17.0, week(0), "naive"]


def test_sales_after_the_cutoff_are_left_out() -> None:
    """A report of an old cutoff shows what was known then, and one row a cell."""
    sales = sales_of((2, 1, 0, 20), (2, 1, 1, 99))

    report = report_table(sales, NO_PLAN, forecast_of((2, 1, 1, 15.0)), PRODUCTS, ORANGE_JUICE)

    assert report["units"].tolist() == [20.0, 15.0]
    assert not report.duplicated(schemas.CELL).any()


def test_a_product_has_its_name_and_an_unknown_one_its_number() -> None:
    """People read names; a product that the table does not know is still there."""
    report = report_table(
        sales_of((2, 2, 0, 20), (2, 7, 0, 20)), NO_PLAN, forecast_of((2, 1, 1, 5.0)), PRODUCTS, ORANGE_JUICE
    )

    assert dict(zip(report["product"], report["product_name"], strict=True)) == {1: "Tropicana", 2: "Dole", 7: "7"}


def movers_of(count: int) -> pd.DataFrame:
    """Store 2 rises by 5, store 5 by 40, store 8 falls by 10, store 9 by 1; store 11 stays."""
    recent = {2: 10, 5: 60, 8: 30, 9: 3, 11: 8}
    coming = {2: 15.0, 5: 100.0, 8: 20.0, 9: 2.0, 11: 8.0}
    sales = sales_of(*((store, 1, 0, units) for store, units in recent.items()))
    forecast = forecast_of(*((store, 1, 1, units) for store, units in coming.items()))
    return biggest_movers(report_table(sales, NO_PLAN, forecast, PRODUCTS, ORANGE_JUICE), count)


@pytest.mark.parametrize(
    ("count", "changes"),
    [(1, {5: 40.0, 8: -10.0}), (2, {5: 40.0, 2: 5.0, 9: -1.0, 8: -10.0}), (9, {5: 40.0, 2: 5.0, 9: -1.0, 8: -10.0})],
)
def test_the_biggest_rise_comes_first_and_the_biggest_drop_last(count: int, changes: dict[int, float]) -> None:
    """At most `count` of each; a series that stays is neither."""
    movers = movers_of(count)

    assert list(zip(movers["store"], movers["change"], strict=True)) == list(changes.items())


def test_what_is_recent_is_the_mean_of_the_four_weeks_up_to_the_cutoff() -> None:
    """10, 20 and 30 cartons in the last four weeks, with a gap, make 20; the week before does not count."""
    sales = sales_of((2, 1, 0, 10), (2, 1, -2, 20), (2, 1, -3, 30), (2, 1, -4, 1000))

    movers = biggest_movers(report_table(sales, NO_PLAN, forecast_of((2, 1, 1, 25.0)), PRODUCTS, ORANGE_JUICE), 3)

    assert movers["recent"].tolist() == [20.0]
    assert movers["change"].tolist() == [5.0]


def test_movers_are_judged_by_the_first_forecast_week() -> None:
    """A jump in the second week is not next week's business."""
    sales = sales_of((2, 1, 0, 10))
    forecast = forecast_of((2, 1, 1, 12.0), (2, 1, 2, 500.0))

    movers = biggest_movers(report_table(sales, NO_PLAN, forecast, PRODUCTS, ORANGE_JUICE), 3)

    assert movers[["week", "units"]].to_numpy().tolist() == [[week(1), 12.0]]


def test_a_series_without_recent_sales_moves_nowhere() -> None:
    """Where there is no recent mean there is no change from it."""
    report = report_table(sales_of((2, 1, -4, 10)), NO_PLAN, forecast_of((2, 1, 1, 12.0)), PRODUCTS, ORANGE_JUICE)

    assert biggest_movers(report, 3).empty


def test_the_total_is_set_against_what_the_same_series_sold_of_late() -> None:
    """Each series' mean is over the weeks that it reported: a missing store does not make the forecast a rise."""
    sales = sales_of((2, 1, 0, 10), (2, 1, -1, 20), (5, 1, -1, 100), (5, 1, -9, 900))
    forecast = forecast_of((2, 1, 1, 12), (2, 1, 2, 99), (5, 1, 1, 80), (5, 1, 2, 99))
    report = report_table(sales, orange_juice.PROMOTIONS.empty(), forecast, PRODUCTS, ORANGE_JUICE)
    assert expectation(report) == Expectation((CUTOFF + WEEK), 92.0, 115.0, 4)
    totals = weekly_totals(report)
    assert totals["kind"].tolist() == ["actual"] * 3 + ["forecast"] * 2
    assert totals["units"].tolist() == [900.0, 120.0, 10.0, 92.0, 198.0]


def test_a_forecast_stands_beside_what_was_sold_last_and_what_is_planned() -> None:
    """One row a store, product and week; the change is from the cutoff's week to each of them."""
    sales = sales_of((2, 1, 0, 20), (2, 1, -1, 99))
    plan = plan_of((2, 1, 1, 2.5, 1, 0.5))
    sheet = order_sheet(forecast_of((2, 1, 2, 12.5), (2, 1, 1, 15.0)), sales, plan, STORES, PRODUCTS, ORANGE_JUICE)
    assert list(sheet.columns) == orange_juice.ORDER_SHEET.columns
    assert sheet["week"].tolist() == [week(1), week(2)]
    assert sheet[["store_name", "product_name"]].to_numpy().tolist() == [["Main Street", "Tropicana"]] * 2
    assert sheet["last_sold"].tolist() == [20, 20]
    assert sheet["change"].tolist() == [-5.0, -7.5]
    assert sheet[["price", "deal", "feat"]].iloc[0].tolist() == [2.5, 1, 0.5]
    assert sheet[["price", "deal", "feat"]].iloc[1].isna().all()


def test_what_is_not_known_stays_empty() -> None:
    """A store without a name, a product that the table does not know, no sales in the cutoff's week."""
    sheet = order_sheet(forecast_of((5, 7, 1, 3.0)), sales_of((5, 7, -1, 4)), NO_PLAN, STORES, PRODUCTS, ORANGE_JUICE)
    assert sheet["product_name"].tolist() == ["7"]
    assert sheet[["store_name", "last_sold", "change"]].isna().all(axis=None)


def test_the_category_stands_in_the_order_sheet() -> None:
    """Beside the product, by the name that the definition gives it; empty where nobody knows it."""
    definition = replace(
        ORANGE_JUICE, category="family", product_attributes=(Attribute("family", "text", "family of the product"),)
    )
    forecast = forecast_of((2, 1, 1, 15.0), (2, 7, 1, 3.0))
    products = PRODUCTS.assign(family="Juice")
    sheet = order_sheet(forecast, sales_of((2, 1, 0, 20)), NO_PLAN, STORES, products, definition)
    assert list(sheet.columns)[3:5] == ["product_name", "family"]
    assert sheet["family"].fillna("").tolist() == ["Juice", ""]
