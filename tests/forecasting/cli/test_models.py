"""`oj models`, `oj models rollback` and `oj whatif`, as their users meet them; and `oj train`'s flow."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from flows import train as flow_of_training
from flows.prefect_tasks import run_flow
from flows.train import train
from forecasting.cli import app
from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.pipeline.challengers import Evaluation
from forecasting.pipeline.forecast import forecast
from forecasting.storage.files import read_table
from forecasting.storage.lake import Lake
from tests.small import compute_in_this_process, small_lake

LAST = dominicks_week(130)


def oj(*args: str) -> Result:
    return CliRunner().invoke(app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1"})


def text_of(result: Result) -> str:
    """What was printed; no line is too wide for a terminal of 80 columns."""
    assert max(map(len, result.output.splitlines())) <= 80, result.output
    return result.output


def trained(lake: Lake, **options: Any) -> Evaluation:
    """Train without Prefect, on a cluster of one worker."""
    parameters = {"lake": str(lake.root), "max_concurrency_per_instance": 1, "folds": 4, **options}
    return run_flow(train, parameters, why_not="no Prefect is needed", warn=lambda _: None)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Four real stores, and no model yet; not to be changed."""
    return small_lake(tmp_path_factory.mktemp("empty") / "lake", dominicks_week(70), LAST)


@pytest.fixture(scope="module")
def template(empty: Lake, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, list[Evaluation]]:
    """A lake in which the default model, then the mean, has been trained, and both decisions; not to be changed."""
    root = tmp_path_factory.mktemp("trained") / "lake"
    shutil.copytree(empty.root, root)
    lake = Lake(root)
    first = trained(lake)  # on a real cluster
    with pytest.MonkeyPatch.context() as patch:
        compute_in_this_process(patch, flow_of_training)
        return lake, [first, trained(lake, model="mean")]


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
    backtest = read_table(lake.models.folder(first.version) / "backtest.parquet", schemas.BACKTEST)
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


def test_models_are_listed_and_a_rollback_is_one_command(lake: Lake, template: tuple[Lake, list[Evaluation]]) -> None:
    """The champion is marked; another can be named; without a name it is the one before."""
    _, (first, second) = template
    listed = text_of(oj("models", "--lake", str(lake.root)))
    assert f"*  {first.version}  price_response" in listed
    assert second.version in listed
    assert "the first fitted model of this lake" in " ".join(listed.split())
    named = text_of(oj("models", "rollback", "--to", second.version, "--lake", str(lake.root)))
    assert f"mean {second.version}" in named
    back = text_of(oj("models", "rollback", "--lake", str(lake.root)))
    assert f"price_response {first.version}" in back
    assert f"rolled back from {second.version}" in " ".join(back.split())


def test_a_damaged_model_is_named_and_not_put_in_force(lake: Lake, template: tuple[Lake, Any]) -> None:
    """One sentence, and the champion stays."""
    second = template[1][1].version
    (lake.models.folder(second) / "parameters.parquet").write_bytes(b"no")
    refused = oj("models", "rollback", "--to", second, "--lake", str(lake.root))
    assert refused.exit_code == 1
    assert f"The fitted model {second} is damaged" in " ".join(refused.output.split())
    assert lake.models.champion() == template[0].models.champion()
    (lake.models.folder(second) / "model.json").write_text("{")
    listed = text_of(oj("models", "--lake", str(lake.root)))
    assert "is damaged" in " ".join(listed.split())
    assert template[1][0].version in listed


def test_a_rollback_verifies_what_it_goes_back_to(lake: Lake, template: tuple[Lake, Any]) -> None:
    """Back and forth; one that is damaged is named, and the champion stays."""
    first, second = (each.version for each in template[1])
    oj("models", "rollback", "--to", second, "--lake", str(lake.root))
    for version in (first, second):
        oj("models", "rollback", "--lake", str(lake.root))
        current = lake.models.champion()
        assert current is not None
        assert current.version == version
    (lake.models.folder(first) / "parameters.parquet").write_bytes(b"no")
    refused = oj("models", "rollback", "--lake", str(lake.root))
    assert refused.exit_code == 1
    assert f"The fitted model {first} is damaged" in " ".join(refused.output.split())
    assert lake.models.champion() == current


def test_without_a_model_the_next_step_is_printed(empty: Lake, tmp_path: Path) -> None:
    """An empty list says how one is made, and there is nothing to go back to, least of all in an empty lake."""
    assert "Next: oj train" in text_of(oj("models", "--lake", str(empty.root)))
    assert "train one with `oj train`" in oj("models", "rollback", "--lake", str(empty.root)).output
    assert "has no sales to learn from" in " ".join(oj("models", "rollback", "--lake", str(tmp_path)).output.split())


def test_what_if_is_answered_beside_the_plan(lake: Lake) -> None:
    """Both offers, both forecasts, the difference and the model; the plan's row is what a run would publish."""
    current = lake.models.champion()
    assert current is not None
    _, fitted = lake.models.load(current.version)
    rows = forecast(lake.sales.read(), lake.promotions.read(), replace(fitted.spec, cutoff=LAST), fitted)
    planned = rows[(rows["store"] == 2) & (rows["product"] == 5) & (rows["step"] == 1)]["forecast"].item()
    asked = ("--store", "2", "--product", "5", "--week", str(LAST + WEEK), "--lake", str(lake.root))
    text = text_of(oj("whatif", *asked, "--set", "price=9.99", "--set", "feat=1"))
    plan, what = (line for line in text.splitlines() if line.startswith(("the plan", "what if")))
    assert f" {planned:,.0f} " in plan
    assert "$9.99" in what
    assert "$9.99 is a guess" in " ".join(text.split())
    assert current.version in text


def test_what_if_without_a_model_fits_one_and_says_so(empty: Lake) -> None:
    """Nobody has to train before the first question; nothing is kept."""
    text = text_of(
        oj("whatif", "--store", "2", "--product", "5", "--week", str(LAST + WEEK), "--lake", str(empty.root))
    )
    assert "fitted for this question (oj train keeps one)" in text
    assert empty.models.versions() == []


def test_an_impossible_question_is_one_sentence(empty: Lake) -> None:
    """No traceback, and the exit code says that something is wrong."""
    result = oj("whatif", "--store", "999", "--product", "5", "--week", str(LAST + WEEK), "--lake", str(empty.root))
    assert result.exit_code == 1
    assert "Error: store=999, product=5 was not sold" in " ".join(result.output.split())
