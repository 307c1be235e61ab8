"""The receipts of runs; what is published is tested where it is written, in `test_publish`."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from forecasting.storage.published import Published

WEEK, NEXT = date(1992, 4, 16), date(1992, 4, 23)


@pytest.fixture
def lake(tmp_path: Path) -> Published:
    return Published(tmp_path / "lake")


def test_the_last_receipt_is_that_of_the_last_run(lake: Published) -> None:
    """Also where a later run forecast an earlier week."""
    lake.write_run_record(NEXT, datetime(2026, 1, 1, tzinfo=UTC), {"outcome": "published"})
    lake.write_run_record(WEEK, datetime(2026, 1, 2, tzinfo=UTC), {"outcome": "failed"})
    assert lake.last_run_record() == {"outcome": "failed"}
