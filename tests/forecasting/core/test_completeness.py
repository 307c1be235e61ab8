"""The completeness of a week, and whether it may go on."""

from datetime import UTC, date, datetime

import pandas as pd
import pytest
from hypothesis import given

from forecasting.contracts import orange_juice
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import DataError, WeekNotWhole
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.panel_definition import ORANGE_JUICE, Id
from forecasting.contracts.run_record import adapter
from forecasting.core.completeness import (
    Acceptance,
    CompletenessReport,
    Incomplete,
    active_series,
    check_completeness,
    expected_series,
    gate,
)
from forecasting.core.forecast_checks import keys_of
from tests.strategies import Market, markets

WEEK_10 = dominicks_week(10)


def sales_of(*cells: tuple[int, int, int]) -> pd.DataFrame:
    """Sales of (store, product, number of the week)."""
    frame = pd.DataFrame(cells, columns=["store", "product", "number"])
    weeks = pd.DatetimeIndex([dominicks_week(number) for number in frame["number"]])
    return orange_juice.SALES.cast(frame.assign(week=weeks, units=7))


# Stores 2 and 5 sold both products in the week before.
BEFORE = [(2, 1, 9), (2, 2, 9), (5, 1, 9), (5, 2, 9)]
ALL_OF_IT = [(2, 1, 10), (2, 2, 10), (5, 1, 10), (5, 2, 10)]


def test_a_week_is_whole_when_every_expected_series_is_there() -> None:
    """Every store that sold lately has reported every product it sold: nothing is lacking."""
    completeness = check_completeness(sales_of(*BEFORE, *ALL_OF_IT), WEEK_10)

    assert completeness == CompletenessReport(
        WEEK_10, rows=4, week_before=dominicks_week(9), expected=(2, 5), received=(2, 5), missing=(), incomplete=()
    )
    assert completeness.gaps(ORANGE_JUICE) == ()
    assert completeness.share_reporting == 1.0
    assert gate(completeness, ORANGE_JUICE, min_reporting=1.0).status == "whole"


def test_a_store_that_sent_nothing_is_missing() -> None:
    """One of two stores is missing: half of them have reported."""
    completeness = check_completeness(sales_of(*BEFORE, *ALL_OF_IT[:2]), WEEK_10)

    assert (completeness.received, completeness.missing, completeness.incomplete) == ((2,), (5,), ())
    assert completeness.gaps(ORANGE_JUICE) == ("store 5",)
    assert completeness.share_reporting == 0.5


def test_a_truncated_store_file_is_incomplete() -> None:
    """A store of which some products are missing counts as not whole, and the products are named."""
    completeness = check_completeness(sales_of(*BEFORE, (2, 3, 9), (2, 1, 10), (5, 1, 10), (5, 2, 10)), WEEK_10)

    assert (completeness.received, completeness.missing) == ((5,), ())
    assert completeness.incomplete == (Incomplete(2, products=(2, 3)),)
    assert completeness.gaps(ORANGE_JUICE) == ("store 2 lacks brands 2, 3",)
    assert completeness.share_reporting == 0.5


def test_a_store_that_leaves_unsold_products_out_lacks_none() -> None:
    """Whatever it reported, it is whole; a store without a row, or without a day, is not."""
    sales = sales_of(*BEFORE, (2, 3, 9), (2, 1, 10))

    completeness = check_completeness(sales, WEEK_10, unsold="left_out")
    assert (completeness.received, completeness.missing, completeness.incomplete) == ((2,), (5,), ())

    day = date(1989, 11, 22)
    found = check_completeness(sales, WEEK_10, {(2, WEEK_10): (day,)}, "left_out").incomplete
    assert found == (Incomplete(2, days=(day,)),)


def test_where_one_file_is_of_all_stores_one_without_a_row_sold_nothing() -> None:
    """If what did not sell is left out; no store is missing then, where any has a row."""
    sales = sales_of(*BEFORE, (2, 1, 10))

    whole = check_completeness(sales, WEEK_10, unsold="left_out", stores_send_files=False)
    assert (whole.expected, whole.received, whole.missing, whole.share_reporting) == ((2,), (2,), (), 1.0)
    assert check_completeness(sales, WEEK_10, stores_send_files=False).missing == (5,)
    assert check_completeness(sales_of(*BEFORE), WEEK_10, unsold="left_out", stores_send_files=False).rows == 0


def test_a_product_that_is_left_out_is_forecast_for_a_quarter_after_its_last_sale() -> None:
    """Its rows of 0 units do not count; where products are written out, they do."""
    sales = sales_of((2, 1, 1), (2, 1, 10), (2, 2, 10))
    sales.loc[(sales["product"] == 1) & (sales["week"] == pd.Timestamp(WEEK_10)), "units"] = 0
    week_14 = dominicks_week(14)

    assert active_series(sales, week_14, "left_out").to_numpy().tolist() == [[2, 2]]
    assert active_series(sales, week_14, "written").to_numpy().tolist() == [[2, 1], [2, 2]]


