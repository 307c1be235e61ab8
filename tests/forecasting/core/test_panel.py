"""Tests of the panel and of the plan ahead of it."""

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.completeness import active_series
from forecasting.core.panel import (
    build_panel,
    complete_plan,
    complete_promotions,
    future_cells,
    guess_offers,
    series_of,
)
from forecasting.core.pool import MOST_POOLED, pooled_stores
from tests.strategies import Market, markets, shuffled, whole_offers

WEEK_1 = date(1991, 1, 3)
LAW = settings(max_examples=15, deadline=None)
STATED = ["price", "deal", "feat"]  # the covariates that the tests state


def week(number: int) -> pd.Timestamp:
    return pd.Timestamp(WEEK_1 + WEEK * (number - 1))


def sales_of(*rows: tuple[int, int, int, int]) -> pd.DataFrame:
    """Sales of (store, product, number of the week, units)."""
    frame = pd.DataFrame(rows, columns=["store", "product", "number", "units"])
    return orange_juice.SALES.cast(frame.assign(week=pd.DatetimeIndex([week(number) for number in frame["number"]])))


def plan_of(*rows: tuple[int, int, int, float, int, float]) -> pd.DataFrame:
    """Promotions of (store, product, number of the week, price, deal, feat)."""
    frame = pd.DataFrame(rows, columns=["store", "product", "number", *STATED])
    return orange_juice.PROMOTIONS.cast(
        whole_offers(frame.assign(week=pd.DatetimeIndex([week(number) for number in frame["number"]])))
    )


def panel_of(market: Market) -> pd.DataFrame:
    return build_panel(market.sales, market.promotions, active_series(market.sales, market.cutoff), market.cutoff)


def test_a_gap_stays_visible() -> None:
    """Every week from the first sale to the cutoff has a row, empty where nothing was reported."""
    sales = sales_of((2, 1, 2, 20), (2, 1, 4, 40), (5, 1, 1, 10), (5, 1, 5, 99))
    promotions = plan_of((2, 1, 2, 1.5, 1, 0.5), (2, 1, 3, 2.5, 0, 0.0))

    panel = build_panel(sales, promotions, series_of(sales), week(4).date())

    nan = float("nan")
    expected = pd.DataFrame(
        [
            (2, 1, week(2), 20, 1.5, 1, 0.5),
            (2, 1, week(3), nan, 2.5, 0, 0.0),
            (2, 1, week(4), 40, nan, nan, nan),
            (5, 1, week(1), 10, nan, nan, nan),
            (5, 1, week(2), nan, nan, nan, nan),
            (5, 1, week(3), nan, nan, nan, nan),
            (5, 1, week(4), nan, nan, nan, nan),
        ],
        columns=[*schemas.CELL, "units", *STATED],
    )
    pd.testing.assert_frame_equal(panel[expected.columns], expected, check_dtype=False)


@LAW
@given(markets())
def test_the_panel_holds_every_sale_of_its_series_and_invents_none(market: Market) -> None:
    """The rows with units are exactly the sales of the active series up to the cutoff."""
    panel = panel_of(market)
    series = active_series(market.sales, market.cutoff)

    past = market.sales[market.sales["week"] <= pd.Timestamp(market.cutoff)].merge(series, on=schemas.SERIES)
    found = panel.dropna(subset="units")[[*schemas.CELL, "units"]].reset_index(drop=True)

    expected = past.sort_values(schemas.CELL, ignore_index=True)[[*schemas.CELL, "units"]]
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


@LAW
@given(markets())
def test_every_series_runs_without_a_break_from_its_first_sale_to_the_cutoff(market: Market) -> None:
    """One row a week, none missing, none twice, none after the cutoff."""
    for _, rows in panel_of(market).groupby(schemas.SERIES):
        weeks = [day.date() for day in rows["week"]]

        assert pd.notna(rows["units"].iloc[0])
        assert weeks[-1] == market.cutoff
        assert all(later - earlier == WEEK for earlier, later in pairwise(weeks))


@LAW
@given(markets(), st.integers(0, 99))
def test_the_panel_does_not_depend_on_the_order_of_rows(market: Market, seed: int) -> None:
    """Shuffled sales and promotions give the same panel, to the bit."""
    other = Market(shuffled(market.sales, seed), shuffled(market.promotions, seed), market.cutoff)

    pd.testing.assert_frame_equal(panel_of(other), panel_of(market), check_exact=True)


