"""Tests of the validation: what is accepted, dropped, corrected. Daily rows, laws: `test_validation_weeks.py`."""

from typing import Any

import pandas as pd
import pytest

from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.inspection import no_rows
from forecasting.core.point_in_time import newest_announced
from forecasting.core.validation import validate
from tests.forecasting.core.validation import LAST_YEAR, NEXT_WEEK, NOTHING, checked, history, prices, rules, units
from tests.strategies import FIRST_WEEK, KNOWN_PRODUCTS, KNOWN_STORES, raw_row


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
        no_rows(ORANGE_JUICE), stores=KNOWN_STORES, products=KNOWN_PRODUCTS, collected=NOTHING, definition=ORANGE_JUICE
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
