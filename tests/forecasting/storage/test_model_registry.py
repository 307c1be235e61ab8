"""The model registry: models are read as written or refused in one sentence, and champions have a history."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import RunError
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.fitted_model import FittedModel
from forecasting.storage.lake import Lake
from forecasting.storage.model_registry import Origin, Version

FIRST = date(1992, 1, 2)
AT = datetime(2026, 1, 1, tzinfo=UTC)
CUTOFF = date(1992, 4, 9)
ORIGIN = Origin(date(1990, 6, 14), CUTOFF, 96, 2, "d4", "c0", datetime(2026, 1, 1, tzinfo=UTC), "a tester")
RECORD = {"scores": {"wape": 0.4}, "evaluation": {"promoted": True}}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture(scope="module")
def fitted() -> FittedModel:
    """A few numbers that no decimal writes exactly, and a text."""
    rows = pd.DataFrame(
        {"product": 5, "name": ["level", "level", "slope"], "store": [2, 5, None], "position": 0, "value": 1 / 3}
    )
    rows["value"], rows["rival"] = [1 / 3, 2**0.5, -1e-17], [None, None, 3]
    return FittedModel(ForecastSpec(CUTOFF), orange_juice.PARAMETERS.cast(rows), {"tree": "a\nb"})


def test_what_is_read_is_what_was_written(lake: Lake, fitted: FittedModel) -> None:
    """Parameters to the last bit, texts, spec and record; nothing else is left."""
    version = lake.models.register(fitted, ORIGIN, RECORD)
    found, read = lake.models.load(version.version)
    pd.testing.assert_frame_equal(read.parameters, fitted.parameters, check_exact=True)
    assert (read.spec, read.texts) == (fitted.spec, fitted.texts)
    assert found.record == RECORD
    assert found.content["trained_on"] == {"first": "1990-06-14", "last": str(CUTOFF), "weeks": 96, "series": 2}
    assert lake.models.versions() == [version.version]
    assert [path.name for path in Path(lake.root).glob("[!.]*")] == ["models"]
    names = sorted(path.name for path in Path(lake.models.folder(version.version)).iterdir())
    assert names == ["model.json", "parameters.parquet", "texts.json"]


def test_the_version_is_the_content(lake: Lake, fitted: FittedModel) -> None:
    """The same again is the same version, with its first record; any other number, data or code is another."""
    version = lake.models.register(fitted, ORIGIN, RECORD)
    later = replace(ORIGIN, created=datetime(2027, 1, 1, tzinfo=UTC), made_by="someone else")
    assert lake.models.register(fitted, later, {"other": 1}).version == version.version
    assert lake.models.describe(version.version).record == RECORD
    shown_otherwise = replace(fitted, spec=replace(fitted.spec, point="mean"))
    assert lake.models.register(shown_otherwise, ORIGIN, RECORD).version == version.version
    changed = replace(fitted, parameters=fitted.parameters.assign(value=fitted.parameters["value"] * 2))
    others = [
        lake.models.register(changed, ORIGIN, RECORD),
        lake.models.register(replace(fitted, texts={}), ORIGIN, RECORD),
        lake.models.register(fitted, replace(ORIGIN, data="d5"), RECORD),
        lake.models.register(fitted, replace(ORIGIN, code="c1"), RECORD),
    ]
    assert len({version.version, *(each.version for each in others)}) == 5


@pytest.mark.parametrize("name", ["parameters.parquet", "texts.json", "model.json"])
def test_a_damaged_artefact_is_one_sentence(name: str, lake: Lake, fitted: FittedModel) -> None:
    """A file cut short is named with the remedy; registering the model again repairs it."""
    version = lake.models.register(fitted, ORIGIN, RECORD)
    path = lake.models.folder(version.version) / name
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RunError, match=f"{version.version} is damaged: {name}.*oj models rollback"):
        lake.models.load(version.version)
    lake.models.register(fitted, ORIGIN, RECORD)
    assert lake.models.load(version.version)[1].texts == fitted.texts


def test_parameters_of_another_version_are_not_taken_for_its_own(lake: Lake, fitted: FittedModel) -> None:
    """A folder that was copied over another's name is noticed, though each of its files is whole."""
    version = lake.models.register(fitted, ORIGIN, RECORD)
    other = lake.models.register(replace(fitted, texts={}), ORIGIN, RECORD)
    shutil.rmtree(lake.models.folder(version.version))
    shutil.copytree(lake.models.folder(other.version), lake.models.folder(version.version))
    with pytest.raises(RunError, match="its content is not that of its version"):
        lake.models.load(version.version)