@LAW
@given(markets(), st.integers(1, 4), st.integers(0, 3))
def test_there_is_one_future_cell_for_every_series_and_step(market: Market, horizon: int, gap: int) -> None:
    """The cells to forecast are series × steps, sorted, each in the week of its step."""
    series = active_series(market.sales, market.cutoff)
    spec = ForecastSpec(market.cutoff, horizon=horizon, gap=gap)

    cells = future_cells(shuffled(series, 1), spec)

    assert len(cells) == len(series) * horizon
    assert not cells.duplicated([*schemas.SERIES, "step"]).any()
    assert cells[[*schemas.SERIES, "step"]].apply(tuple, axis=1).is_monotonic_increasing
    assert [day.date() for day in cells["week"]] == [market.cutoff + WEEK * step for step in cells["step"]]


def test_series_are_distinct_and_sorted() -> None:
    """The series of a panel come once each, in order."""
    sales = sales_of((5, 1, 1, 1), (2, 2, 1, 1), (2, 1, 1, 1), (2, 1, 2, 1))

    assert list(series_of(sales).itertuples(index=False, name=None)) == [(2, 1), (2, 2), (5, 1)]


def cell(store: int, product: int, number: int) -> pd.DataFrame:
    return pd.DataFrame({"store": [store], "product": [product], "week": [week(number)]})


def test_a_known_plan_is_taken_as_it_is() -> None:
    """What a store planned for the week stands, and counts as known."""
    plan = complete_plan(plan_of((2, 1, 3, 1.5, 1, 0.5)), cell(2, 1, 3), week(2).date(), ORANGE_JUICE)

    assert plan[[*STATED, "known"]].to_numpy().tolist() == [[1.5, 1.0, 0.5, True]]


def test_an_unknown_plan_is_the_median_of_the_products_other_stores_that_week() -> None:
    """Promotions are planned for the chain: prices 1, 2 and 6 of three stores make 2, of this product and week only."""
    others = [(5, 1, 3, 1.0, 1, 0.5), (8, 1, 3, 2.0, 1, 1.0), (9, 1, 3, 6.0, 0, 0.0)]
    elsewhere = [(5, 2, 3, 9.0, 0, 0.0), (5, 1, 4, 9.0, 0, 0.0), (2, 1, 1, 9.0, 0, 0.0)]

    plan = complete_plan(plan_of(*others, *elsewhere), cell(2, 1, 3), week(2).date(), ORANGE_JUICE)

    assert plan[[*STATED, "known"]].to_numpy().tolist() == [[2.0, 1.0, 0.5, False]]


def test_without_any_plan_the_series_usual_price_is_expected_without_promotion() -> None:
    """The median of the series' own past prices (1, 2, 6: 2), no deal, no advert."""
    past = [(2, 1, 1, 1.0, 1, 1.0), (2, 1, 2, 2.0, 1, 1.0), (2, 1, 3, 6.0, 1, 1.0), (5, 1, 3, 9.0, 0, 0.0)]

    plan = complete_plan(plan_of(*past), cell(2, 1, 5), week(3).date(), ORANGE_JUICE)

    assert plan[[*STATED, "known"]].to_numpy().tolist() == [[2.0, 0.0, 0.0, False]]


def test_a_series_without_a_past_price_takes_its_products() -> None:
    """A new series has the product's usual price in the other stores."""
    plan = complete_plan(
        plan_of((5, 1, 1, 3.0, 1, 1.0), (5, 2, 1, 9.0, 0, 0.0)), cell(2, 1, 5), week(3).date(), ORANGE_JUICE
    )

    assert plan[[*STATED, "known"]].to_numpy().tolist() == [[3.0, 0.0, 0.0, False]]


def test_the_usual_price_is_taken_from_the_past_alone() -> None:
    """A price planned for a week after the cutoff does not change what was usual before it."""
    past, planned = (2, 1, 1, 2.0, 0, 0.0), (2, 1, 4, 8.0, 0, 0.0)

    plan = complete_plan(plan_of(past, planned), cell(2, 1, 5), week(3).date(), ORANGE_JUICE)

    assert plan["price"].tolist() == [2.0]


@LAW
@given(markets())
def test_a_completed_plan_has_no_gap_where_the_product_ever_had_a_price(market: Market) -> None:
    """One row a cell, in the cells' order, with finite promotions and a price wherever one can be guessed."""
    cells = future_cells(active_series(market.sales, market.cutoff), ForecastSpec(market.cutoff))

    plan = complete_plan(market.promotions, cells, market.cutoff, ORANGE_JUICE)

    past = market.promotions[market.promotions["week"] <= pd.Timestamp(market.cutoff)]
    priced = plan["product"].isin(past["product"])
    assert plan[schemas.CELL].to_numpy().tolist() == cells[schemas.CELL].to_numpy().tolist()
    assert np.isfinite(plan[["deal", "feat"]]).all(axis=None)
    assert np.isfinite(plan.loc[priced, "price"]).all()


