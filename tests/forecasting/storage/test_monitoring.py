"""Alarms and promises are kept until they are read."""

from datetime import date
from pathlib import Path

import pytest

from forecasting.contracts import schemas
from forecasting.storage.lake import Lake

WEEK, NEXT = date(1992, 4, 16), date(1992, 4, 23)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_alarms_are_read_up_to_a_week(lake: Lake) -> None:
    """Those of one file a week, oldest first; none where there are none."""
    assert lake.monitoring.alarms(NEXT) == []
    for week in (NEXT, WEEK):
        assert lake.monitoring.add_alarms(
            week, "mean", [{"week": str(week), "sentence": name} for name in ("one", "two")]
        )
    assert [alarm["week"] for alarm in lake.monitoring.alarms(NEXT)] == [str(WEEK)] * 2 + [str(NEXT)] * 2
    assert [alarm["sentence"] for alarm in lake.monitoring.alarms(WEEK)] == ["one", "two"]


def test_alarms_of_two_models_stand_side_by_side(lake: Lake) -> None:
    """What one promise raised of a week stands, and keeps no other from raising its own."""
    assert lake.monitoring.add_alarms(WEEK, "mean", [{"week": str(WEEK), "sentence": "one"}])
    assert not lake.monitoring.add_alarms(WEEK, "mean", [{"week": str(WEEK), "sentence": "again"}])
    assert lake.monitoring.add_alarms(WEEK, "naive", [{"week": str(WEEK), "sentence": "two"}])
    assert [alarm["sentence"] for alarm in lake.monitoring.alarms(WEEK)] == ["one", "two"]
    assert [alarm["sentence"] for alarm in lake.monitoring.alarms(WEEK, "naive")] == ["two"]


def test_a_damaged_promise_is_none(lake: Lake) -> None:
    """It is made anew, as one that is missing; an empty lake has neither promise nor scores."""
    assert lake.monitoring.scores().empty
    assert lake.monitoring.baseline("mean-0123abcd").empty
    lake.monitoring.write_baseline("mean-0123abcd", schemas.BASELINE.empty(), {"model": "mean"})
    (file,) = (lake.root / "baselines").iterdir()
    file.write_bytes(file.read_bytes()[:50])
    assert lake.monitoring.baseline("mean-0123abcd").empty
