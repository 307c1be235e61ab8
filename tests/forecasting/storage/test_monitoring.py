"""The monitoring store: alarms, baselines and scores."""

from datetime import date
from pathlib import Path

import pytest

from forecasting.contracts import schemas
from forecasting.core.drift import Alarm
from forecasting.storage.lake import Lake

WEEK, NEXT = date(1992, 4, 16), date(1992, 4, 23)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def alarm_of(week: date, sentence: str) -> Alarm:
    return Alarm(week, "bias", 1.1, 0.0, week, sentence)


def test_alarms_are_read_up_to_a_week(lake: Lake) -> None:
    """Oldest week first; an empty lake has none."""
    assert lake.monitoring.alarms(NEXT) == []
    for week in (NEXT, WEEK):
        assert lake.monitoring.add_alarms(week, "mean", [alarm_of(week, name) for name in ("one", "two")])
    assert [alarm.week for alarm in lake.monitoring.alarms(NEXT)] == [WEEK] * 2 + [NEXT] * 2
    assert [alarm.sentence for alarm in lake.monitoring.alarms(WEEK)] == ["one", "two"]


def test_alarms_of_two_models_stand_side_by_side(lake: Lake) -> None:
    """A baseline raises the alarms of a week once; another baseline may raise its own."""
    assert lake.monitoring.add_alarms(WEEK, "mean", [alarm_of(WEEK, "one")])
    assert not lake.monitoring.add_alarms(WEEK, "mean", [alarm_of(WEEK, "again")])
    assert lake.monitoring.add_alarms(WEEK, "naive", [alarm_of(WEEK, "two")])
    assert [alarm.sentence for alarm in lake.monitoring.alarms(WEEK)] == ["one", "two"]
    assert [alarm.sentence for alarm in lake.monitoring.alarms(WEEK, "naive")] == ["two"]


def test_a_damaged_baseline_counts_as_none(lake: Lake) -> None:
    """It can be built again, as a missing one; an empty lake has neither baselines nor scores."""
    assert lake.monitoring.scores().empty
    assert lake.monitoring.baseline("mean-0123abcd").empty
    lake.monitoring.write_baseline("mean-0123abcd", schemas.BASELINE.empty(), {"model": "mean"})
    (file,) = Path(lake.root / "baselines").iterdir()
    file.write_bytes(file.read_bytes()[:50])
    assert lake.monitoring.baseline("mean-0123abcd").empty