def test_a_store_that_lacks_days_is_incomplete() -> None:
    """A daily store without its Wednesday is incomplete in that week, and in no other."""
    days: dict[tuple[Id, date], tuple[date, ...]]
    days = {(5, WEEK_10): (date(1989, 11, 22),), (2, WEEK_10 + WEEK): (date(1989, 11, 29),)}

    completeness = check_completeness(sales_of(*BEFORE, *ALL_OF_IT[:2]), WEEK_10, days)

    assert completeness.incomplete == (Incomplete(5, days=(date(1989, 11, 22),)),)
    assert completeness.gaps(ORANGE_JUICE) == ("store 5 lacks the sales of 1989-11-22",)
    assert completeness.missing == ()
    assert completeness.received == (2,)


@pytest.mark.parametrize(("last_sale", "is_expected"), [(9, True), (6, True), (5, False)])
def test_a_store_is_expected_for_four_weeks_after_its_last_sale(last_sale: int, is_expected: bool) -> None:
    """A store that sold in any of the last four weeks is expected, one that did not has closed."""
    sales = sales_of((2, 1, 9), (5, 1, last_sale), (2, 1, 10))

    assert (5 in check_completeness(sales, WEEK_10).missing) is is_expected
    assert ((5, 1) in keys_of(expected_series(sales, WEEK_10))) is is_expected


@given(markets(max_weeks=6))
def test_every_expected_store_is_whole_or_named_with_what_it_lacks(market: Market) -> None:
    """Counted series by series: what was expected and is not there is missing with its store, or named."""
    found = check_completeness(market.sales, market.cutoff)
    age = (pd.Timestamp(market.cutoff) - market.sales["week"]).dt.days // 7
    expected, here = set(keys_of(market.sales[age.between(1, 4)])), set(keys_of(market.sales[age == 0]))
    assert set(found.expected) == {store for store, _ in expected}
    named = {(each.store, product) for each in found.incomplete for product in each.products}
    assert named | {key for key in expected if key[0] in found.missing} == expected - here
    assert not {store for store, _ in here} & set(found.missing)
    assert set(found.received) == {store for store, _ in here} - {each.store for each in found.incomplete}
    assert found.rows == len(here)


def test_later_weeks_do_not_make_a_store_expected() -> None:
    """What was sold afterwards has no bearing on an earlier week."""
    sales = sales_of((2, 1, 9), (2, 1, 10), (5, 1, 11))

    assert check_completeness(sales, WEEK_10).expected == (2,)


def test_a_new_store_is_received_without_being_expected() -> None:
    """A store that opens in the week is welcome, and its series is forecast."""
    sales = sales_of(*BEFORE, *ALL_OF_IT, (9, 1, 10))

    assert check_completeness(sales, WEEK_10).received == (2, 5, 9)
    assert check_completeness(sales, WEEK_10).expected == (2, 5)
    assert (9, 1) in set(active_series(sales, WEEK_10).itertuples(index=False, name=None))


def test_the_first_week_of_all_is_whole() -> None:
    """Where nothing was expected, whatever came is all there is."""
    completeness = check_completeness(sales_of((2, 1, 10)), WEEK_10)

    assert completeness.share_reporting == 1.0
    assert gate(completeness, ORANGE_JUICE, min_reporting=1.0).status == "whole"


def test_a_week_with_few_gaps_is_closed_with_them() -> None:
    """With at least `min_reporting` of the stores whole the week goes on, and its gaps stay in the report."""
    completeness = check_completeness(sales_of(*BEFORE, *ALL_OF_IT[:2]), WEEK_10)

    closed = gate(completeness, ORANGE_JUICE, min_reporting=0.5)

    assert closed.status == "closed_with_gaps"
    assert closed.missing == (5,)
    assert closed.accepted is None


def test_a_week_with_many_gaps_is_refused_with_their_names() -> None:
    """Below `min_reporting` the error carries who is missing and how many have reported."""
    completeness = check_completeness(sales_of(*BEFORE, (9, 1, 9), (2, 1, 10)), WEEK_10)

    with pytest.raises(WeekNotWhole) as caught:
        gate(completeness, ORANGE_JUICE, min_reporting=0.5)

    assert caught.value.missing == ("store 2 lacks brand 2", "store 5", "store 9")
    assert caught.value.reporting == 0.0
    assert "store 2 lacks brand 2; store 5; store 9" in str(caught.value)


FLOODED = Acceptance(by="Ada", why="store 5 is flooded", when=datetime(1989, 11, 23, 8, tzinfo=UTC))


