"""Tests of the validation: what is accepted, dropped and corrected; daily rows, laws, and a replay of real weeks."""

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
from forecasting.core.collected import CollectedFrames
from forecasting.core.inspection import no_rows
from forecasting.core.point_in_time import newest_announced
from forecasting.core.validation import validate
from tests.forecasting.core.validation import (
    JUICE,
    KNOWN,
    LAST_YEAR,
    NEXT_WEEK,
    NOTHING,
    checked,
    history,
    prices,
    rules,
    units,
)
from tests.strategies import DAILY, FIRST_WEEK, WEEKLY, inbox_rows, raw_row, shuffled

# A validation takes a good part of a tenth of a second: to shrink a failing example would take minutes.
LAW = settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def test_a_faultless_row_becomes_a_sale_and_a_promotion() -> None:
    """Text becomes typed values of the two tables, and the row is counted as accepted."""
    found = checked(raw_row(store="2", units="12", price="2.5", deal="1", feat="0.25"))

    assert (found.rows_in, found.accepted, found.dropped, rules(found)) == (1, 1, 0, [])
    assert found.sales.to_numpy().tolist() == [[2, 1, pd.Timestamp(FIRST_WEEK), 12]]
    announced = [pd.Timestamp(FIRST_WEEK), 2, 1, pd.Timestamp(FIRST_WEEK), 2.5, 1, 0.25]
    stated = ["announced", "store", "product", "week", "price", "deal", "feat"]
    assert found.promotions[stated].to_numpy().tolist() == [announced]


def test_an_empty_inbox_is_valid() -> None:
    """No rows in, none out."""
    found = validate(
        no_rows(ORANGE_JUICE),
        **KNOWN,
        collected=CollectedFrames(NOTHING, ORANGE_JUICE),
    )

    assert (found.rows_in, found.accepted, found.dropped, len(found.quarantined)) == (0, 0, 0, 0)
    assert found.sales.empty


def test_identical_duplicates_are_dropped_but_for_one() -> None:
    """A row sent three times is accepted once."""
    found = checked(raw_row(), raw_row(), raw_row(file="again.csv"))

    assert (found.accepted, found.dropped, rules(found)) == (1, 2, [])
    assert list(units(found).values()) == [12]


def test_a_plan_for_weeks_ahead_has_no_units() -> None:
    """A row of a later week without units is a promotion and not a sale."""
    found = checked(raw_row(), raw_row(week_or_date=NEXT_WEEK.isoformat(), units="", price="1.99"))

    assert (found.accepted, rules(found)) == (2, [])
    assert list(units(found)) == [(2, 1, FIRST_WEEK)]
    assert prices(found) == [2.49, 1.99]


def test_a_promotion_has_the_week_that_announced_it() -> None:
    """Plans change: both that of the first file and what the later week's file says are kept, in whichever order."""
    plan = raw_row(week_or_date=NEXT_WEEK.isoformat(), units="", price="1.99")
    sold = raw_row(week_or_date=NEXT_WEEK.isoformat(), file_week=NEXT_WEEK, price="1.49")

    one, two = checked(plan, sold).promotions, checked(sold, plan).promotions

    pd.testing.assert_frame_equal(one, two)
    assert one[["announced", "price"]].to_numpy().tolist() == [
        [pd.Timestamp(FIRST_WEEK), 1.99],
        [pd.Timestamp(NEXT_WEEK), 1.49],
    ]
    assert newest_announced(one)["price"].tolist() == [1.49]


def test_sales_that_differ_from_what_was_collected_are_corrections() -> None:
    """They are accepted, and counted by themselves too."""
    found = checked(raw_row(units="13"), raw_row(store="5"), collected=history({2: 12}, [FIRST_WEEK]))

    assert (found.accepted, found.dropped, rules(found)) == (2, 0, [])
    assert found.corrected_by_week == {FIRST_WEEK: 1}
    assert units(found) == {(2, 1, FIRST_WEEK): 13, (5, 1, FIRST_WEEK): 12}


def test_a_correction_must_keep_the_rules() -> None:
    """One out of all proportion is set aside, and what it would correct is no witness for it."""
    collected = pd.concat([history({2: 10}), history({2: 1000}, [FIRST_WEEK])])

    assert rules(checked(raw_row(units="1001"), collected=collected)) == ["outlier"]
    assert checked(raw_row(units="11"), collected=collected).corrected_by_week == {FIRST_WEEK: 1}


def test_what_was_collected_out_of_proportion_may_be_sent_again() -> None:
    """To the letter it is a duplicate of what was accepted then, and nothing to look at twice."""
    found = checked(raw_row(units="1000"), collected=pd.concat([history({2: 10}), history({2: 1000}, [FIRST_WEEK])]))

    assert (found.dropped, rules(found), found.corrected_by_week) == (1, [], {})


