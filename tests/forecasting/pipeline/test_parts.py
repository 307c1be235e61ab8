"""A worker reads the rows that a cut of the whole panel would give it; the parts make one forecast."""

import pickle
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from forecasting.compute.transfer import RowsUnreadable
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.partition import Partition
from forecasting.pipeline import parts
from forecasting.pipeline.forecast import forecast_partition, make_partitions, train
from forecasting.pipeline.parts import forecast_part
from forecasting.storage.lake import Lake
from tests.forecasting.pipeline.batches import CUTOFF, batch_of

SERIES = ["store", "product"]


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


@pytest.mark.parametrize("is_sent", [False, True])
def test_the_worker_names_series_whose_rows_cannot_be_used(
    is_sent: bool, history: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it has read the rows itself or was sent them; the driver never sees all rows at once."""
    batch = batch_of(history, "mean", 7)
    first, second, *_ = batch.partitions[0].series.itertuples(index=False, name=None)

    def broken(*args: object) -> pd.DataFrame:
        rows = forecast_partition(*args)  # type: ignore[arg-type]
        keys = pd.MultiIndex.from_frame(rows[["store", "product"]])
        rows.loc[keys.isin([first]), "forecast"] = float("nan")
        return rows[~keys.isin([second])]

    monkeypatch.setattr(parts, "forecast_partition", broken)
    work = batch.reader.read(batch.partitions[0]) if is_sent else batch.partitions[0]
    assert forecast_part(work, batch.reader).reasons == {first: "not_finite", second: "missing_row"}
