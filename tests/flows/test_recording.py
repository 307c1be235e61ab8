"""The receipt is written however the run ends."""

from datetime import UTC, date, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest

from flows.prefect_tasks import stopwatch
from flows.recording import recording
from forecasting.compute import ClusterUsage
from forecasting.contracts.errors import RunError
from forecasting.contracts.spec import ForecastSpec
from forecasting.storage.lake import Lake

SPEC = ForecastSpec(date(1992, 4, 16))


def test_a_failed_run_keeps_its_receipt_with_the_error(tmp_path: Path) -> None:
    """What went wrong stands in the lake, with the cluster's seconds and the stages up to there."""
    lake = Lake(tmp_path)

    def break_in_mid_run() -> None:
        with recording(lake, SPEC) as record:
            record.identified("abc", datetime(1992, 4, 24, tzinfo=UTC))
            record.cluster_started(
                Mock(usage=ClusterUsage(workers=2, seconds_busy=1.0, worker_seconds={"computing": 6.0}))
            )
            with stopwatch.get().stage("forecast"):
                raise RunError("It broke", "mend it")

    with pytest.raises(RunError, match="It broke"):
        break_in_mid_run()
    kept = lake.runs.last()
    assert kept
    assert (kept["outcome"], kept["error"], kept["error_type"]) == ("failed", "It broke; mend it.", "RunError")
    assert (kept["run_id"], kept["as_of"]) == ("abc", "1992-04-24T00:00:00+00:00")
    assert set(kept["seconds_by_stage"]) == {"forecast", "total"}
    assert kept["cluster"]["worker_seconds_provisioned"] == 6.0
    assert kept["cluster"]["worker_seconds_idle"] == 5.0


@pytest.mark.parametrize("outcome", ["published", "unchanged"])
def test_a_stop_after_the_forecast_was_published_does_not_undo_it(tmp_path: Path, outcome: str) -> None:
    """While the database is loaded, or the promise is made: the receipt has the outcome, and what ended the run."""

    def stop_after_publishing() -> None:
        with recording(Lake(tmp_path), SPEC) as record:
            getattr(record, outcome)({"rows": 2}, tmp_path / "forecast.parquet")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_after_publishing()
    kept = Lake(tmp_path).runs.last()
    assert kept
    assert (kept["outcome"], kept["rows"], kept["error_type"]) == (outcome, 2, "KeyboardInterrupt")


def test_a_good_run_keeps_its_counts(tmp_path: Path) -> None:
    """Counts and paths are plain values."""
    lake = Lake(tmp_path)
    with recording(lake, SPEC) as record:
        record.published({"rows": 2}, tmp_path / "forecast.parquet")
        record.reported(tmp_path / "report.parquet")
    kept = lake.runs.last()
    assert kept
    assert (kept["outcome"], kept["rows"]) == ("published", 2)
    assert kept["report"].endswith("report.parquet")
    assert kept["spec"]["cutoff"] == "1992-04-16"