def test_sales_that_were_collected_before_are_dropped() -> None:
    """A file sent again changes no sales; a newer price in it is still taken."""
    found = checked(raw_row(price="1.99"), raw_row(store="5"), collected=history({2: 12}, [FIRST_WEEK]))

    assert (found.accepted, found.dropped, rules(found)) == (1, 1, [])
    assert list(units(found)) == [(5, 1, FIRST_WEEK)]
    assert prices(found) == [1.99, 2.49]


# Units out of proportion: a slipped digit is caught, an honest jump is not.


def week_of_stores(sold: dict[int, int]) -> list[dict[str, Any]]:
    return [raw_row(store=str(store), units=str(number)) for store, number in sold.items()]


USUAL = {2: 10, 5: 10, 8: 10, 9: 10}


@pytest.mark.parametrize(
    ("sold", "quarantined"),
    [
        (USUAL, []),
        ({**USUAL, 2: 1000}, [2]),
        ({2: 1000}, [2]),
        ({**USUAL, 2: 300}, [2]),
        ({2: 400, 5: 350, 8: 410, 9: 300}, []),
        ({2: 25, 5: 0, 8: 0, 9: 0}, []),
        ({**USUAL, 2: 0}, []),
    ],
    ids=["as usual", "typo ×100", "typo ×100, alone", "×30 alone", "deep special", "×2.5 beside zeros", "none sold"],
)
def test_units_out_of_proportion_are_quarantined(sold: dict[int, int], quarantined: list[int]) -> None:
    """A typo ×100 is caught, a chain-wide deep special is not."""
    found = checked(*week_of_stores(sold), collected=history(USUAL))

    assert rules(found) == ["outlier"] * len(quarantined)
    assert found.quarantined["store"].tolist() == [str(store) for store in quarantined]


@pytest.mark.parametrize("others", [[], [5]])
def test_a_typo_in_a_late_file_is_caught_though_few_other_stores_are_beside_it(others: list[int]) -> None:
    """×40 of the usual is out of proportion, unless *other* stores explain it: a row is no witness for itself."""
    found = checked(*week_of_stores({2: 400, **dict.fromkeys(others, 10)}), collected=history(USUAL))

    assert rules(found) == ["outlier"]


def test_a_series_with_little_history_is_not_judged() -> None:
    """After seven weeks nobody knows what is usual; after eight, somebody does."""
    young, grown = history(USUAL, LAST_YEAR[:7]), history(USUAL, LAST_YEAR[:8])
    rows = week_of_stores({**USUAL, 2: 1000})

    assert rules(checked(*rows, collected=young)) == []
    assert rules(checked(*rows, collected=grown)) == ["outlier"]


def test_units_that_somebody_accepted_are_let_in() -> None:
    """Those of that cell, and no other's."""
    accepted = pd.DataFrame({"store": [2], "product": [1], "week": [pd.Timestamp(FIRST_WEEK)]})
    rows = week_of_stores({2: 1000, 5: 1000, 8: 10, 9: 10})

    found = checked(*rows, collected=history(USUAL), overrides=accepted)

    assert found.quarantined["store"].tolist() == ["5"]


def days(**values: Any) -> list[dict[str, Any]]:
    """Seven daily rows of one store and product."""
    return [raw_row(layout=DAILY, week_or_date=day.isoformat(), **values) for day in days_of(FIRST_WEEK)]


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

    found = validate(
        rows,
        **KNOWN,
        collected=CollectedFrames(collected, ORANGE_JUICE),
    )

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
            order,
            **KNOWN,
            collected=CollectedFrames(history({2: 12}), ORANGE_JUICE),
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
    nothing = dict.fromkeys(("file_store", "revenue", "passed_over", "rule", "detail"), "")
    rows = texts.assign(file=f"{week}.csv", line=range(len(texts)), layout=WEEKLY, **nothing)
    before = real_sales[real_sales["week"] < pd.Timestamp(week)]

    announced = real_promotions[real_promotions["week"] < pd.Timestamp(week)]
    known = {"stores": real_stores, "products": real_products, **JUICE}

    found = validate(rows, **known, collected=CollectedFrames(before, ORANGE_JUICE, announced))

    assert found.quarantined_by_rule == {}
    assert found.accepted == found.rows_in == len(of_week) > 0
    pd.testing.assert_frame_equal(found.sales, orange_juice.SALES.cast(of_week))


def test_a_day_out_of_proportion_leaves_its_week_unfinished() -> None:
    """The six other days are not summed as though they were the week."""
    rows = days()
    rows[3] |= {"units": "100000"}

    found = checked(*rows, collected=history({2: 12}, LAST_YEAR))

    assert sorted(set(rules(found))) == ["day_missing", "outlier"]
    assert units(found) == {}
