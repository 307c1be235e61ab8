"""Sums, and the interval of the total."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.presentation.html.figures import expected_totals, interval, product_charts, total_chart
from tests.forecasting.presentation.material import earlier_forecasts, made_up


def test_the_total_has_an_interval_once_nine_weeks_were_sold() -> None:
    """It is its forecast times the smallest and the largest past ratio; with eight weeks there is none."""
    week = made_up()
    eight = expected_totals(replace(week, earlier=earlier_forecasts(week, 8)))[0]
    assert (eight.lo, eight.hi, eight.weeks_of_errors) == (None, None, 8)
    nine = expected_totals(replace(week, earlier=earlier_forecasts(week, 9)))[0]
    sold = week.actual.groupby("week")["units"].sum().tail(9)
    assert nine.units == 600
    assert nine.lo == pytest.approx(sold.min())
    assert nine.hi == pytest.approx(sold.max())


@given(st.integers(9, 60), st.integers(0, 2**32 - 1))
def test_an_interval_of_past_ratios_contains_what_it_says(weeks: int, seed: int) -> None:
    """Its ends are order statistics between which the next of exchangeable ratios lies in at least 80 % of weeks."""
    ratios = np.sort(np.random.default_rng(seed).lognormal(size=weeks))
    lo, hi = interval(ratios) or (0, 0)
    below, above = int((ratios < lo).sum()) + 1, int((ratios > hi).sum()) + 1
    assert lo <= hi
    assert (weeks + 1 - below - above) / (weeks + 1) >= 0.8 - 1e-9


def test_the_total_counts_every_series_once() -> None:
    """Sold and expected weeks add up to the report's units."""
    week = made_up()
    rows = total_chart(week, expected_totals(week))
    assert sum(row.units for row in rows) == pytest.approx(week.report["units"].sum())


def test_products_come_biggest_first() -> None:
    """Each with its own weeks."""
    week = made_up()
    table = week.report.copy()
    table.loc[table["product"] == 2, "units"] *= 3
    rows = product_charts(replace(week, report=table))
    assert [row.product for row in rows] == [2, 1]
    assert rows[0].expected == 900
    assert len(rows[0].weeks) == 32
