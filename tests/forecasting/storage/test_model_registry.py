"""Tests of the store of fitted models: what is read is what was written, or one sentence."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts import schemas
from forecasting.contracts.errors import RunError
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.fitted_model import FittedModel
from forecasting.storage.lake import Lake
from forecasting.storage.model_registry import Origin, Version, describe, keep, load

CUTOFF = date(1992, 4, 9)
ORIGIN = Origin(date(1990, 6, 14), CUTOFF, 96, 2, "d4", "c0", datetime(2026, 1, 1, tzinfo=UTC), "a tester")
RECORD = {"scores": {"wape": 0.4}, "contest": {"promoted": True}}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture(scope="module")
def fitted() -> FittedModel:
    """A few numbers that no decimal writes exactly, and a text."""
    rows = pd.DataFrame(
        {"product": 5, "name": ["level", "level", "slope"], "store": [2, 5, None], "position": 0, "value": 1 / 3}
    )
    rows["value"] = [1 / 3, 2**0.5, -1e-17]
    return FittedModel(ForecastSpec(CUTOFF), schemas.PARAMETERS.cast(rows), {"tree": "a\nb"})


def test_what_is_read_is_what_was_written(lake: Lake, fitted: FittedModel) -> None:
    """Parameters to the last bit, texts, spec and record; nothing is left in staging."""
    version = keep(lake, fitted, ORIGIN, RECORD)
    found, read = load(lake, version.version)
    pd.testing.assert_frame_equal(read.parameters, fitted.parameters, check_exact=True)
    assert (read.spec, read.texts) == (fitted.spec, fitted.texts)
    assert found.record == RECORD
    assert found.content["trained_on"] == {"first": "1990-06-14", "last": str(CUTOFF), "weeks": 96, "series": 2}
    assert lake.model_versions() == [version.version]
    assert list((lake.root / "staging").iterdir()) == []
    assert not (lake.model_folder(version.version) / "backtest.parquet").exists()


def test_the_version_is_the_content(lake: Lake, fitted: FittedModel) -> None:
    """The same again is the same version, with its first record; any other number, data or code is another."""
    version = keep(lake, fitted, ORIGIN, RECORD)
    later = replace(ORIGIN, created=datetime(2027, 1, 1, tzinfo=UTC), made_by="someone else")
    assert keep(lake, fitted, later, {"other": 1}).version == version.version
    assert describe(lake, version.version).record == RECORD
    shown_otherwise = replace(fitted, spec=replace(fitted.spec, point="mean"))
    assert keep(lake, shown_otherwise, ORIGIN, RECORD).version == version.version
    changed = replace(fitted, parameters=fitted.parameters.assign(value=fitted.parameters["value"] * 2))
    others = [
        keep(lake, changed, ORIGIN, RECORD),
        keep(lake, replace(fitted, texts={}), ORIGIN, RECORD),
        keep(lake, fitted, replace(ORIGIN, data="d5"), RECORD),
        keep(lake, fitted, replace(ORIGIN, code="c1"), RECORD),
    ]
    assert len({version.version, *(each.version for each in others)}) == 5


@pytest.mark.parametrize("name", ["parameters.parquet", "texts.json", "model.json"])
def test_a_damaged_artefact_is_one_sentence(name: str, lake: Lake, fitted: FittedModel) -> None:
    """A file cut short is named with the remedy; keeping the model again mends it."""
    version = keep(lake, fitted, ORIGIN, RECORD)
    path = lake.model_folder(version.version) / name
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RunError, match=f"{version.version} is damaged: {name}.*oj models rollback"):
        load(lake, version.version)
    keep(lake, fitted, ORIGIN, RECORD)
    assert load(lake, version.version)[1].texts == fitted.texts


def test_parameters_of_another_version_are_not_taken_for_its_own(lake: Lake, fitted: FittedModel) -> None:
    """A folder that was copied over another's name is noticed, though each of its files is whole."""
    version = keep(lake, fitted, ORIGIN, RECORD)
    other = keep(lake, replace(fitted, texts={}), ORIGIN, RECORD)
    shutil.rmtree(lake.model_folder(version.version))
    shutil.copytree(lake.model_folder(other.version), lake.model_folder(version.version))
    with pytest.raises(RunError, match="its content is not that of its version"):
        load(lake, version.version)


def test_a_version_that_is_not_there_is_one_sentence(lake: Lake) -> None:
    """The error tells where the versions are listed."""
    with pytest.raises(RunError, match="There is no fitted model 0123 .*oj models"):
        load(lake, "0123")


def test_a_version_knows_its_spec() -> None:
    """Dates come back as dates."""
    spec = ForecastSpec(CUTOFF, horizon=3)
    assert Version("v", {"spec": spec.as_dict()}).spec == spec
