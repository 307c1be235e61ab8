"""Tests of the champion: who is in force, who was before, and the way back."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import RunError
from forecasting.contracts.spec import ForecastSpec
from forecasting.storage.champion_history import champion, champion_at, champion_history, predecessor, promote
from forecasting.storage.lake import Lake
from forecasting.storage.model_registry import Version

FIRST = date(1992, 1, 2)
AT = datetime(2026, 1, 1, tzinfo=UTC)


def version(name: str, weeks: int) -> Version:
    """A version that was trained up to so many weeks after the first."""
    return Version(name, {"spec": ForecastSpec(FIRST + weeks * WEEK).as_dict()})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake in which b has followed a, four weeks later."""
    lake = Lake(tmp_path / "lake")
    for name, weeks in (("a", 0), ("b", 4)):
        promote(lake, version(name, weeks), week=FIRST + weeks * WEEK, by="me", why=f"{name} is better", at=AT)
    return lake


def test_the_last_one_crowned_is_in_force_and_the_others_are_remembered(lake: Lake) -> None:
    """With its reason, its week, and whose it was."""
    current = champion(lake)
    assert current is not None
    assert (current.version, current.week, current.by, current.why) == ("b", FIRST + 4 * WEEK, "me", "b is better")
    assert [each.version for each in champion_history(lake)] == ["b", "a"]


def test_without_training_there_is_no_champion(tmp_path: Path) -> None:
    """An empty lake has none, at any week, and there is no way back."""
    lake = Lake(tmp_path)
    assert champion(lake) is None
    assert champion_at(lake, FIRST) is None
    with pytest.raises(RunError, match="There is no champion yet; train one with `oj train`"):
        predecessor(lake)


def test_a_past_week_goes_by_the_champion_that_had_not_seen_it(lake: Lake) -> None:
    """In week 3 that is a, though b is in force now; before a there was none."""
    found = [champion_at(lake, FIRST + weeks * WEEK) for weeks in (-1, 0, 3, 4)]
    assert [each and each.version for each in found] == [None, "a", "a", "b"]


def test_the_one_before_is_of_another_version(lake: Lake) -> None:
    """It is a; where a is put in force again it is b, and where that is done twice it is b still."""
    assert predecessor(lake).version == "a"
    for _ in range(2):
        promote(lake, version("a", 0), week=FIRST + 5 * WEEK, by="you", why="rolled back from b", at=AT)
        assert predecessor(lake).version == "b"
    assert [each.version for each in champion_history(lake)] == ["a", "a", "b", "a"]


def test_there_is_no_way_back_from_the_first(tmp_path: Path) -> None:
    """The error names it, and the option that names another."""
    lake = Lake(tmp_path)
    promote(lake, version("a", 0), week=FIRST, by="me", why="first", at=AT)
    with pytest.raises(RunError, match="There is no champion before a; name a version.*--to"):
        predecessor(lake)


@pytest.mark.parametrize("content", ["{", "{}", '{"version": 1, "previous": []}', "[]"])
def test_a_damaged_record_is_one_sentence(content: str, lake: Lake) -> None:
    """It names the file and how to go on."""
    lake.champion_path.write_text(content)
    with pytest.raises(RunError, match=r"champion\.json is damaged; restore it from a copy"):
        champion(lake)
