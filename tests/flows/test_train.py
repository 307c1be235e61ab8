"""The flow behind `oj train`: a challenger is fitted, compared with the champion and registered."""

import shutil
from pathlib import Path

import pytest

from flows import train as flow_of_training
from forecasting.contracts import orange_juice
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import OptionError
from forecasting.pipeline.challengers import Evaluation
from forecasting.storage.files import read_table
from forecasting.storage.lake import Lake
from tests.small import compute_in_this_process
from tests.trained import LAST, trained, trained_lake


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, list[Evaluation]]:
    """Two models in a lake; not to be changed."""
    return trained_lake(tmp_path_factory.mktemp("trained") / "lake")


@pytest.fixture
def lake(template: tuple[Lake, list[Evaluation]], tmp_path: Path) -> Lake:
    """A copy of one's own."""
    shutil.copytree(template[0].root, tmp_path / "lake")
    return Lake(tmp_path / "lake")


def test_the_first_model_is_champion_and_a_worse_one_does_not_replace_it(
    template: tuple[Lake, list[Evaluation]],
) -> None:
    """Both are kept, with scores and every forecast of their evaluation; the record says how each fold was made."""
    lake, (first, second) = template
    assert (first.promoted, first.against) == (True, None)
    assert (second.promoted, second.against) == (False, first.version)
    current = lake.models.champion()
    assert current is not None
    assert (current.version, current.trained_until, current.week) == (first.version, LAST, LAST)
    assert lake.models.versions() == sorted([first.version, second.version])
    folds = tuple(LAST - k * WEEK for k in (4, 3, 2, 1))
    assert (second.champion_frozen_at, second.champion_refitted_at) == ((), folds)
    backtest = read_table(lake.models.folder(first.version) / "backtest.parquet", orange_juice.BACKTEST)
    assert set(backtest["cutoff"].dt.date) == {LAST - k * WEEK for k in (4, 3, 2, 1)}
    assert lake.models.describe(second.version).record["scores"]["wape"] > first.scores["wape"]


def test_the_same_training_gives_the_same_version(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Again with the same data and code: the champion stays, and so does its history."""
    compute_in_this_process(monkeypatch, flow_of_training)
    before = lake.models.champion()
    assert before is not None
    again = trained(lake, model="price_response")
    assert (again.version, again.promoted) == (before.version, False)
    assert "only 0 weeks tell the two apart" in again.why
    assert lake.models.champion() == before


def test_a_cluster_trains_the_same_model(lake: Lake, template: tuple[Lake, list[Evaluation]]) -> None:
    """On a real one the folds give the same scores, and the model is the same version as without Dask."""
    shutil.rmtree(lake.root / "models")
    found = trained(lake)
    assert (found.version, found.promoted) == (template[1][0].version, True)
    assert found.scores == template[1][0].scores


def test_a_model_that_cannot_be_trained_apart_is_refused(lake: Lake) -> None:
    """Before any fold is forecast."""
    before = lake.models.versions()
    with pytest.raises(OptionError, match="model=ensemble cannot be trained apart from forecasting"):
        trained(lake, model="ensemble")
    assert lake.models.versions() == before
