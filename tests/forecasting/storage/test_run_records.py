"""Run records: one file a run."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from forecasting.storage.lake import Lake

WEEK, NEXT = date(1992, 4, 16), date(1992, 4, 23)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_the_last_record_is_that_of_the_last_run(lake: Lake) -> None:
    """Also where the later run forecast an earlier week."""
    lake.runs.write(NEXT, datetime(2026, 1, 1, tzinfo=UTC), {"outcome": "published"})
    lake.runs.write(WEEK, datetime(2026, 1, 2, tzinfo=UTC), {"outcome": "failed"})
    assert lake.runs.last() == {"outcome": "failed"}
