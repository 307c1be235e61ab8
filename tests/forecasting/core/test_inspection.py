"""Tests of the inspection, rule by rule: what breaks a rule is set aside as it was received."""

from collections import Counter
from dataclasses import replace

import pytest

from forecasting.contracts.orange_juice import LAYOUTS
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.inspection import Rows
from forecasting.core.validation import Validated
from tests.forecasting.core.validation import LAST_YEAR, checked, prices, rules, units
from tests.strategies import FIRST_WEEK, raw_row, raw_rows

BAD_VALUES = [
    *(("units", text, "not_a_number") for text in ("1.234,5", "1;2", "1,000", "12.0", "007", "+3", " 3", "٣", "x")),
    *(("units", text, "missing_value") for text in ("NA", "nan", "NaN", "null", "None", "")),
    *(("units", text, "infinite") for text in ("inf", "-inf", "Infinity")),
    ("units", "-3", "negative"),
    ("store", "007", "not_a_number"),
    ("store", "", "missing_value"),
    ("store", "3", "unknown_store"),
    ("product", "NA", "missing_value"),
    ("product", "2.0", "not_a_number"),
    ("product", "12", "unknown_product"),
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


def test_conflicting_duplicates_are_all_quarantined() -> None:
    """Nobody knows which of two different rows of a cell is right: neither is taken."""
    found = checked(raw_row(), raw_row(units="13"), raw_row(store="5"))

    assert rules(found) == ["conflicting_duplicate"] * 2
    assert list(units(found)) == [(5, 1, FIRST_WEEK)]


def test_a_plan_for_a_week_gone_by_is_quarantined() -> None:
    """A plan lies ahead of the file's week."""
    found = checked(raw_row(), raw_row(week_or_date=LAST_YEAR[0].isoformat(), units=""))

    assert rules(found) == ["wrong_week"]


def test_flags_may_be_words() -> None:
    """TRUE is 1 and no is 0."""
    found = checked(raw_row(deal="TRUE"), raw_row(store="5", deal="no"))

    assert rules(found) == []
    assert found.promotions["deal"].tolist() == [1, 0]


def test_a_price_of_0_is_unknown_where_prices_may_be() -> None:
    """Else the row is set aside."""
    price, *others = ORANGE_JUICE.covariates
    definition = replace(ORANGE_JUICE, covariates=(replace(price, empty="unknown"), *others))
    rows = Rows(raw_rows(raw_row(price="0"), raw_row(store="5")), definition, LAYOUTS)
    rows.parse()

    assert list(rows.rules) == ["", ""]
    assert rows.parsed["price"].isna().tolist() == [True, False]
