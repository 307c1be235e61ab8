"""The fingerprint of what numbers depend on: nothing else changes it, and everything of that does."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import forecasting
from forecasting.contracts.errors import OptionError
from forecasting.storage import fingerprint
from forecasting.storage.code_version import NUMERICAL_LIBRARIES
from forecasting.storage.fingerprint import FOR_PEOPLE, code_fingerprint, numerical_modules, own_modules

ROOT = Path(__file__).parents[3]
CASTS_EXACTLY = {"pyarrow"}  # gives a table its declared types, and computes nothing
FORECAST_BY_EVERY_MODEL = """
import sys
from forecasting.core import retry_queue as batch
from forecasting.contracts import orange_juice, schemas
from forecasting.storage.files import read_table
from forecasting.storage.location import open_location
from forecasting.pipeline.forecast import forecast
from forecasting.models import MODELS, get_model
from forecasting.contracts.spec import ForecastSpec
from forecasting.pipeline.forecast import train
from forecasting.contracts.orange_juice import dominicks_week

before = set(sys.modules)
sales = read_table(open_location("data") / "sales.parquet", orange_juice.SALES)
promotions = read_table(open_location("data") / "promotions.parquet", orange_juice.PROMOTIONS)
sales, promotions = (rows[rows["store"].isin([2, 5]) & rows["product"].isin([1, 5])] for rows in (sales, promotions))
for name in MODELS:
    spec = ForecastSpec(dominicks_week(110), model=name)
    forecast(sales, promotions, spec, train(sales, promotions, spec) if get_model(name).trainable else None)
print(*(name for name in sys.modules if name.split(".")[0] == "forecasting"))
"""
MODEL = "my_models.market:model"
OWN = '''"""A model of one's own."""
from my_models import constants
import my_models.deeper.level as deeper
from .helper import helped  # of the same package
import pandas, rich


def model(panel, promotions, spec):
    """Forecast."""
    return helped(constants, deeper)
