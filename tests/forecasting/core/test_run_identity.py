"""Tests of a run's identity and summary."""

from dataclasses import replace
from typing import Any

import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from forecasting.contracts import orange_juice
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.run_identity import identify
from tests.strategies import Market, markets, shuffled, whole_offers

LAW = settings(max_examples=15, deadline=None)


def identity(market: Market, spec: ForecastSpec | None = None, **changes: Any) -> str:
    given_values = {
        "sales": market.sales,
        "promotions": market.promotions,
        "spec": spec or ForecastSpec(market.cutoff, model="naive"),
        "options": {"accept_gaps": None},
        "code": "abc",
    }
    return identify(**{**given_values, **changes})


@LAW
@given(markets(), st.integers(0, 99))
def test_a_run_id_does_not_depend_on_the_order_of_rows_and_columns(market: Market, seed: int) -> None:
    """The same rows in any order are the same run: 16 hexadecimal digits."""
    sales, promotions = shuffled(market.sales, seed), shuffled(market.promotions, seed)

    run_id = identity(market)

    assert identity(market, sales=sales[sales.columns[::-1]], promotions=promotions) == run_id
    assert len(run_id) == 16
    assert int(run_id, 16) >= 0


@LAW
@given(markets(), st.data())
def test_a_run_id_changes_with_any_value_that_counts(market: Market, data: st.DataObject) -> None:
    """One carton or one cent more anywhere up to cutoff and horizon, or one row less, makes it another run."""
    spec = ForecastSpec(market.cutoff, model="naive")
    table = data.draw(st.sampled_from(["sales", "promotions"]))
    last = market.cutoff if table == "sales" else spec.weeks[-1]
    frame: pd.DataFrame = getattr(market, table)
    counts = frame[frame["week"] <= pd.Timestamp(last)]
    column = data.draw(st.sampled_from([name for name in frame.columns if name != "week"]))
    assume(not counts.empty)
    row = data.draw(st.sampled_from(list(counts.index)))
    changed = frame.copy()
    changed.loc[row, column] += 1

    assert identity(market, spec, **{table: changed}) != identity(market, spec)
    assert identity(market, spec, **{table: frame.drop(index=row)}) != identity(market, spec)


@LAW
@given(markets())
def test_a_run_id_does_not_see_what_the_forecast_does_not_see(market: Market) -> None:
    """Sales after the cutoff and promotions beyond the horizon leave the identity as it is."""
    spec = ForecastSpec(market.cutoff, model="naive")
    sales = market.sales[market.sales["week"] <= pd.Timestamp(market.cutoff)]
    promotions = market.promotions[market.promotions["week"] <= pd.Timestamp(spec.weeks[-1])]

    assert identity(market, spec, sales=sales, promotions=promotions) == identity(market, spec)


@settings(max_examples=10, deadline=None)
@given(markets(min_weeks=3))
def test_a_run_id_changes_with_every_option_and_with_the_code(market: Market) -> None:
    """Cutoff, horizon, gap, model, point, any further option and the code each make another run."""
    spec = ForecastSpec(market.cutoff, model="naive")
    others = [
        replace(spec, cutoff=market.sales["week"].min().date()),
        replace(spec, horizon=3),
        replace(spec, gap=1),
        replace(spec, model="mean"),
        replace(spec, point="mean"),
        replace(spec, point="mape"),
    ]

    ids = [
        identity(market, spec),
        *(identity(market, other) for other in others if other != spec),
        identity(market, spec, code="abd"),
        identity(market, spec, options={"accept_gaps": "flood"}),
        identity(market, spec, options={}),
    ]

    assert len(set(ids)) == len(ids)


def test_sales_and_promotions_do_not_stand_in_for_each_other() -> None:
    """A run on no sales and a run on no promotions have different identities."""
    week = pd.DatetimeIndex(["1991-01-03"])
    sales = orange_juice.SALES.cast(pd.DataFrame({"store": 2, "product": 1, "week": week, "units": 1}))
    promotions = orange_juice.PROMOTIONS.cast(
        whole_offers(pd.DataFrame({"store": 2, "product": 1, "week": week, "price": 1.0, "deal": 0, "feat": 0.0}))
    )
    spec = ForecastSpec(week[0].date())

    ids = {
        identify(sales, orange_juice.PROMOTIONS.empty(), spec, {}, ""),
        identify(orange_juice.SALES.empty(), promotions, spec, {}, ""),
        identify(sales, promotions, spec, {}, ""),
    }

    assert len(ids) == 3
