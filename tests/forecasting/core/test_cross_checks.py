"""Rules that look at several rows."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from forecasting.contracts.panel_definition import Key
from tests.forecasting.retailer import DAYS, HEADER, LEFT_OUT, SHOPS, TILL, WEEKS, history, sold, taken

MONDAY = date(2024, 1, 1)
DAY = timedelta(days=1)


def days(first: date, last: date, article: str = "x", units: str = "1", weekdays: range = range(7)) -> str:
    found = [first + DAY * step for step in range((last - first).days + 1)]
    return "".join(f"a,{article},{day},{units},2\n" for day in found if day.weekday() in weekdays)


def rules(text: str, **changes: str) -> dict[str, int]:
    return taken(text, replace(SHOPS, **changes)).quarantined_by_rule  # type: ignore[arg-type]


def test_the_week_of_a_file_is_the_last_with_units() -> None:
    """Rows after it are plans, rows before it are announced by their own week."""
    found = taken("a,x,2024-01-01,3,2\na,x,2024-01-08,4,2\na,x,2024-01-15,,1.5\n")
    assert found.file_weeks == {"sales.csv": date(2024, 1, 8)}
    assert [(str(row.announced.date()), str(row.week.date()), row.price) for row in found.promotions.itertuples()] == [
        ("2024-01-01", "2024-01-01", 2.0),
        ("2024-01-08", "2024-01-08", 2.0),
        ("2024-01-08", "2024-01-15", 1.5),
    ]


def test_a_row_of_the_past_without_units_is_what_the_definition_says() -> None:
    """An error of the sender, unknown, or 0."""
    text = "a,x,2024-01-01,,2\na,x,2024-01-08,4,2\n"
    assert rules(text) == {"missing_value": 1}
    unknown = taken(text, replace(SHOPS, empty_units="unknown"))
    assert (unknown.passed_over, len(unknown.sales)) == ({"unknown_units": 1}, 1)
    assert sold(taken(text, replace(SHOPS, empty_units="zero")))["a", "x", MONDAY] == 0


def test_a_file_without_any_units_has_plans_only_after_what_was_collected() -> None:
    """In an empty lake nobody can tell which weeks are past."""
    text = "a,x,2024-01-01,,2\na,x,2024-01-08,,2\n"
    found = taken(text)
    assert found.quarantined["detail"].str.contains("no row of the file has units").all()
    later = taken(text, collected=history(SHOPS, ("a", "x", "2024-01-01", 3)))
    assert (later.accepted, later.quarantined_by_rule) == (1, {"missing_value": 1})


def test_a_plan_that_says_nothing_is_a_row_without_units() -> None:
    """Such as the last line of a file that was cut."""
    layout = replace(WEEKS, columns={name: WEEKS.columns[name] for name in ("store", "product", "date", "units")})
    found = taken({"a.csv": "shop,article,day,pieces\na,x,2024-01-01,3\na,x,2024-01-08,\n"}, SHOPS, [layout])
    assert found.quarantined_by_rule == {"missing_value": 1}


def test_the_store_of_a_files_name_is_that_of_its_rows() -> None:
    """Numbers may have zeros before them in the name."""
    layout = replace(WEEKS, files="{store}.csv")
    found = taken({"a.csv": HEADER + "a,x,2024-01-01,3,2\nb,x,2024-01-01,3,2\n"}, SHOPS, [layout])
    assert found.quarantined[["rule", "store"]].to_numpy().tolist() == [["wrong_store", "b"]]
    assert "the file's name names the shop a" in found.quarantined["detail"].iloc[0]
    numbered = replace(SHOPS, store=Key("shop", "shops", "number"))
    assert taken({"002.csv": HEADER + "2,x,2024-01-01,3,2\n"}, numbered, [layout]).accepted == 1


def test_units_of_days_to_come_are_a_slip() -> None:
    """Where the day of the check is known."""
    text = "a,x,2024-01-01,3,2\na,x,2042-01-06,3,2\n"
    found = taken(text, today=date(2024, 1, 9))
    assert (found.quarantined_by_rule, found.file_weeks) == ({"future_units": 1}, {"sales.csv": MONDAY})


def test_of_two_files_of_all_weeks_the_newer_holds() -> None:
    """It corrects what the older one says; within one file two rows contradict each other."""
    files = {
        "old.csv": HEADER + "a,x,2024-01-01,3,2\n",
        "new.csv": HEADER + "a,x,2024-01-01,4,2\na,x,2024-01-08,5,2\n",
    }
    found = taken(files)
    assert (sold(found)["a", "x", MONDAY], found.dropped) == (4, 1)
    assert rules("a,x,2024-01-01,3,2\na,x,2024-01-01,4,2\nb,x,2024-01-01,4,2\n") == {"conflicting_duplicate": 2}


def test_a_file_of_transactions_that_is_sent_twice_counts_once() -> None:
    """Its rows could not be told from other purchases."""
    text = HEADER + days(MONDAY, MONDAY + DAY * 6)
    found = taken({"a.csv": text, "b.csv": text}, LEFT_OUT, [TILL])
    assert (sold(found)["a", "x", MONDAY], found.quarantined_by_rule) == (7, {"repeated_file": 1})


def test_a_week_that_lacks_a_day_is_unknown_where_unsold_days_are_written() -> None:
    """And a day of 0 is where they are left out, or where the file is named by its date."""
    text = days(MONDAY, MONDAY + DAY * 6) + days(MONDAY, MONDAY + DAY * 6, "y", weekdays=range(6))
    found = taken(text, SHOPS, [DAYS])
    assert (found.passed_over, list(sold(found))) == ({"partial_week": 6}, [("a", "x", MONDAY)])
    assert sold(taken(text, LEFT_OUT, [DAYS]))["a", "y", MONDAY] == 6


def test_an_unknown_day_makes_its_week_unknown() -> None:
    """Nobody knows the sum."""
    definition = replace(LEFT_OUT, empty_units="unknown")
    text = days(MONDAY, MONDAY + DAY * 5) + f"a,x,{MONDAY + DAY * 6},,2\n" + days(MONDAY, MONDAY + DAY * 6, "y")
    found = taken(text, definition, [DAYS])
    assert (found.passed_over, list(sold(found))) == ({"unknown_units": 7}, [("a", "y", MONDAY)])


@pytest.mark.parametrize("layout", [DAYS, TILL])
def test_a_week_of_which_a_row_is_quarantined_is_not_summed_without_it(layout: object) -> None:
    """Its other rows are passed over; those of other articles go on."""
    text = days(MONDAY, MONDAY + DAY * 5) + f"a,x,{MONDAY + DAY * 6},many,2\n" + days(MONDAY, MONDAY + DAY * 6, "y")
    found = taken(text, LEFT_OUT, [layout])  # type: ignore[list-item]
    assert (found.passed_over, found.quarantined_by_rule) == ({"unknown_units": 6}, {"not_a_number": 1})
    assert list(sold(found)) == [("a", "y", MONDAY)]


@pytest.mark.parametrize("layout", [DAYS, TILL])
def test_a_history_begins_and_ends_with_whole_weeks(layout: object) -> None:
    """The days before its first, and after its last, are no days of 0."""
    found = taken(days(MONDAY + DAY * 2, MONDAY + DAY * 23), LEFT_OUT, [layout])  # type: ignore[list-item]
    assert [week for _, _, week in sold(found)] == [MONDAY + DAY * 7, MONDAY + DAY * 14]
    assert found.passed_over == {"partial_week": 5 + 3}
    assert "the week of 2024-01-01" in found.notes[0]


def test_days_on_which_the_retailer_is_closed_are_learned() -> None:
    """From the weeks between the first and the last."""
    found = taken(days(MONDAY, MONDAY + DAY * 7 * 6 + DAY * 5, weekdays=range(1, 6)), LEFT_OUT, [TILL])
    assert len(found.sales) == 7


def test_a_week_sent_by_itself_may_end_with_a_closed_day() -> None:
    """But not in the middle."""
    before = history(LEFT_OUT, ("a", "x", "2023-12-25", 5))
    assert len(taken(days(MONDAY, MONDAY + DAY * 5), LEFT_OUT, [TILL], before).sales) == 1
    assert taken(days(MONDAY, MONDAY + DAY * 3), LEFT_OUT, [TILL], before).sales.empty


def test_a_collected_week_is_not_corrected_by_a_part_of_it() -> None:
    """A window of ten days begins within a week that was sent before."""
    before = history(LEFT_OUT, ("a", "x", "2024-01-01", 7))
    found = taken(days(MONDAY + DAY * 4, MONDAY + DAY * 13), LEFT_OUT, [TILL], before)
    assert sold(found) == {("a", "x", MONDAY + DAY * 7): 7}
