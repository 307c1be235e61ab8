"""What a run says of the forecast that it publishes."""

import pytest

from forecasting.clock import now
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.pipeline.batch import ForecastBatch, prepare
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.model_selection import ModelChoice
from forecasting.pipeline.publication import already_published, is_final, publish
from forecasting.storage.lake import Lake

SPEC = ForecastSpec(dominicks_week(135), model="mean")


@pytest.fixture
def batch(simulated_lake: Lake) -> ForecastBatch:
    return prepare(simulated_lake, SPEC, ModelChoice("mean", "always"), BatchSpec())


@pytest.mark.parametrize(("reason", "is_by_chance"), [(None, False), ("raised", False), ("worker_lost", True)])
def test_outcomes_are_counted_by_series_and_not_by_row(
    simulated_lake: Lake, batch: ForecastBatch, reason: str | None, is_by_chance: bool
) -> None:
    """A fallback counts once under its reason; one by chance is tried again by the next run, any other is final."""
    table = forecast(simulated_lake.sales.read(), simulated_lake.promotions.read(), SPEC)
    table.loc[table["store"].eq(2) & table["product"].eq(1), "reason"] = reason
    assert not is_final(simulated_lake, batch)
    published = publish(simulated_lake, [table], batch)
    assert (published.series, published.rows) == (913, 1826)
    assert published.series_by_model == {"mean": 913}
    assert published.fallbacks_by_reason == ({} if reason is None else {reason: 1})
    assert published.rows_without_plan == int((~table["promotion_known"]).sum())
    assert published.path == str(simulated_lake.forecasts.path(SPEC.cutoff))
    assert (published.is_new, published.run_id, published.partitions) == (True, batch.run_id, len(batch.partitions))
    assert published.revision is None
    assert is_final(simulated_lake, batch) is not is_by_chance
    again = already_published(simulated_lake, batch)
    assert (again.is_new, again.series, again.as_of) == (False, 913, batch.as_of)
    assert batch.as_of <= now()


def test_what_a_forecast_changed_is_part_of_the_result(simulated_lake: Lake, batch: ForecastBatch) -> None:
    """Against the one that it replaces."""
    table = forecast(simulated_lake.sales.read(), simulated_lake.promotions.read(), SPEC)
    publish(simulated_lake, [table], batch)
    is_changed = table["store"].eq(2) & table["product"].eq(1) & table["step"].eq(1)
    changed = table.assign(forecast=table["forecast"] + 2.0 * is_changed)
    changed.loc[is_changed, ["hi_80", "hi_95"]] += 2.0
    revision = publish(simulated_lake, [changed], batch).revision
    assert revision
    assert (revision.series_changed, revision.series_new, revision.series_gone) == (1, 0, 0)
    assert [(each.store, each.product, each.step) for each in revision.biggest] == [(2, 1, 1)]
