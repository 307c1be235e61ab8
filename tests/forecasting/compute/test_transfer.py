"""Whether workers reach the lake is asked of every one of them."""

from pathlib import Path
from typing import Any

import pytest

from forecasting.compute import workers
from forecasting.compute.transfer import is_lake_reached
from forecasting.storage.lake import Lake


class Workers:
    """Stands for a client whose workers run a function each, some of them on another host."""

    def __init__(self, *elsewhere: bool) -> None:
        self._elsewhere = elsewhere

    def run(self, function: Any, url: str) -> dict[str, Any]:
        return {
            f"worker-{number}": None if elsewhere else function(url) for number, elsewhere in enumerate(self._elsewhere)
        }


@pytest.mark.parametrize(
    ("elsewhere", "expected"), [((False, False), True), ((False, True), False), ((True,), False), ((), False)]
)
def test_a_lake_is_reached_if_every_worker_reads_it(
    elsewhere: tuple[bool, ...], expected: bool, tmp_path: Path
) -> None:
    """One that does not is enough; nothing of the question stays in the lake."""
    lake = Lake(tmp_path)
    assert is_lake_reached(Workers(*elsewhere), lake) is expected  # type: ignore[arg-type]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_another_lake_of_the_same_name_is_not_the_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker finds in its place has to be what was written just now."""
    monkeypatch.setattr(workers, "read_text", lambda _: "of yesterday")
    assert not is_lake_reached(Workers(False), Lake(tmp_path))  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["/no/such/file", "s3://", "ftp://host/file", ""])
def test_a_worker_that_cannot_read_says_so(url: str) -> None:
    """Whatever the reason, it is no error of the run."""
    assert workers.read_text(url) is None