@pytest.mark.parametrize("is_closed", [True, False])
def test_gaps_can_be_accepted_with_a_reason(is_closed: bool) -> None:
    """A person's word lets the week go on, before the deadline and after it, and is kept in the report."""
    completeness = check_completeness(sales_of(*BEFORE, *ALL_OF_IT[:2]), WEEK_10)

    accepted = gate(completeness, ORANGE_JUICE, min_reporting=0.9, is_closed=is_closed, accepted=FLOODED)

    assert accepted.status == "accepted_with_gaps"
    plain = adapter(CompletenessReport).dump_python(accepted, mode="json")
    assert plain["accepted"] == {"by": "Ada", "why": "store 5 is flooded", "when": "1989-11-23T08:00:00Z"}
    assert plain["week"] == "1989-11-16"


@pytest.mark.parametrize("min_reporting", [0.0, 0.5, 1.0])
def test_before_its_deadline_a_week_with_any_gap_is_waiting(min_reporting: float) -> None:
    """However few stores are needed after the deadline: those that are missing may still report."""
    one_missing = check_completeness(sales_of(*BEFORE, *ALL_OF_IT[:2]), WEEK_10)
    nothing_yet = check_completeness(sales_of(*BEFORE), WEEK_10)
    whole = check_completeness(sales_of(*BEFORE, *ALL_OF_IT), WEEK_10)

    assert gate(one_missing, ORANGE_JUICE, min_reporting=min_reporting, is_closed=False).status == "waiting"
    assert gate(nothing_yet, ORANGE_JUICE, min_reporting=min_reporting, is_closed=False).status == "waiting"
    assert gate(whole, ORANGE_JUICE, min_reporting=min_reporting, is_closed=False).status == "whole"


def test_what_is_whole_or_whole_enough_needs_no_acceptance() -> None:
    """A word that was given beforehand does not make a good week look like a bad one."""
    whole = check_completeness(sales_of(*BEFORE, *ALL_OF_IT), WEEK_10)
    half = check_completeness(sales_of(*BEFORE, *ALL_OF_IT[:2]), WEEK_10)

    assert gate(whole, ORANGE_JUICE, min_reporting=0.9, accepted=FLOODED).status == "whole"
    assert gate(half, ORANGE_JUICE, min_reporting=0.5, accepted=FLOODED).status == "closed_with_gaps"


@pytest.mark.parametrize("accepted", [None, FLOODED])
def test_a_week_of_which_nothing_came_cannot_be_accepted(accepted: Acceptance | None) -> None:
    """Without one row of the week there is nothing to go on with, whatever reason is given."""
    completeness = check_completeness(sales_of(*BEFORE), WEEK_10)

    with pytest.raises(DataError, match="No store has reported the week of 1989-11-16"):
        gate(completeness, ORANGE_JUICE, min_reporting=0.0, accepted=accepted)
    with pytest.raises(
        DataError, match=r"could be accepted \(not accepted: 81 wrong_header, 1 cut_row\); put its files"
    ):
        gate(completeness, ORANGE_JUICE, min_reporting=0.0, not_accepted={"wrong_header": 81, "cut_row": 1})


def test_a_week_of_which_only_broken_off_daily_files_came_cannot_be_accepted() -> None:
    """Days that were set aside are not a row of the week either."""
    completeness = check_completeness(sales_of(*BEFORE), WEEK_10, {(5, WEEK_10): (date(1989, 11, 22),)})

    with pytest.raises(DataError, match="No store has reported"):
        gate(completeness, ORANGE_JUICE, min_reporting=0.0, accepted=FLOODED)


def test_active_series_are_those_with_sales_in_the_last_quarter() -> None:
    """Thirteen weeks up to the cutoff; sorted, once each; what closed before or only comes later is not forecast."""
    sales = sales_of((5, 2, 20), (5, 2, 19), (2, 1, 8), (2, 2, 7), (8, 1, 21))

    active = active_series(sales, dominicks_week(20))

    assert list(active.itertuples(index=False, name=None)) == [(2, 1), (5, 2)]


def test_the_real_weeks_have_gaps_of_whole_stores(real_sales: pd.DataFrame) -> None:
    """What the module says of the data holds: 2.5 missing on average, 8 at most, one week in six is whole."""
    completeness = [check_completeness(real_sales, dominicks_week(number)) for number in range(44, 161)]
    missing = pd.Series([len(completeness.missing) for completeness in completeness])

    assert missing.mean() == pytest.approx(2.47, abs=0.005)
    assert missing.max() == 8
    assert (missing == 0).mean() == pytest.approx(1 / 6, abs=0.02)
    assert not any(completeness.incomplete for completeness in completeness)


def test_a_week_that_follows_no_known_week_is_refused() -> None:
    """A file dated a year ahead must not pass as a whole week because no store was expected in it."""
    astray = check_completeness(sales_of(*BEFORE, (2, 1, 62)), dominicks_week(62))

    with pytest.raises(DataError, match="the last week before it is .*correct the date of the file"):
        gate(astray, ORANGE_JUICE, min_reporting=0.9)

    accepted = gate(astray, ORANGE_JUICE, min_reporting=0.9, accepted=FLOODED)
    assert (accepted.status, accepted.accepted) == ("accepted_with_gaps", FLOODED)
