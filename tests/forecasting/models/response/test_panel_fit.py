"""Tests of the fit of a panel: what is fitted at once, what a product depends on, and stores in parts."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts.spec import ForecastSpec
from forecasting.core.pool import MOST_POOLED, Pool, pooled_stores
from forecasting.models.price_response import PriceResponse
from forecasting.models.response.panel_fit import MOST_AT_ONCE, fit_groups, fit_products, learn_pool
from tests.forecasting.models.made_up import CUTOFF, definition_of, panel_of

Panel = tuple[pd.DataFrame, pd.DataFrame, ForecastSpec]
MANY = MOST_POOLED + 40


def test_many_products_are_fitted_at_once_and_do_not_depend_on_each_other() -> None:
    """Of one store: as many groups as the limit asks for, and each product as if it were alone in the panel."""
    panel, promotions, spec = panel_of(definition_of("price"), stores=1, products=MOST_AT_ONCE + 4)

    sizes = [len(group.sales) for group in fit_groups(panel, promotions, spec)]
    fits = fit_products(panel, promotions, spec)

    assert sizes == [MOST_AT_ONCE, 4]
    assert [fit.product for fit in fits] == sorted(panel["product"].unique())
    for fit in (fits[0], fits[-1]):
        (alone,) = fit_products(panel[panel["product"] == fit.product], promotions, spec)
        assert np.array_equal(alone.forecasts, fit.forecasts, equal_nan=True)
        assert np.array_equal(alone.log_samples(), fit.log_samples())


def test_products_of_other_stores_or_weeks_are_fitted_apart() -> None:
    """One product is sold in two stores of three, another since last year only."""
    panel, promotions, spec = panel_of(definition_of("price"), products=4)
    late = (panel["product"] == "p 002") & (panel["week"] < pd.Timestamp("1991-06-01"))
    elsewhere = (panel["product"] == "p 001") & (panel["store"] == "s 000")

    fits = fit_products(panel[~late & ~elsewhere], promotions, spec)

    assert [len(fit.offers.stores) for fit in fits] == [3, 2, 3, 3]
    assert fits[2].today < fits[0].today


def log_samples(panel: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, pool: Pool | None) -> pd.DataFrame:
    """The forecast's samples in logs, by series and step; 0 units are -1."""
    found = PriceResponse().forecast(panel, promotions, spec, pool)
    logs = np.log(found.samples, where=found.samples > 0, out=np.full(found.samples.shape, -1.0))
    return pd.DataFrame(logs, index=pd.MultiIndex.from_frame(found.frame[["product", "store", "step"]])).sort_index()


def buckets(panel: Panel, size: int) -> Iterator[Panel]:
    """The panel cut into buckets of so many stores."""
    sales, promotions, spec = panel
    stores = np.sort(sales["store"].unique())
    for begin in range(0, len(stores), size):
        here = stores[begin : begin + size]
        yield sales[sales["store"].isin(here)], promotions[promotions["store"].isin(here)], spec


def with_gaps(panel: Panel, seed: int) -> Panel:
    """The panel without a fifth of its sales and past offers, and one product in some stores only."""
    sales, promotions, spec = panel
    values = np.random.default_rng(seed)
    elsewhere = (sales["product"] == "p 001") & (sales["store"] > "s 003")
    sales = sales[~elsewhere].assign(units=lambda rows: rows["units"].mask(values.random(len(rows)) < 0.2))
    past = promotions["week"] <= pd.Timestamp(spec.cutoff)
    return sales, promotions[~past | (values.random(len(promotions)) < 0.8)], spec


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.sampled_from(["price", "flag", "share", "number"]), max_size=4),
    st.integers(1, 9),
    st.integers(0, 99),
)
def test_buckets_of_any_size_are_forecast_as_the_whole(roles: list[str], size: int, seed: int) -> None:
    """By the pool of all stores, written down and read: whatever the covariates and gaps, in logs to 1e-9."""
    panel = with_gaps(panel_of(definition_of(*roles), stores=9), seed)
    pool = Pool.from_bytes(learn_pool(*panel).to_bytes())

    parts = pd.concat([log_samples(*bucket, pool) for bucket in buckets(panel, size)]).sort_index()

    whole = log_samples(*panel, None)
    assert parts.index.equals(whole.index)
    assert parts.to_numpy() == pytest.approx(whole.to_numpy(), abs=1e-9)


@pytest.fixture(scope="module")
def many() -> Panel:
    """One product more in stores than are pooled, and one in few of them."""
    sales, promotions, spec = panel_of(definition_of("price"), stores=MANY, products=2)
    return sales[(sales["product"] == "p 000") | (sales["store"] < "s 003")], promotions, spec


def test_beyond_the_cap_the_pooled_stores_teach_all(many: Panel) -> None:
    """The pool of the pooled stores alone gives the same forecast as the panel of all, in buckets too."""
    sales, promotions, spec = many
    stores = np.sort(sales["store"].unique())
    pooled = stores[pooled_stores(stores)]
    few = sales["store"].isin(pooled) | (sales["product"] == "p 001")

    pool = learn_pool(sales[few], promotions, spec)

    whole = log_samples(*many, None)
    parts = pd.concat([log_samples(*bucket, pool) for bucket in buckets(many, 200)]).sort_index()
    assert len(whole) == (MANY + 3) * 2
    assert parts.to_numpy() == pytest.approx(whole.to_numpy(), abs=1e-9)


def test_other_stores_teach_nothing(many: Panel) -> None:
    """Absurd sales of a store that is not pooled change the forecast of no other store."""
    sales, promotions, spec = many
    stores = np.sort(sales["store"].unique())
    outside = np.setdiff1d(stores, stores[pooled_stores(stores)])[-1]
    absurd = sales.assign(units=sales["units"].mask(sales["store"] == outside, 1e6))

    before, after = (log_samples(rows, promotions, spec, None) for rows in (sales, absurd))

    others = before.index.get_level_values("store") != outside
    assert np.array_equal(before[others], after[others])
    assert (before[~others] != after[~others]).any(axis=None)


def test_a_product_within_the_cap_does_not_notice_one_beyond_it(many: Panel) -> None:
    """Its forecast has the same bits as without the other's many stores."""
    sales, promotions, spec = many
    alone = log_samples(sales[sales["product"] == "p 001"], promotions, spec, None)
    assert np.array_equal(log_samples(*many, None).loc["p 001"], alone.loc["p 001"])


def test_a_fitted_model_of_many_stores_predicts_what_it_forecasts(many: Panel) -> None:
    """Parameters learnt from the pooled stores, a row of its own for every store."""
    model = PriceResponse()
    found = model.predict(model.fit(*many), *many)

    expected = model.forecast(*many)
    pd.testing.assert_frame_equal(found.frame, expected.frame)
    assert found.samples == pytest.approx(expected.samples, rel=1e-9)


def test_a_pool_of_other_products_or_weeks_is_refused() -> None:
    """With a sentence that names the product or the week."""
    panel, promotions, spec = panel_of(definition_of("price"))
    pool = learn_pool(panel[panel["product"] != "p 001"], promotions, spec)
    with pytest.raises(ValueError, match="nothing was learnt of article p 001"):
        list(fit_groups(panel, promotions, spec, pool))
    with pytest.raises(ValueError, match="not learnt for forecasts up to 1992-02-20"):
        list(fit_groups(panel[panel["product"] == "p 000"], promotions, ForecastSpec(CUTOFF, gap=1), pool))