def test_promotions_are_completed_for_rivals_and_for_every_week_to_the_last() -> None:
    """Series (2, 1) and its rival product 2: announced plans stay, the rest is the usual price, no promotion."""
    past = [(2, 1, 1, 2.0, 0, 0.0), (2, 1, 2, 1.0, 1, 1.0), (2, 1, 3, 2.5, 0, 0.0), (2, 2, 3, 3.0, 1, 1.0)]
    announced, too_late = (2, 1, 5, 1.5, 1, 0.5), (2, 1, 6, 9.0, 0, 0.0)
    series = pd.DataFrame({"store": [2], "product": [1]})

    found = complete_promotions(
        plan_of(*past, announced, too_late), series, week(3).date(), week(5).date(), ORANGE_JUICE
    )

    nothing_promoted = [(2, 1, week(4), 2.0, 0, 0.0), (2, 2, week(4), 3.0, 0, 0.0), (2, 2, week(5), 3.0, 0, 0.0)]
    expected = plan_of(*past, announced)
    pd.testing.assert_frame_equal(found[found["known"]].drop(columns="known"), expected, check_exact=True)
    assumed = found[~found["known"]].sort_values(["product", "week"])[[*schemas.CELL, *STATED]]
    assert list(assumed.itertuples(index=False, name=None)) == nothing_promoted
    assert found.dtypes[expected.columns].equals(expected.dtypes)


def test_an_announcement_without_a_price_is_completed() -> None:
    """An empty price in a coming week is none; in the past it stays empty."""
    plan = plan_of((2, 1, 1, 2.0, 0, 0.0), (2, 1, 2, 2.0, 0, 0.0), (2, 1, 3, 2.0, 1, 1.0))
    plan.loc[1:, "price"] = np.nan

    found = complete_promotions(plan, series_of(plan), week(2).date(), week(3).date(), ORANGE_JUICE)

    assert found["week"].tolist() == [week(1), week(2), week(3)]
    np.testing.assert_array_equal(found["price"], [2.0, np.nan, 2.0])
    assert found["known"].tolist() == [True, False, False]


@LAW
@given(markets(), st.integers(1, 4))
def test_completing_promotions_twice_changes_nothing(market: Market, ahead: int) -> None:
    """One row a cell, and what was assumed stands when it is announced."""
    series, last = active_series(market.sales, market.cutoff), market.cutoff + WEEK * ahead

    once = complete_promotions(market.promotions, series, market.cutoff, last, ORANGE_JUICE)

    twice = complete_promotions(once.drop(columns="known"), series, market.cutoff, last, ORANGE_JUICE)
    assert not once.duplicated(schemas.CELL).any()
    pd.testing.assert_frame_equal(twice.drop(columns="known"), once.drop(columns="known"), check_exact=True)
    assert twice["known"].all()


@LAW
@given(markets(), st.integers(1, 4), st.integers(0, 99))
def test_stores_are_completed_one_by_one_as_all_at_once(market: Market, ahead: int, seed: int) -> None:
    """With guesses made once from all stores: the same rows, to the bit."""
    series, last = active_series(market.sales, market.cutoff), market.cutoff + WEEK * ahead
    hidden = np.random.default_rng(seed).random(len(market.promotions)) < 0.3
    promotions = market.promotions[~hidden]
    weeks = pd.date_range(market.cutoff + WEEK, last, freq="7D", unit="us")
    guesses = guess_offers(promotions, weeks, market.cutoff, ORANGE_JUICE)

    parts = [
        complete_promotions(
            promotions[promotions["store"] == store], of_store, market.cutoff, last, ORANGE_JUICE, guesses
        )
        for store, of_store in series.groupby("store")
    ]

    whole = complete_promotions(promotions, series, market.cutoff, last, ORANGE_JUICE)
    whole = whole[whole["store"].isin(series["store"])]
    found, expected = (
        rows.sort_values(schemas.CELL, ignore_index=True) for rows in (pd.concat(parts, ignore_index=True), whole)
    )
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_guesses_come_from_the_pooled_stores() -> None:
    """A store that is not pooled announces an absurd price: it moves no guess."""
    stores = np.arange(1, MOST_POOLED + 11)
    outside = int(np.setdiff1d(stores, stores[pooled_stores(stores)])[0])
    plan = plan_of(*[(int(store), 1, number, 2.0, 0, 0.0) for store in stores for number in (1, 2)])
    absurd = plan.assign(price=plan["price"].mask(plan["store"] == outside, 99.0))

    before, after = (
        guess_offers(rows, pd.DatetimeIndex([week(2)]), week(1).date(), ORANGE_JUICE) for rows in (plan, absurd)
    )

    pd.testing.assert_frame_equal(before, after, check_exact=True)
    assert before["week"].tolist() == [week(2), pd.NaT]
    assert before["price"].tolist() == [2.0, 2.0]
