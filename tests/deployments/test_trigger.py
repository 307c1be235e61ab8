"""What `oj trigger` hands to the deployment; that it follows a run is tested in test_service.py."""

from datetime import date
from pathlib import Path

import pytest

from deployments.trigger import TriggerOptions


def test_only_what_is_given_is_handed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As JSON; the rest is the deployment's. A lake is named by its absolute path, as flows run elsewhere."""
    monkeypatch.chdir(tmp_path)
    assert TriggerOptions().parameters == {}
    given = TriggerOptions(cutoff=date(1992, 4, 16), horizon=3, lake="lake", watch=True)
    assert given.parameters == {"cutoff": "1992-04-16", "horizon": 3, "lake": str(tmp_path / "lake")}