'''


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of this package's sources, of which the fingerprint is taken."""
    shutil.copytree(Path(forecasting.__file__).parent, tmp_path / "forecasting")
    monkeypatch.setattr(fingerprint, "PACKAGE", tmp_path / "forecasting")
    return tmp_path / "forecasting"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `my_models` on the path, whose module `market` holds a model that imports most of the others."""
    package = tmp_path / "own" / "my_models"
    (package / "deeper").mkdir(parents=True)
    for path, text in {
        "__init__.py": "",
        "market.py": OWN,
        "constants.py": "SHARE = 0.5\n",
        "helper.py": "from forecasting.core import schedule\nhelped = print\n",
        "deeper/__init__.py": "",
        "deeper/level.py": "",
        "unused.py": "A = 1\n",
    }.items():
        (package / path).write_text(text)
    monkeypatch.syspath_prepend(package.parent)
    yield package
    for loaded in [each for each in sys.modules if each.partition(".")[0] == package.name]:
        del sys.modules[loaded]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_modules_are_those_that_a_forecast_imports() -> None:
    """After a forecast by every model no module of the package is loaded that does not count, but files and errors."""
    run = [sys.executable, "-c", FORECAST_BY_EVERY_MODEL]
    loaded = set(subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())
    read_by_the_script = {name for name in loaded if name.startswith("forecasting.storage")}
    only_of_the_script = read_by_the_script | {"forecasting.contracts.orange_juice"}
    assert loaded - only_of_the_script - set(FOR_PEOPLE) == set(numerical_modules())


def test_every_library_that_these_modules_import_counts() -> None:
    """A new one must be named beside the others."""
    start = numerical_modules()
    _, others = fingerprint.import_closure(start, start.get)
    assert others - CASTS_EXACTLY <= set(NUMERICAL_LIBRARIES)


def test_words_for_people_do_not_count(copy: Path) -> None:
    """Docstrings of module, class and function, comments, line breaks; and modules that compute no forecast."""
    before = code_fingerprint("price_response")
    assert before == code_fingerprint("mean")
    edit(copy / "pipeline" / "forecast.py", '"""The forecast:', '# A comment.\n\n"""The one forecast:')
    edit(copy / "core" / "partition.py", '    """Which series one task forecasts,', '    """What one task forecasts,')
    edit(copy / "models" / "ensemble.py", '    """The mean of', '    # why\n    """A mean of')
    edit(copy / "models" / "ensemble.py", "(0.5, 0.5)", "(\n    0.5,\n    0.5,\n)")
    for name in (
        "contracts/errors.py",
        "core/report.py",
        "presentation/words.py",
        "storage/lake.py",
        "core/drift.py",
    ):
        (copy / name).write_text((copy / name).read_text() + "\nMORE = 1\n")
    assert code_fingerprint("price_response") == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("models/response/spread.py", "SAMPLES = ", "SAMPLES = 1 + "),
        ("models/ensemble.py", "(0.5, 0.5)", "(0.4, 0.6)"),
        ("models/mean.py", "import numpy as np", "import numpy as np\nMORE = 1"),
        ("core/panel.py", ".fillna(0.0)", ".fillna(1.0)"),
        ("core/retry_queue.py", '"""', 'MORE = 1\n"""'),
    ],
)
def test_what_is_computed_counts(copy: Path, name: str, old: str, new: str) -> None:
    """A constant or a step of a model, of the panel, or of what decides on fallbacks."""
    before = code_fingerprint("price_response")
    edit(copy / name, old, new)
    assert code_fingerprint("price_response") != before


def test_a_version_of_a_library_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_fingerprint("mean")
    monkeypatch.setattr("forecasting.storage.code_version.version", lambda library: f"new {library}")
    assert code_fingerprint("mean") != before


def test_an_own_model_counts_with_what_it_imports(own: Path) -> None:
    """Its package's modules, to any depth, and those of ours that no other model needs; libraries by name."""
    modules, libraries = own_modules(MODEL)
    mine = {name.removeprefix(own.name) for name in modules if name.startswith(own.name)}
    assert mine == {"", ".market", ".constants", ".helper", ".deeper", ".deeper.level"}
    assert "forecasting.core.schedule" in modules
    assert libraries >= {"pandas", "rich"}


@pytest.mark.parametrize(
    ("name", "old", "new", "counts"),
    [
        ("market.py", "return helped", "return not helped", True),
        ("constants.py", "0.5", "0.6", True),
        ("helper.py", "print", "repr", True),
        ("deeper/level.py", "", "A = 1", True),
        ("market.py", '"""Forecast."""', '"""Forecast well."""', False),
        ("market.py", "# of the same package", "# ours", False),
        ("unused.py", "1", "2", False),
    ],
)
def test_a_change_of_an_own_model_counts(own: Path, name: str, old: str, new: str, counts: bool) -> None:
    """Of its module and of those it imports, and not how they read; no other model's fingerprint changes."""
    before, of_mean = code_fingerprint(MODEL), code_fingerprint("mean")
    edit(own / name, old, new)
    assert (code_fingerprint(MODEL) != before) == counts
    assert code_fingerprint("mean") == of_mean


def test_of_an_installed_model_only_its_package_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: Path
) -> None:
    """What lies beside it among the installed packages counts by its version, not by its source."""
    installed = tmp_path / "site-packages"
    own.parent.rename(installed)
    monkeypatch.syspath_prepend(installed)
    (installed / "neighbour.py").write_text("")
    edit(installed / own.name / "helper.py", "helped", "import neighbour\nhelped")
    modules, libraries = own_modules(MODEL)
    assert f"{own.name}.constants" in modules
    assert "neighbour" not in modules
    assert "neighbour" in libraries


def test_a_model_that_does_not_exist_is_one_sentence() -> None:
    with pytest.raises(OptionError, match="model=no_such:model cannot be imported"):
        code_fingerprint("no_such:model")
    with pytest.raises(OptionError, match="model=nonsense is not registered"):
        code_fingerprint("nonsense")
