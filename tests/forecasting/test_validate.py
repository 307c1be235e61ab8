"""Tests of the validation, rule by rule. Daily rows, laws and the real weeks: `test_validate_weeks.py`."""

from collections import Counter
from typing import Any

import pandas as pd
import pytest

from forecasting.inspection import no_rows
from forecasting.known import newest_told
from forecasting.validate import Validated, validate
from tests.forecasting.validation import (
    LAST_YEAR,
    NEXT_WEEK,
    NOTHING,
    checked,
    history,
    prices,
    rules,
    units,
)
from tests.strategies import FIRST_WEEK, KNOWN_BRANDS, KNOWN_STORES, raw_row


def test_a_faultless_row_becomes_a_sale_and_a_promotion() -> None:
    """Text becomes typed values of the two tables, and the row is counted as accepted."""
    found = checked(raw_row(store="2", units="12", price="2.5", deal="1", feat="0.25"))

    assert (found.rows_in, found.accepted, found.dropped, rules(found)) == (1, 1, 0, [])
    assert found.sales.to_numpy().tolist() == [[2, 1, pd.Timestamp(FIRST_WEEK), 12]]
    told = [pd.Timestamp(FIRST_WEEK), 2, 1, pd.Timestamp(FIRST_WEEK), 2.5, 1, 0.25]
    assert found.promotions.to_numpy().tolist() == [told]


BAD_VALUES = [
    *(("units", text, "not_a_number") for text in ("1.234,5", "1;2", "1,000", "12.0", "007", "+3", " 3", "٣", "x")),
    *(("units", text, "missing_value") for text in ("NA", "nan", "NaN", "null", "None", "")),
    *(("units", text, "infinite") for text in ("inf", "-inf", "Infinity")),
    ("units", "-3", "negative"),
    ("store", "007", "not_a_number"),
    ("store", "", "missing_value"),
    ("store", "3", "unknown_store"),
    ("brand", "NA", "missing_value"),
    ("brand", "2.0", "not_a_number"),
    ("brand", "12", "unknown_brand"),
    *(("price", text, "not_a_number") for text in ("1.234,5", "2,49", "1.", ".5", "$2.49", "02.49")),
    *(("price", text, rule) for text, rule in (("", "missing_value"), ("nan", "missing_value"))),
    *(("price", text, rule) for text, rule in (("inf", "infinite"), ("-1.5", "negative"), ("0.0", "out_of_range"))),
    *(("deal", text, rule) for text, rule in (("2", "out_of_range"), ("0.5", "not_a_number"), ("-1", "negative"))),
    *(("feat", text, rule) for text, rule in (("1.01", "out_of_range"), ("50%", "not_a_number"))),
    ("feat", "", "missing_value"),
    *(("week_or_date", text, "not_a_date") for text in ("03.01.1991", "1991-02-30", "1991-1-3", "", "NA")),
    *(("week_or_date", text, "wrong_week") for text in ("1991-01-04", "1990-12-27", "1991-01-10")),
]  # fmt: skip


@pytest.fixture(scope="module")
def bad_values() -> Validated:
    """A faultless row on line 2, and one for each bad value on the lines below; validated once for all of them."""
    bad = (raw_row(**({"store": "5"} | {column: text})) for column, text, _ in BAD_VALUES)
    return checked(raw_row(), *bad)


@pytest.mark.parametrize("line", range(3, 3 + len(BAD_VALUES)), ids=["-".join(value) for value in BAD_VALUES])
def test_a_bad_value_is_quarantined_under_its_rule(line: int, bad_values: Validated) -> None:
    """The row is not guessed at: it is set aside as it was received, with its line, rule and remedy."""
    column, text, rule = BAD_VALUES[line - 3]

    (row,) = bad_values.quarantined[bad_values.quarantined["line"] == line].to_dict("records")

    assert (row["rule"], row[column]) == (rule, text)
    assert f"{column} is {text!r}: " in row["detail"]


def test_bad_values_cost_their_own_rows_only(bad_values: Validated) -> None:
    """The faultless row beside them is accepted, and every bad one is counted under its rule."""
    assert bad_values.quarantined_by_rule == Counter(rule for _, _, rule in BAD_VALUES)
    assert (bad_values.accepted, bad_values.dropped) == (1, 0)
    assert list(units(bad_values)) == [(2, 1, FIRST_WEEK)]
    assert prices(bad_values) == [2.49]


def test_a_batch_of_nothing_but_bad_rows_accepts_none() -> None:
    """Where every row is quarantined, none is accepted and none dropped."""
    found = checked(raw_row(units="x"), raw_row(store="3"))

    assert (found.rows_in, found.accepted, found.dropped, len(found.quarantined)) == (2, 0, 0, 2)
    assert found.sales.empty
    assert found.promotions.empty


