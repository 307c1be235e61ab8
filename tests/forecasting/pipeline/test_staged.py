"""The parts of a forecast in the lake make one table, in order of its key."""

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import pytest

from forecasting.contracts.errors import RunError
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.parts import forecast_part
from forecasting.pipeline.staged import StagedForecast
from forecasting.storage.lake import Lake
from tests.forecasting.pipeline.batches import batch_of

SERIES = ["store", "product"]


@pytest.fixture
def staged(history: Lake) -> Iterator[StagedForecast]:
    """All parts of the mean, written by workers."""
    batch = batch_of(history, "mean", 7)
    parts = {}
    for partition in batch.partitions:
        part = forecast_part(partition, batch.reader)
        assert part.rows is None
        assert part.reasons == {}
        parts[partition.name] = (part.name,)
    yield StagedForecast(history, batch.partitions, batch.reader, parts, {})
    history.partials.clear(batch.run_id)


def test_the_parts_are_the_forecast(staged: StagedForecast, history: Lake) -> None:
    """In order of the key, one part at a time where they do not overlap, and to the last bit."""
    frames = list(staged.frames())
    assert len(frames) == len(staged.partitions) > 3
    whole = forecast(history.sales.read(), history.promotions.read(), staged.reader.spec)
    pd.testing.assert_frame_equal(pd.concat(frames, ignore_index=True), whole, check_exact=True)


def test_parts_that_overlap_are_sorted_together(history: Lake) -> None:
    """As those of a model that pools a product's stores."""
    batch = batch_of(history, "price_response", 8)
    parts = {each.name: (forecast_part(each, batch.reader).name,) for each in batch.partitions}
    (table,) = StagedForecast(history, batch.partitions, batch.reader, parts, {}).frames()
    whole = forecast(history.sales.read(), history.promotions.read(), batch.spec)
    pd.testing.assert_frame_equal(table, whole, check_exact=True)
    history.partials.clear(batch.run_id)


def test_a_failed_series_gets_the_fallback(staged: StagedForecast) -> None:
    """Its rows are replaced, those of all others stay."""
    undisturbed = pd.concat(staged.frames(), ignore_index=True)
    key = (5, 3)
    table = pd.concat(replace(staged, reasons={key: "timed_out"}).frames(), ignore_index=True)
    failed = pd.MultiIndex.from_frame(table[SERIES]).isin([key])
    assert table.loc[failed, "reason"].tolist() == ["timed_out"] * 2
    pd.testing.assert_frame_equal(table[~failed], undisturbed[~failed], check_exact=True)


def test_a_part_that_is_gone_is_not_passed_over(staged: StagedForecast, history: Lake) -> None:
    """It is named, and nothing is published."""
    name = staged.partitions[1].name
    (history.partials.folder(staged.reader.run_id) / "partitions" / f"{name}.parquet").delete()
    with pytest.raises(RunError, match=f"The part {name} of the run"):
        list(staged.frames())