def test_a_version_that_is_not_there_is_one_sentence(lake: Lake) -> None:
    """The error names the command that lists the versions."""
    with pytest.raises(RunError, match="There is no fitted model 0123 .*oj models"):
        lake.models.load("0123")


def test_a_version_knows_its_spec() -> None:
    """Dates come back as dates."""
    spec = ForecastSpec(CUTOFF, horizon=3)
    assert Version("v", {"spec": spec.as_dict()}).spec == spec


def version(name: str, weeks: int) -> Version:
    """A version that was trained up to so many weeks after the first."""
    return Version(name, {"spec": ForecastSpec(FIRST + weeks * WEEK).as_dict()})


@pytest.fixture
def promoted(tmp_path: Path) -> Lake:
    """A lake in which b has followed a, four weeks later."""
    lake = Lake(tmp_path / "lake")
    for name, weeks in (("a", 0), ("b", 4)):
        lake.models.promote(version(name, weeks), week=FIRST + weeks * WEEK, by="me", why=f"{name} is better", at=AT)
    return lake


def test_the_last_one_promoted_is_the_champion_and_the_others_are_its_history(promoted: Lake) -> None:
    """With its reason, its week, and whose it was."""
    current = promoted.models.champion()
    assert current is not None
    assert (current.version, current.week, current.by, current.why) == ("b", FIRST + 4 * WEEK, "me", "b is better")
    assert [each.version for each in promoted.models.champion_history()] == ["b", "a"]


def test_without_training_there_is_no_champion(tmp_path: Path) -> None:
    """An empty lake has none, for no week, and no predecessor."""
    lake = Lake(tmp_path)
    assert lake.models.champion() is None
    assert lake.models.champion_at(FIRST) is None
    with pytest.raises(RunError, match="There is no champion yet; train one with `oj train`"):
        lake.models.predecessor()


def test_a_past_week_has_the_champion_that_was_not_trained_on_later_weeks(promoted: Lake) -> None:
    """For week 3 that is a, though b is the champion now; before a there was none."""
    found = [promoted.models.champion_at(FIRST + weeks * WEEK) for weeks in (-1, 0, 3, 4)]
    assert [each and each.version for each in found] == [None, "a", "a", "b"]


def test_the_predecessor_is_another_version(promoted: Lake) -> None:
    """It is a; once a is promoted again it is b, also where a is promoted twice."""
    assert promoted.models.predecessor().version == "a"
    for _ in range(2):
        promoted.models.promote(version("a", 0), week=FIRST + 5 * WEEK, by="you", why="rolled back from b", at=AT)
        assert promoted.models.predecessor().version == "b"
    assert [each.version for each in promoted.models.champion_history()] == ["a", "a", "b", "a"]


def test_the_first_champion_has_no_predecessor(tmp_path: Path) -> None:
    """The error names it, and the option that names another."""
    lake = Lake(tmp_path)
    lake.models.promote(version("a", 0), week=FIRST, by="me", why="first", at=AT)
    with pytest.raises(RunError, match="There is no champion before a; name a version.*--to"):
        lake.models.predecessor()


@pytest.mark.parametrize("content", ["{", "{}", '{"version": 1, "previous": []}', "[]"])
def test_a_damaged_record_is_one_sentence(content: str, promoted: Lake) -> None:
    """It names the file and how to go on."""
    promoted.models.champion_path.write_text(content)
    with pytest.raises(RunError, match=r"champion\.json is damaged; restore it from a copy"):
        promoted.models.champion()