def test_what_the_reader_found_wrong_stands() -> None:
    """A row that could not be read keeps the reader's rule, whatever else is wrong with it."""
    found = checked(raw_row(), raw_row(rule="cut_row", detail="3 values where 7 are declared", units="x"))

    assert rules(found) == ["cut_row"]
    assert found.quarantined["detail"].tolist() == ["3 values where 7 are declared"]


def test_an_empty_inbox_is_valid() -> None:
    """No rows in, none out."""
    found = validate(no_rows(), stores=KNOWN_STORES, brands=KNOWN_BRANDS, collected=NOTHING)

    assert (found.rows_in, found.accepted, found.dropped, len(found.quarantined)) == (0, 0, 0, 0)
    assert found.sales.empty


def test_identical_duplicates_are_dropped_but_for_one() -> None:
    """A row sent three times is accepted once."""
    found = checked(raw_row(), raw_row(), raw_row(file="again.csv"))

    assert (found.accepted, found.dropped, rules(found)) == (1, 2, [])
    assert list(units(found).values()) == [12]


def test_conflicting_duplicates_are_all_quarantined() -> None:
    """Nobody knows which of two different rows of a cell is right: neither is taken."""
    found = checked(raw_row(), raw_row(units="13"), raw_row(store="5"))

    assert rules(found) == ["conflicting_duplicate"] * 2
    assert list(units(found)) == [(5, 1, FIRST_WEEK)]


def test_a_plan_for_weeks_ahead_has_no_units() -> None:
    """A row of a later week without units is a promotion and not a sale."""
    found = checked(raw_row(), raw_row(week_or_date=NEXT_WEEK.isoformat(), units="", price="1.99"))

    assert (found.accepted, rules(found)) == (2, [])
    assert list(units(found)) == [(2, 1, FIRST_WEEK)]
    assert prices(found) == [2.49, 1.99]


def test_a_plan_for_a_week_gone_by_is_quarantined() -> None:
    """A plan lies ahead of the file's week."""
    found = checked(raw_row(), raw_row(week_or_date=LAST_YEAR[0].isoformat(), units=""))

    assert rules(found) == ["wrong_week"]


def test_a_promotion_keeps_the_week_that_told_it() -> None:
    """Plans change: both that of the first file and what the later week's file says are kept, in whichever order."""
    plan = raw_row(week_or_date=NEXT_WEEK.isoformat(), units="", price="1.99")
    sold = raw_row(week_or_date=NEXT_WEEK.isoformat(), file_week=NEXT_WEEK, price="1.49")

    one, two = checked(plan, sold).promotions, checked(sold, plan).promotions

    pd.testing.assert_frame_equal(one, two)
    assert one[["told", "price"]].to_numpy().tolist() == [
        [pd.Timestamp(FIRST_WEEK), 1.99],
        [pd.Timestamp(NEXT_WEEK), 1.49],
    ]
    assert newest_told(one)["price"].tolist() == [1.49]


def test_sales_that_differ_from_what_was_collected_are_corrections() -> None:
    """They are accepted, and counted by themselves too."""
    found = checked(raw_row(units="13"), raw_row(store="5"), collected=history({2: 12}, [FIRST_WEEK]))

    assert (found.accepted, found.dropped, rules(found)) == (2, 0, [])
    assert found.corrected_by_week == {FIRST_WEEK: 1}
    assert units(found) == {(2, 1, FIRST_WEEK): 13, (5, 1, FIRST_WEEK): 12}


def test_a_correction_must_keep_the_rules() -> None:
    """One out of all proportion is set aside, and what it would correct is no witness for it."""
    collected = pd.concat([history({2: 10}), history({2: 1000}, [FIRST_WEEK])])

    assert rules(checked(raw_row(units="1001"), collected=collected)) == ["out_of_proportion"]
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

    assert rules(found) == ["out_of_proportion"] * len(quarantined)
    assert found.quarantined["store"].tolist() == [str(store) for store in quarantined]


@pytest.mark.parametrize("others", [[], [5]])
def test_a_typo_in_a_late_file_is_caught_though_few_other_stores_are_beside_it(others: list[int]) -> None:
    """×40 of the usual is out of proportion, unless *other* stores explain it: a row is no witness for itself."""
    found = checked(*week_of_stores({2: 400, **dict.fromkeys(others, 10)}), collected=history(USUAL))

    assert rules(found) == ["out_of_proportion"]


def test_a_series_with_little_history_is_not_judged() -> None:
    """After seven weeks nobody knows what is usual; after eight, somebody does."""
    young, grown = history(USUAL, LAST_YEAR[:7]), history(USUAL, LAST_YEAR[:8])
    rows = week_of_stores({**USUAL, 2: 1000})

    assert rules(checked(*rows, collected=young)) == []
    assert rules(checked(*rows, collected=grown)) == ["out_of_proportion"]
