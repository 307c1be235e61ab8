"""What is asked of workers: a worker of another version is named, with both versions."""

import pytest

from forecasting.compute.workers import require_same, version_mismatches
from forecasting.contracts.errors import RunError
from forecasting.storage.code_version import code_versions

HERE = {"code": "abc", "python": "3.11", "numpy": "2.2.0", "pandas": "3.0.1"}


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (HERE, []),
        (HERE | {"numpy": "2.1.0"}, ["numpy 2.1.0 there and 2.2.0 here"]),
        (HERE | {"lightgbm": "4.6.0"}, ["lightgbm 4.6.0 there and none here"]),
        ({"python": "3.11"}, ["this package none there and abc here"]),
        (HERE | {"python": "3.12"}, ["python 3.12 there and 3.11 here"]),
    ],
)
def test_each_mismatch_is_said_in_words(there: dict[str, str], expected: list[str]) -> None:
    """Both versions stand in the sentence; a missing package is none."""
    assert version_mismatches(there, HERE) == expected


def test_the_error_names_the_worker_and_the_remedy() -> None:
    """One sentence for the operator."""
    require_same("tls://10.0.0.2:1", code_versions())
    with pytest.raises(RunError, match=r"The worker tls://10.0.0.2:1 runs another version .* code old there and"):
        require_same("tls://10.0.0.2:1", code_versions() | {"code": "old"})
