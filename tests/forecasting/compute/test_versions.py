"""A worker of another version is named, with both versions."""

import pytest

from forecasting.compute.versions import require_same, unlike
from forecasting.contracts.errors import RunError
from forecasting.storage.code_version import code_versions

HERE = {"code": "abc", "python": "3.11", "numpy": "2.2.0", "pandas": "3.0.1"}


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (HERE, []),
        (HERE | {"numpy": "2.1.0"}, ["numpy 2.1.0 there and 2.2.0 here"]),
        (HERE | {"lightgbm": "4.6.0"}, ["lightgbm 4.6.0 there and none here"]),
        ({"python": "3.11"}, ["this package none there and abc here"]),
        (HERE | {"python": "3.12"}, ["python 3.12 there and 3.11 here"]),
    ],
)
def test_what_differs_is_told_in_words(there: dict[str, str], said: list[str]) -> None:
    """Both versions stand in the sentence; a missing package is none."""
    assert unlike(there, HERE) == said


def test_the_error_names_the_worker_and_the_remedy() -> None:
    """One sentence for the operator."""
    require_same("tls://10.0.0.2:1", code_versions())
    with pytest.raises(RunError, match=r"The worker tls://10.0.0.2:1 runs another version .* code old there and"):
        require_same("tls://10.0.0.2:1", code_versions() | {"code": "old"})
