"""`oj models`, `oj models rollback` and `oj whatif`, as their users meet them."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from forecasting.cli import app
from forecasting.contracts.calendar import WEEK
from forecasting.pipeline.challengers import Evaluation
from forecasting.pipeline.forecast import forecast
from forecasting.storage.lake import Lake
from tests.trained import LAST, trained_lake, untrained_lake


def oj(*args: str) -> Result:
    return CliRunner().invoke(app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1"})


def text_of(result: Result) -> str:
    """What was printed; no line is too wide for a terminal of 80 columns."""
    assert max(map(len, result.output.splitlines())) <= 80, result.output
    return result.output


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake without a model; not to be changed."""
    return untrained_lake(tmp_path_factory.mktemp("empty") / "lake")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, list[Evaluation]]:
    """A lake with two models, the first of them champion; not to be changed."""
    return trained_lake(tmp_path_factory.mktemp("trained") / "lake")


@pytest.fixture
def lake(template: tuple[Lake, list[Evaluation]], tmp_path: Path) -> Lake:
    """A copy of one's own."""
    shutil.copytree(template[0].root, tmp_path / "lake")
    return Lake(tmp_path / "lake")


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


def test_a_damaged_model_is_named_and_not_promoted(lake: Lake, template: tuple[Lake, Any]) -> None:
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
    assert "Error: store=999, brand=5 was not sold" in " ".join(result.output.split())
