"""What rows tell: grain, opening day, what is missing, totals."""

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts.errors import DataError
from forecasting.contracts.layout import Grain
from forecasting.core.column_roles import assign_roles
from forecasting.core.key_columns import NO_DAY
from forecasting.core.panel_rows import (
    PanelRows,
    Totals,
    empty_in_past,
    find_grain,
    find_totals,
    find_unsold,
    opening_day,
    words_of,
)
from tests.forecasting.core.sampled import sampled


def rows(start: str = "2024-01-01", periods: int = 20, freq: str = "D", keys: int = 2) -> PanelRows:
    days = pd.date_range(start, periods=periods, freq=freq).to_numpy().astype("datetime64[D]").astype(np.int64)
    n = keys * periods
    return PanelRows(np.repeat(np.arange(keys), periods), np.tile(days, keys), np.arange(n) % 7 + 1.0)


def grain(found: PanelRows, repeats: float = 0, *, has_receipts: bool = False) -> Grain:
    return find_grain(found, repeats, file="x.csv", is_named_week=False, has_receipts=has_receipts)


def test_grains() -> None:
    """Distances of days and weeks; many rows a day are transactions."""
    assert grain(rows()) == "day"
    assert grain(rows(freq="7D")) == "week"
    assert grain(rows(freq="7D"), 0.2) == "transaction"
    assert grain(rows(), has_receipts=True) == "transaction"
    moved = rows(freq="7D", periods=50)
    moved.days[:3] += 1
    assert grain(moved) == "transaction"  # a few weeks are named by another weekday
    one = PanelRows(np.array([0]), np.array([19_000]), np.array([1.0]))
    assert grain(one) == "day"
    assert find_grain(one, 0, file="x", is_named_week=True, has_receipts=False) == "week"


def test_months_are_refused() -> None:
    """No weeks can be made of them."""
    with pytest.raises(DataError, match=r"dates of x.csv lie 31 days apart"):
        grain(rows(freq="MS"))


@pytest.mark.parametrize(("start", "weekday"), [("2024-01-01", 0), ("2024-01-05", 4), ("2024-01-07", 6)])
def test_weeks_open_on_the_weekday_of_their_dates(start: str, weekday: int) -> None:
    """Whichever it is."""
    assert opening_day(rows(start, freq="7D"), "week") == (weekday, "")


def test_the_last_day_closes_a_week() -> None:
    """Days up to a Thursday: weeks open on Friday; days without units are not the last."""
    found = rows("2024-01-01", periods=18)  # to Thursday, 18 January
    assert opening_day(found, "day") == (4, "")
    found.units[found.days == found.days.max()] = np.nan
    assert opening_day(found, "transaction") == (3, "")


def test_missing_rows() -> None:
    """Complete series are written; gaps without zeros are left out."""
    whole = rows(periods=40)
    assert find_unsold(whole, "day") == ("written", "")
    keep = np.arange(80) % 7 != 3
    gaps = PanelRows(whole.keys[keep], whole.days[keep], whole.units[keep])
    unsold, doubt = find_unsold(gaps, "day")
    assert unsold == "left_out"
    assert "11 of 80 rows" in doubt
    zeros = PanelRows(gaps.keys, gaps.days, np.where(gaps.units < 4, 0, gaps.units))
    assert find_unsold(zeros, "day")[0] == "written"
    assert find_unsold(whole, "transaction") == ("left_out", "")


def test_closed_days() -> None:
    """A week without Sundays is whole: its missing days are 0 units."""
    found = rows(periods=42)
    is_open = (found.days + 3) % 7 != 6
    unsold, doubt = find_unsold(PanelRows(found.keys[is_open], found.days[is_open], found.units[is_open]), "day")
    assert unsold == "left_out"
    assert "5 of 41 days have no row at all" in doubt


def test_rows_without_a_date_are_not_missing() -> None:
    """They are there, though nobody knows when."""
    found = rows(periods=40)
    days = np.where(np.arange(80) % 9 == 3, NO_DAY, found.days)
    assert find_unsold(PanelRows(found.keys, days, found.units), "day") == ("written", "")


def test_units_that_are_empty_in_the_past() -> None:
    """Those after the last units are plans."""
    found = rows(periods=10, keys=1)
    found.units[[3, 8, 9]] = np.nan
    assert empty_in_past(found) == 1
    found.units[:] = np.nan
    assert empty_in_past(found) == 0


def totals(stores: dict[str, float]) -> Totals:
    text = "\n".join(
        f"{store},2024-01-{day + 1:02d},{units * (day + 1)}" for store, units in stores.items() for day in range(9)
    )
    file = sampled(f"store,date,units\n{text}")
    roles = assign_roles(file, is_plan_possible=False)
    store = next(each for each in roles.others if each.name == "store")
    assert roles.units is not None
    days = np.tile(np.arange(9), len(stores))
    return find_totals(store, PanelRows(store.column.codes, days, roles.units.values()))


@pytest.mark.parametrize("name", ["Total", "TotalUS", "Grand Total", "total_us", "Gesamt", "ALL STORES"])
def test_totals_by_name(name: str) -> None:
    """They are left out, and the doubt compares them with the others."""
    found = totals({"a": 1, "b": 2, name: 3})
    assert found.named == (name,)
    assert "the others together have 1.00 times its units" in found.doubts[0]


def test_totals_beside_totals() -> None:
    """Regions and their parts: more than the total."""
    assert "some of them are totals too" in totals({"a": 1, "b": 2, "west": 3, "Total": 3}).doubts[0]


def test_totals_by_sum_are_only_doubted() -> None:
    """A name tells more than a sum."""
    found = totals({"a": 1, "b": 2, "x": 3})
    assert found.named == ()
    assert "`x` in `store` has the sum of all others" in found.doubts[0]
    assert totals({"a": 1, "b": 2, "Totnes": 5}) == Totals((), ())


def test_many_names_are_cut() -> None:
    """Six, and the count of the rest."""
    assert words_of(["a", "b"]) == "`a`, `b`"
    assert words_of(list("abcdefgh")).endswith("and 2 more")
