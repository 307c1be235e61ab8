"""Run records: one file a run."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from forecasting.contracts.run_record import Outcome, RunRecord
from forecasting.contracts.spec import ForecastSpec
from forecasting.storage.lake import Lake

WEEK, NEXT = date(1992, 4, 16), date(1992, 4, 23)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_the_last_record_is_that_of_the_last_run(lake: Lake) -> None:
    """Also where the later run forecast an earlier week."""
    earlier = RunRecord(ForecastSpec(NEXT), datetime(2026, 1, 1, tzinfo=UTC), Outcome.PUBLISHED)
    later = RunRecord(ForecastSpec(WEEK), datetime(2026, 1, 2, tzinfo=UTC), Outcome.FAILED)
    for record in (earlier, later):
        lake.runs.write(record)
    assert lake.runs.last() == later
    assert list(lake.runs.of_week(NEXT)) == [earlier]
