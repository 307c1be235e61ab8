"""Tests of the registry of models, and of models of one's own."""

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts import schemas
from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import ForecastSpec
from forecasting.models import MODELS, Model, get_model
from forecasting.pipeline.forecast import forecast

SPEC = ForecastSpec(date(1992, 1, 30))
OWN = Path(__file__).parents[3] / "docs" / "own-model.md"


@pytest.mark.parametrize("name", list(MODELS))
def test_every_registered_model_can_be_called(name: str) -> None:
    """A model is found under its own name, its class is where its path says, and it has a summary."""
    model = get_model(name)

    assert model.name == name
    assert isinstance(model, Model)
    assert model.summary


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    """The error names what was asked for and everything that can be."""
    with pytest.raises(OptionError, match="model=prophet") as caught:
        get_model("prophet")

    assert all(name in str(caught.value) for name in MODELS)


def test_asking_for_one_model_does_not_import_the_libraries_of_another() -> None:
    """A worker that runs the naive model never pays for statsmodels."""
    script = (
        "import sys; from forecasting.models import get_model; get_model('naive'); print('statsmodels' in sys.modules)"
    )

    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "False"


@pytest.fixture
def my_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example of docs/own-model.md, saved in a folder on the path of imports."""
    (code,) = re.findall(r"```python\n(.*?)```", OWN.read_text(encoding="utf-8"), flags=re.DOTALL)
    saved = tmp_path / "my_models.py"
    saved.write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield saved
    sys.modules.pop("my_models", None)


def test_the_documented_model_forecasts_real_stores(
    my_models: Path, real_sales: pd.DataFrame, real_promotions: pd.DataFrame
) -> None:
    """The page's code, word for word, gives every series of three stores its median of the last eight weeks."""
    sales = real_sales[real_sales["store"].isin([2, 5, 8])]
    promotions = real_promotions[real_promotions["store"].isin([2, 5, 8])]
    spec = ForecastSpec(date(1991, 12, 26), horizon=2, model="my_models:moving_average")

    found = forecast(sales, promotions, spec)

    past = sales[sales["week"] <= pd.Timestamp(spec.cutoff)].sort_values(schemas.CELL)
    expected = past.groupby(schemas.SERIES)["units"].agg(lambda units: units.tail(8).median())
    assert len(found) == 2 * 33
    assert found["forecast"].to_numpy() == pytest.approx(np.repeat(expected.to_numpy(), 2))
    assert set(found["model"]) == {"my_models:moving_average"}
    assert found["reason"].isna().all()


def test_the_command_on_the_page_names_the_model_in_its_code(my_models: Path) -> None:
    """The file that the page has the reader save is the one that its command names."""
    assert "--models my_models:moving_average" in OWN.read_text(encoding="utf-8")
    found = get_model("my_models:moving_average")
    assert (found.name, found.pooled, found.trainable) == ("my_models:moving_average", "nothing", False)
    assert found.summary == "The units of the last eight observed weeks, equally probable."


def test_a_model_in_a_package_may_say_what_it_learns_from_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function's attribute `pooled` is the model's."""
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "my_module.py").write_text("def mine(*_): return 5\nmine.pooled = 'product'\n")
    monkeypatch.syspath_prepend(tmp_path)

    found = get_model("my_package.my_module:mine")

    assert (found.pooled, found.summary) == ("product", "my_package.my_module:mine")
    assert str(found.forecast(pd.DataFrame(), pd.DataFrame(), SPEC)) == "5"


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("no_such_module:f", r"cannot be imported \(ModuleNotFoundError: .*'no_such_module'\).* on PYTHONPATH"),
        (":f", r"cannot be imported"),
        (".relative:f", r"cannot be imported"),
        ("math:no_such_function", r"'no_such_function', which does not exist in 'math'; name a function"),
        ("math:", r"'', which does not exist in 'math'"),
        ("math:pi", r"'pi', which is no function in 'math'"),
        ("broken:f", r"cannot be imported \(SyntaxError"),
        ("unruly:f", r"cannot be imported \(RuntimeError: no licence\)"),
        ("pooling:f", r"has pooled='stores'; set .* one of nothing, product, everything"),
    ],
)
def test_a_path_that_gives_no_model_is_answered_with_what_failed(
    path: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the path, the cause and the remedy."""
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "unruly.py").write_text("raise RuntimeError('no licence')\n")
    (tmp_path / "pooling.py").write_text("def f(): ...\nf.pooled = 'stores'\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(OptionError, match=problem) as caught:
        get_model(path)

    assert str(caught.value).startswith(f"model={path} ")
