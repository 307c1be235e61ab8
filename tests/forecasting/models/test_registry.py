"""Tests of the registry of models."""

import subprocess
import sys

import pytest

from forecasting.errors import OptionError
from forecasting.models import MODELS, get_model


@pytest.mark.parametrize("name", list(MODELS))
def test_every_registered_model_can_be_called(name: str) -> None:
    """A model is found under its own name, its function is where its path says, and it has a summary."""
    model = get_model(name)

    assert model.name == name
    assert callable(model.forecast)
    assert model.summary


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    """The error names what was asked for and everything that can be."""
    with pytest.raises(OptionError, match="model=prophet") as caught:
        get_model("prophet")

    assert all(name in str(caught.value) for name in MODELS)


def test_asking_for_one_model_does_not_import_the_libraries_of_another() -> None:
    """A worker that runs the naive model never pays for statsmodels."""
    script = (
        "import sys; from forecasting.models import get_model; get_model('naive').forecast; "
        "print('statsmodels' in sys.modules)"
    )

    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "False"
