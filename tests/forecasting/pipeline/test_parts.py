"""A worker reads the rows that a cut of the whole panel would give it; the parts make one forecast."""

import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from forecasting.compute.transfer import RowsUnreadable
from forecasting.contracts.errors import RunError
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.core.partition import Partition
from forecasting.pipeline.batch import ForecastBatch, prepare
from forecasting.pipeline.forecast import forecast, make_partitions, train
from forecasting.pipeline.model_selection import ModelChoice
from forecasting.pipeline.parts import StagedForecast, forecast_part
from forecasting.storage.lake import Lake
from tests.small import small_lake

CUTOFF = dominicks_week(130)
SERIES = ["store", "product"]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Four real stores; of the coming weeks half of the plans are not announced."""
    lake = small_lake(tmp_path_factory.mktemp("parts") / "lake", dominicks_week(110), CUTOFF)
    rows = lake.promotions.read()
    ahead = rows["week"] > pd.Timestamp(CUTOFF)
    unannounced = ahead & (rows["store"].isin([2, 5]) | (rows["product"] == 4))
    lake.promotions.path(dominicks_week(110)).delete()
    lake.promotions.add(rows[~unannounced].assign(announced=pd.Timestamp(dominicks_week(110))))
    return lake


def batch_of(lake: Lake, model: str, size: int) -> ForecastBatch:
    batch = prepare(lake, ForecastSpec(CUTOFF, model=model), ModelChoice(model, "always"), BatchSpec(size))
    lake.partials.begin(batch.run_id)
    return batch


@pytest.mark.parametrize(("model", "size"), [("mean", 7), ("mean", 1), ("mean", 100), ("price_response", 8)])
def test_a_partition_is_read_as_the_whole_panel_would_be_cut(model: str, size: int, history: Lake) -> None:
    """Also where a plan that a store has not announced is taken from stores that the worker does not read."""
    batch = batch_of(history, model, size)
    expected = make_partitions(history.sales.read(), history.promotions.read(), batch.spec, size)
    assert [each.name for each in batch.partitions] == [each.name for each in expected]
    for partition, cut in zip(batch.partitions, expected, strict=True):
        data = batch.reader.read(partition)
        pd.testing.assert_frame_equal(data.panel, cut.panel, check_exact=True)
        pd.testing.assert_frame_equal(data.promotions, cut.promotions, check_exact=True)
        pd.testing.assert_frame_equal(partition.series, cut.series, check_exact=True)


def test_a_worker_predicts_by_the_registered_model(history: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the parameters of its partition only; the rows are those of the model in memory."""
    spec = ForecastSpec(CUTOFF, model="theta")
    sales, promotions = history.sales.read(), history.promotions.read()
    fitted = train(sales, promotions, replace(spec, cutoff=dominicks_week(125)))
    monkeypatch.setattr("forecasting.pipeline.parts._model", lambda url, version: fitted)
    batch = batch_of(history, "theta", 7)
    reader = replace(batch.reader, version="v1")
    for partition, cut in zip(batch.partitions, make_partitions(sales, promotions, spec, 7, fitted), strict=True):
        found = reader.read(partition).fitted
        assert found
        assert cut.fitted
        assert found.spec == cut.fitted.spec
        pd.testing.assert_frame_equal(found.parameters, cut.fitted.parameters, check_exact=True)


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


def test_rows_that_were_sent_come_back(history: Lake) -> None:
    """Of a worker that does not reach the lake; it writes nothing."""
    batch = batch_of(history, "mean", 7)
    part = forecast_part(batch.reader.read(batch.partitions[0]), batch.reader)
    assert part.rows is not None
    assert len(part.rows) == 2 * len(batch.partitions[0].series)
    assert history.partials.read(batch.run_id, part.name) is None


@pytest.mark.parametrize("url", ["no-such-folder", "s3://no-such-bucket/lake"])
def test_a_lake_that_is_not_seen_is_an_error_of_its_own(
    url: str, history: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the rows can be sent instead."""
    batch = batch_of(history, "mean", 7)
    reader = replace(batch.reader, url=str(tmp_path / url))
    with pytest.raises(RowsUnreadable):
        forecast_part(batch.partitions[0], reader)


def test_a_partition_is_small_however_long_its_history(history: Lake) -> None:
    """What is sent to a worker is the list of its series."""
    batch = batch_of(history, "mean", 100)
    (partition,) = batch.partitions
    assert isinstance(partition, Partition)
    assert len(pickle.dumps(partition)) < 3_000 + 16 * len(partition.series)
