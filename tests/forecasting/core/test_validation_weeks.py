"""Tests of the validation of whole weeks: daily rows, the laws of the account, and a replay of the real weeks."""

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.calendar import days_of
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.validation import validate
from tests.forecasting.core.validation import LAST_YEAR, NEXT_WEEK, checked, history, prices, rules, units
from tests.strategies import FIRST_WEEK, KNOWN_PRODUCTS, KNOWN_STORES, inbox_rows, raw_row, shuffled

# A validation takes a good part of a tenth of a second: to shrink a failing example would take minutes.
LAW = settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def days(**values: Any) -> list[dict[str, Any]]:
    """Seven daily rows of one store and product."""
    return [raw_row(daily=True, week_or_date=day.isoformat(), **values) for day in days_of(FIRST_WEEK)]


def test_daily_rows_are_summed_into_their_week() -> None:
    """Seven days of 1 to 7 cartons, Thursday to Wednesday, are a week of 28."""
    rows = [row | {"units": str(sold)} for sold, row in enumerate(days(), start=1)]

    found = checked(*rows)

    assert units(found) == {(2, 1, FIRST_WEEK): 28}
    assert (found.accepted, found.missing_days) == (7, {})


def test_a_missing_day_costs_its_store_and_no_other() -> None:
    """A store without its Wednesday has no week; the day is named; the store beside it has its week."""
    found = checked(*days()[:6], *days(store="5"))

    assert rules(found) == ["day_missing"] * 6
    assert found.missing_days == {(2, FIRST_WEEK): (date(1991, 1, 9),)}
    assert "1991-01-09" in found.quarantined["detail"].iloc[0]
    assert units(found) == {(5, 1, FIRST_WEEK): 84}


def test_the_price_of_a_daily_week_is_dollars_sold_by_cartons_sold() -> None:
    """10 cartons at 3 dollars, 30 at 2 and none on the other days: 90 dollars by 40 cartons make 2.25."""
    sold = [("10", "3"), ("30", "2"), *[("0", "9")] * 5]

    found = checked(*(row | {"units": u, "price": p} for row, (u, p) in zip(days(), sold, strict=True)))

    assert prices(found) == [2.25]


def test_a_daily_week_without_sales_has_the_mean_of_its_prices() -> None:
    """Where nothing was sold all days weigh the same; a deal on any day is a deal of the week."""
    values = [{"units": "0", "price": "1" if day < 2 else "8", "deal": str(day % 2)} for day in range(7)]

    found = checked(*(row | of_day for row, of_day in zip(days(), values, strict=True)))

    assert prices(found) == [6.0]
    assert found.promotions["deal"].tolist() == [1]


def test_a_day_sent_twice_does_not_weigh_twice_in_the_price() -> None:
    """A dropped duplicate leaves no trace: neither in the units nor in the price of the week."""
    sold = [("10", "3"), ("30", "2"), *[("0", "9")] * 5]
    rows = [row | {"units": u, "price": p} for row, (u, p) in zip(days(), sold, strict=True)]

    found = checked(*rows, rows[0])

    assert (found.accepted, found.dropped) == (7, 1)
    assert units(found) == {(2, 1, FIRST_WEEK): 40}
    assert prices(found) == [2.25]


@pytest.mark.parametrize("bad", [{"units": "1;2"}, {"units": "NA"}, {"price": "free"}, {"rule": "cut_row"}])
def test_a_product_whose_day_is_quarantined_is_not_summed_as_though_whole(bad: dict[str, str]) -> None:
    """Six good days of a product are not its week, even where the store's other products have all seven."""
    rows = [*days(product="1"), *days(product="2")]
    rows[3] |= bad

    found = checked(*rows)

    assert (2, 1, FIRST_WEEK) not in units(found)


@LAW
@given(inbox_rows)
def test_every_row_is_accounted_for(rows: pd.DataFrame) -> None:
    """Whatever the text: rows in = accepted + dropped + quarantined, each of them a true count of rows."""
    collected = history({2: 12})

    found = validate(rows, stores=KNOWN_STORES, products=KNOWN_PRODUCTS, collected=collected, definition=ORANGE_JUICE)

    assert found.rows_in == len(rows) == found.accepted + found.dropped + len(found.quarantined)
    assert 0 <= found.accepted <= len(rows)
    assert 0 <= found.dropped <= len(rows)
    assert sum(found.quarantined_by_rule.values()) == len(found.quarantined)
    assert (found.quarantined[["rule", "detail"]] != "").any(axis=1).all()
    assert found.quarantined["line"].is_unique
    assert set(units(found)) <= {(s, b, w) for s in (2, 5, 8, 9) for b in (1, 2, 3) for w in (FIRST_WEEK, NEXT_WEEK)}
    assert not found.promotions.duplicated(list(orange_juice.ANNOUNCED_PROMOTIONS.key)).any()
    assert (found.promotions["announced"] <= found.promotions["week"]).all()
    assert sum(found.corrected_by_week.values()) <= found.accepted


@LAW
@given(inbox_rows, st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(rows: pd.DataFrame, seed: int) -> None:
    """Shuffled lines give the same sales, the same counts, and the same lines in quarantine under the same rules."""
    one, two = (
        validate(
            order, stores=KNOWN_STORES, products=KNOWN_PRODUCTS, collected=history({2: 12}), definition=ORANGE_JUICE
        )
        for order in (rows, shuffled(rows, seed))
    )

    columns = ["line", "rule"]
    pd.testing.assert_frame_equal(one.sales, two.sales)
    assert (one.accepted, one.dropped, one.missing_days) == (two.accepted, two.dropped, two.missing_days)
    assert sorted(one.quarantined[columns].to_numpy().tolist()) == sorted(two.quarantined[columns].to_numpy().tolist())


@pytest.mark.parametrize("number", range(100, 161, 4))
def test_no_honest_week_of_the_real_data_is_quarantined(
    number: int,
    real_sales: pd.DataFrame,
    real_promotions: pd.DataFrame,
    real_stores: pd.DataFrame,
    real_products: pd.DataFrame,
) -> None:
    """Against the weeks before it, each real week passes whole: the rule of proportion is calibrated on it."""
    week = dominicks_week(number)
    of_week = real_sales[real_sales["week"] == pd.Timestamp(week)].merge(real_promotions, on=schemas.CELL)
    texts = of_week.drop(columns="week").astype(str).assign(week_or_date=str(week), file_week=week)
    rows = texts.assign(file=f"{week}.csv", line=range(len(texts)), daily=False, rule="", detail="")
    before = real_sales[real_sales["week"] < pd.Timestamp(week)]

    found = validate(rows, stores=real_stores, products=real_products, collected=before, definition=ORANGE_JUICE)

    assert found.quarantined_by_rule == {}
    assert found.accepted == found.rows_in == len(of_week) > 0
    pd.testing.assert_frame_equal(found.sales, schemas.SALES.cast(of_week))


def test_a_day_out_of_proportion_leaves_its_week_unfinished() -> None:
    """The six other days are not summed as though they were the week."""
    rows = days()
    rows[3] |= {"units": "100000"}

    found = checked(*rows, collected=history({2: 12}, LAST_YEAR))

    assert sorted(set(rules(found))) == ["day_missing", "outlier"]
    assert units(found) == {}
